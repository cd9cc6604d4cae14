#!/bin/bash
# Knot DNS without zone files.
KNOT_ZONE_FILES=no exec "$(dirname "$0")/knot.sh" "$@"
