#!/bin/bash
# NSD without its database file, which makes it slower in everything. Zone files are written once an hour; `flush` does it now.
set -eu

configuration() {
  cat <<END
server:
  ip-address: $LISTEN_IP@$LISTEN_PORT
  server-count: ${WORKERS:-1}
  username: ""
  chroot: ""
  zonesdir: "$DIR"
  database: ""
  pidfile: "$DIR/nsd.pid"
  xfrdfile: "$DIR/xfrd.state"
  zonelistfile: "$DIR/zone.list"
  xfrdir: "$DIR"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: yes
  control-interface: "$DIR/nsd.ctl"
pattern:
  name: "secondary"
  zonefile: "zones/%s.zone"
  request-xfr: $PRIMARY_IP@$PRIMARY_PORT NOKEY
  allow-notify: 127.0.0.0/8 NOKEY
END
  awk '{ print "zone:\n  name: \"" $1 "\"\n  include-pattern: \"secondary\"" }' "$ZONES"
}

case $1 in
version) nsd -v 2>&1 | head -1 ;;
setup)
  mkdir -p "$DIR/zones"
  configuration >"$DIR/nsd.conf"
  ;;
command) printf '%s\n' nsd -d -c "$DIR/nsd.conf" ;;
fetch) ;;
flush) nsd-control -c "$DIR/nsd.conf" write ;;
data) echo "$DIR/zones $DIR/xfrd.state" ;;
esac
