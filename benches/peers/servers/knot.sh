#!/bin/bash
# Knot DNS. KNOT_ZONE_FILES=no keeps zones in its journal alone; the default writes zone files after each change.
set -eu
: "${KNOT_ZONE_FILES:=yes}"

configuration() {
  cat <<END
server:
  listen: $LISTEN_IP@$LISTEN_PORT
  rundir: $DIR/run
END
  if [ -n "$WORKERS" ]; then
    printf '  %s-workers: %s\n' udp "$WORKERS" tcp "$WORKERS" background "$WORKERS"
  fi
  cat <<END
log:
  - target: $DIR/knot.log
    any: notice
database:
  storage: $DIR/db
  journal-db-max-size: 20G
  timer-db-max-size: 1G
remote:
  - id: primary
    address: $PRIMARY_IP@$PRIMARY_PORT
acl:
  - id: notify
    address: 127.0.0.0/8
    action: notify
template:
  - id: default
    storage: $DIR/zones
    master: primary
    acl: notify
    semantic-checks: off
END
  if [ "$KNOT_ZONE_FILES" = no ]; then
    echo '    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
    journal-max-usage: 4G'
  fi
  echo "zone:"
  awk '{ print "  - domain: " $1 }' "$ZONES"
}

case $1 in
version) knotd --version | sed 's/.*version /Knot DNS /' ;;
setup)
  mkdir -p "$DIR"/{zones,run,db}
  configuration >"$DIR/knot.conf"
  ;;
command) printf '%s\n' knotd -c "$DIR/knot.conf" ;;
fetch | flush) ;;
data) echo "$DIR/zones $DIR/db" ;;
esac
