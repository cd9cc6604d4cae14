#!/bin/bash
# BIND, with higher limits for transfers than its defaults: these are for many zones of one primary.
set -eu

configuration() {
  cat <<END
options {
  directory "$DIR"; pid-file "$DIR/named.pid"; session-keyfile "$DIR/session.key"; lock-file none;
  managed-keys-directory "$DIR";
  listen-on port $LISTEN_PORT { $LISTEN_IP; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; allow-transfer { none; }; allow-query { any; };
  allow-notify { 127.0.0.0/8; }; max-journal-size default; max-records 0; provide-ixfr no;
  transfers-in 100; transfers-per-ns 100; serial-query-rate 2000; tcp-clients 1000;
};
controls { };
logging {
  category default { default_stderr; };
  category xfer-in { null; }; category notify { null; }; category lame-servers { null; }; category zoneload { null; };
  category general { null; }; category database { null; };
};
END
  awk -v primary="$PRIMARY_IP port $PRIMARY_PORT" \
    '{ print "zone \"" $1 "\" { type secondary; file \"zones/" $1 "\"; primaries { " primary "; }; };" }' "$ZONES"
}

case $1 in
version) named -v | sed 's/-Debian.*//' ;;
setup)
  mkdir -p "$DIR/zones"
  configuration >"$DIR/named.conf"
  ;;
command) printf '%s\n' named -g ${WORKERS:+-n "$WORKERS"} -c "$DIR/named.conf" ;;
fetch | flush) ;;
data) echo "$DIR/zones" ;;
esac
