#!/bin/bash
# PowerDNS with LMDB. Zones are added through the API of a server that runs for that alone; `fetch` tells it to fetch them at
# once, which it would do within the minute. Changes come to it as whole zones: with its IXFR (4.7) changed records get lost.
set -eu

configuration() {
  cat <<END
local-address=$LISTEN_IP
local-port=$LISTEN_PORT
socket-dir=$DIR
daemon=no
guardian=no
disable-syslog=yes
log-timestamp=no
loglevel=4
allow-notify-from=127.0.0.0/8
security-poll-suffix=
launch=lmdb
lmdb-filename=$DIR/data/pdns.lmdb
END
  if [ -n "$WORKERS" ]; then
    printf 'receiver-threads=%s\ndistributor-threads=%s\n' "$WORKERS" "$WORKERS"
  else
    echo retrieval-threads=4
  fi
}

provision() {
  local port=$((LISTEN_PORT + 3000))
  { configuration; cat <<END; } >"$DIR/pdns-provision.conf"
secondary=no
lmdb-sync-mode=nosync
api=yes
api-key=bench
webserver=yes
webserver-address=127.0.0.1
webserver-port=$port
END
  pdns_server --config-dir="$DIR" --config-name=provision >"$DIR/provision.log" 2>&1 &
  local server=$!
  python3 "$(dirname "$0")/powerdns_zones.py" "$port" "$PRIMARY_IP:$PRIMARY_PORT" "$ZONES"
  kill "$server"
  wait "$server" || :
}

case $1 in
version) pdns_server --version 2>&1 | grep -m1 -o 'PowerDNS Authoritative Server [0-9.]*' ;;
setup)
  mkdir -p "$DIR/data"
  { configuration; echo secondary=yes; } >"$DIR/pdns.conf"
  provision
  ;;
command) printf '%s\n' pdns_server --config-dir="$DIR" ;;
fetch)
  for _ in $(seq 500); do
    [ -S "$DIR/pdns.controlsocket" ] && break
    sleep .01
  done
  # Of many zones it finds out by itself that they are not here yet.
  head -10 "$ZONES" | while read -r zone; do pdns_control --config-dir="$DIR" retrieve "$zone"; done
  ;;
flush) ;;
data) echo "$DIR/data" ;;
esac
