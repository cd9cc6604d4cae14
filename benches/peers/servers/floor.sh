#!/bin/bash
# No name server: sends each question back, EXTRA octets longer (tools/floor.c).
set -eu
case $1 in
version) echo "recvmmsg and sendmmsg, 32 datagrams at a time" ;;
command) printf '%s\n' "$TOOLS/floor" "$LISTEN_IP" "$LISTEN_PORT" 32 "${EXTRA:-48}" ;;
setup | fetch | flush | data) ;;
esac
