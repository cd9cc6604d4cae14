#!/usr/bin/env python3
"""Adds zones to a PowerDNS through its API.  usage: powerdns_zones.py API_PORT PRIMARY ZONES"""

import http.client
import json
import sys
import time
from pathlib import Path

HEADERS = {"X-API-Key": "bench", "Content-Type": "application/json"}
PATH = "/api/v1/servers/localhost/zones"


def connected(port):
    """A connection to the API, as soon as it is there."""
    for _ in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.connect()
            return connection
        except OSError:
            time.sleep(.05)
    sys.exit("PowerDNS: its API does not come up")


def add(connection, zone, primary):
    body = json.dumps({"name": f"{zone}.", "kind": "Slave", "masters": [primary]})
    connection.request("POST", PATH, body, HEADERS)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status not in (201, 409):
        sys.exit(f"PowerDNS: {zone}: {answer.status} {text[:200]!r}")


def main():
    port, primary, zones = sys.argv[1:]
    connection = connected(int(port))
    for zone in Path(zones).read_text().split():
        try:
            add(connection, zone, primary)
        except (http.client.HTTPException, OSError):
            connection = connected(int(port))
            add(connection, zone, primary)


if __name__ == "__main__":
    main()
