"""Reads a whole transfer and keeps or drops it: what the primary alone costs, and what `harness/replay.py` replays."""

import socket
import struct
import time

from harness import wire

SOA = struct.pack(">HH", 6, 1)
SOA_TAIL = 20
QUIET_SECONDS = 120


def transfer(address, zone, keep=None):
    """AXFR of `zone`; (seconds, octets). `keep` is a file for the octets of the TCP stream."""
    query = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + wire.name_octets(zone) + struct.pack(">HH", 252, 1)
    with socket.create_connection(address, QUIET_SECONDS) as connection:
        stream = connection.makefile("rb", 1 << 20)
        begun = time.monotonic()
        connection.sendall(struct.pack(">H", len(query)) + query)
        octets = 0
        for message in _messages(stream, zone):
            octets += 2 + len(message)
            if keep:
                keep.write(struct.pack(">H", len(message)) + message)
        return time.monotonic() - begun, octets


def _messages(stream, zone):
    """All messages, up to the one that ends with the SOA that the first began with."""
    tail = None
    while True:
        message = stream.read(struct.unpack(">H", stream.read(2))[0])
        if message[3] & 15:
            raise ValueError(f"AXFR of {zone}: rcode {message[3] & 15}")
        yield message
        if tail is None:
            tail = _soa_tail(message, zone)
            if message.count(tail) == 1:
                continue
        if message.endswith(tail):
            return


def _soa_tail(message, zone):
    """Serial and timers of the SOA that the first message begins with."""
    at = message.find(SOA, 12 + len(wire.name_octets(zone)) + 4)
    length, = struct.unpack(">H", message[at + 8:at + 10])
    return message[at + 10 + length - SOA_TAIL:at + 10 + length]
