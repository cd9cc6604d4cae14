#!/bin/bash
# Secondo. Zones are added by its command line while a server runs: one in a network namespace of its own, where it reaches no
# primary, so that nothing is transferred before the clock runs. SECONDO is the program.
set -eu
serve=("$SECONDO" serve --data "$DIR/data" --dns "$LISTEN_IP:$LISTEN_PORT" --http 127.0.0.1:0)

provision() {
  # The sockets of that server must not be there to be asked in our own namespace; its Unix socket is, as a file.
  SECONDO_LOG=error unshare -n sh -c 'ip link set lo up && exec "$@"' sh "${serve[@]}" >"$DIR/provision.log" 2>&1 &
  local server=$!
  for _ in $(seq 600); do
    [ -S "$DIR/data/api-socket" ] && break
    sleep .05
  done
  awk -v primary="$PRIMARY_IP:$PRIMARY_PORT" '{ print $1, primary }' "$ZONES" \
    | "$SECONDO" zone import --data "$DIR/data" - >"$DIR/import.log" 2>&1 || {
      tail -3 "$DIR/import.log"
      kill "$server"
      exit 1
    }
  # So that "every version is kept" can be seen of a zone that changes a thousand times.
  if [ "$(wc -l <"$ZONES")" -le 10 ]; then
    while read -r zone; do
      "$SECONDO" zone set "$zone" history-versions=10000 --data "$DIR/data" >>"$DIR/import.log" 2>&1
    done <"$ZONES"
  fi
  kill "$server"
  wait "$server" || :
  forget_attempts
}

# That server has put on record that it did not reach the primary, for each zone. It is no part of what is measured.
forget_attempts() {
  python3 - "$DIR/data/inventory.db" <<'END'
import sqlite3
import sys

inventory = sqlite3.connect(sys.argv[1], isolation_level=None)
inventory.execute("DELETE FROM attempts")
inventory.execute("VACUUM")
inventory.execute("PRAGMA wal_checkpoint(TRUNCATE)")
END
}

case $1 in
version) "$SECONDO" --version ;;
setup) provision ;;
command) printf '%s\n' "${serve[@]}" ;;
fetch | flush) ;;
data) echo "$DIR/data" ;;
esac
