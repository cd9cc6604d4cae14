"""DNS messages as octets: questions to ask, and answers taken apart so far that two of them can be compared.

Only what the measurements need, for answers of servers that we have started ourselves: a message that cannot be read
raises ValueError.
"""

import struct
from typing import NamedTuple

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43, "RRSIG": 46,
         "NSEC": 47, "DNSKEY": 48, "NSEC3": 50, "NSEC3PARAM": 51, "IXFR": 251, "AXFR": 252}
_NAMES_OF_TYPES = {number: name for name, number in TYPES.items()}
OPT = 41
# How many octets stand before the names in the rdata of the types whose names may be compressed, and how many names.
_NAMES_IN_RDATA = {2: (0, 1), 5: (0, 1), 6: (0, 2), 12: (0, 1), 15: (2, 1), 39: (0, 1)}


class Record(NamedTuple):
    """One record; names are in lower case and without compression, in its rdata too."""

    owner: str
    type: int
    ttl: int
    rdata: bytes

    def __str__(self):
        kind = _NAMES_OF_TYPES.get(self.type, f"TYPE{self.type}")
        return f"{self.owner} {self.ttl} {kind} {self.rdata.hex()}"


class Message(NamedTuple):
    """An answer, without the pseudo-record OPT."""

    rcode: int
    authoritative: bool
    truncated: bool
    answer: list
    authority: list


def name_octets(name):
    """A domain name as it stands in messages."""
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(name, kind, identifier, wants_dnssec=False):
    """A question; with EDNS, DO and room for 1,232 octets if DNSSEC is wanted."""
    header = struct.pack(">6H", identifier, 0, 1, 0, 0, 1 if wants_dnssec else 0)
    opt = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0" if wants_dnssec else b""
    return header + name_octets(name) + struct.pack(">HH", TYPES[kind], 1) + opt


def skip_name(octets, at):
    """Where the name that begins at `at` has ended."""
    while octets[at]:
        if octets[at] >= 192:
            return at + 2
        at += octets[at] + 1
    return at + 1


def read_name(octets, at):
    """The name at `at`, in lower case, without compression, as it would stand in a message."""
    labels = []
    for _ in range(128):
        length = octets[at]
        if length >= 192:
            at = (length & 63) << 8 | octets[at + 1]
        elif length:
            labels.append(octets[at:at + length + 1].lower())
            at += length + 1
        else:
            return b"".join(labels) + b"\0"
    raise ValueError("a name leads round in a circle")


def name_text(octets):
    """An uncompressed name for people."""
    labels, at = [], 0
    while octets[at]:
        labels.append(octets[at + 1:at + 1 + octets[at]].decode("latin-1"))
        at += octets[at] + 1
    return ".".join(labels) + "."


def read_message(octets):
    """An answer taken apart. ValueError when it is none."""
    try:
        _, flags, questions, *counts = struct.unpack(">6H", octets[:12])
        at = 12
        for _ in range(questions):
            at = skip_name(octets, at) + 4
        sections = []
        for count in counts[:2]:
            records = []
            for _ in range(count):
                record, at = _read_record(octets, at)
                records.append(record)
            sections.append(records)
    except (IndexError, struct.error) as error:
        raise ValueError(f"a message that ends too early: {error}") from error
    return Message(flags & 15, bool(flags & 0x0400), bool(flags & 0x0200), *sections)


def _read_record(octets, at):
    owner = name_text(read_name(octets, at))
    at = skip_name(octets, at)
    kind, _, ttl, length = struct.unpack(">HHIH", octets[at:at + 10])
    at += 10
    return Record(owner, kind, ttl, _read_rdata(octets, at, kind, length)), at + length


def _read_rdata(octets, at, kind, length):
    end = at + length
    if kind not in _NAMES_IN_RDATA:
        return bytes(octets[at:end])
    before, names = _NAMES_IN_RDATA[kind]
    parts = [bytes(octets[at:at + before])]
    at += before
    for _ in range(names):
        parts.append(read_name(octets, at))
        at = skip_name(octets, at)
    return b"".join(parts) + bytes(octets[at:end])
