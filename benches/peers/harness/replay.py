#!/usr/bin/env python3
"""A primary made of captured transfers: it costs next to nothing, so that what is measured is the secondary.

usage: replay.py IP PORT SECONDARY_IP SECONDARY_PORT ZONE=CAPTURE…

One name of each zone changes: the A record of probe.ZONE. Each change is one serial and one step of IXFR; all steps since
the start are kept. It answers SOA, that A record, AXFR and IXFR (over TCP), and nothing else; one thread, no waiting for
anybody. Zones are those of `harness/zones.py`: a mname `ns1`, a rname `hostmaster`, and probe's first address 10.9.9.9.

Commands are lines on standard input, each answered by one line:

    close ZONE               from now on REFUSED                  -> "closed"
    open ZONE                answered again, and NOTIFY           -> "SERIAL NANOSECONDS"
    notify ZONE              NOTIFY alone                         -> "SERIAL NANOSECONDS"
    set ZONE A.B.C.D         one change, then NOTIFY              -> "SERIAL NANOSECONDS"
    burst ZONE N GAP_US      N changes, NOTIFY after each         -> "SERIAL NANOSECONDS_FIRST NANOSECONDS_LAST"
    counts                   what was asked since the start       -> "axfr N ixfr N soa N"

Nanoseconds are CLOCK_MONOTONIC's when the NOTIFY left.
"""

import selectors
import socket
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from harness import wire  # noqa: E402

SOA, A, IXFR, AXFR = 6, 1, 251, 252
REFUSED = 5
FIRST_ADDRESS = socket.inet_aton("10.9.9.9")
MESSAGE_OCTETS = 16_000
SOA_TAIL = 20


def record(owner, kind, ttl, rdata):
    """A record's octets, without compression."""
    return owner + struct.pack(">HH", kind, 1) + ttl + struct.pack(">H", len(rdata)) + rdata


def message(query, question, records, rcode=0):
    """An answer to `query`; with AA unless it is refused."""
    flags = 0x8000 | (query[2] & 1) << 8 | (0x0400 if rcode == 0 else 0) | rcode
    return query[:2] + struct.pack(">5H", flags, 1, len(records), 0, 0) + question + b"".join(records)


class Zone:
    """A captured zone and its changes."""

    def __init__(self, name, capture):
        self.origin = wire.name_octets(name)
        self.probe = wire.name_octets(f"probe.{name}")
        self.octets = bytearray(Path(capture).read_bytes())
        self.starts = self._message_starts()
        self._find_soas(name)
        self.address_at = self.octets.find(FIRST_ADDRESS)
        self.probe_ttl = bytes(self.octets[self.address_at - 6:self.address_at - 2])
        self.addresses = [FIRST_ADDRESS]
        self.is_open = True

    def _message_starts(self):
        starts, at = [], 0
        while at < len(self.octets):
            starts.append(at + 2)
            at += 2 + struct.unpack(">H", self.octets[at:at + 2])[0]
        return starts

    def _find_soas(self, name):
        """Where the serials stand of the SOAs at both ends, and what is around them."""
        at = wire.skip_name(self.octets, self.starts[0] + 12) + 4
        at = wire.skip_name(self.octets, at)
        length = struct.unpack(">H", self.octets[at + 8:at + 10])[0]
        first = at + 10 + length - SOA_TAIL
        self.serials_at = (first, len(self.octets) - SOA_TAIL)
        if self.octets[first:first + SOA_TAIL] != self.octets[-SOA_TAIL:]:
            sys.exit(f"the capture of {name} does not end with the SOA that it begins with")
        self.soa_ttl = bytes(self.octets[at + 4:at + 8])
        self.soa_names = wire.name_octets(f"ns1.{name}") + wire.name_octets(f"hostmaster.{name}")
        self.base, = struct.unpack(">I", self.octets[first:first + 4])
        self.timers = bytes(self.octets[first + 4:first + SOA_TAIL])

    @property
    def serial(self):
        return self.base + len(self.addresses) - 1

    def change(self, address):
        self.addresses.append(address)

    def soa(self, serial):
        return record(self.origin, SOA, self.soa_ttl, self.soa_names + struct.pack(">I", serial) + self.timers)

    def probe_record(self, step):
        return record(self.probe, A, self.probe_ttl, self.addresses[step])

    def whole(self, query):
        """The whole zone as it is now, as octets on the TCP stream."""
        octets = bytearray(self.octets)
        for start in self.starts:
            octets[start:start + 2] = query[:2]
        for at in self.serials_at:
            octets[at:at + 4] = struct.pack(">I", self.serial)
        octets[self.address_at:self.address_at + 4] = self.addresses[-1]
        return octets

    def steps(self, query, question, since):
        """What has changed since that serial, as octets on the TCP stream."""
        records = [self.soa(self.serial)]
        for step in range(since - self.base, self.serial - self.base):
            records += [self.soa(self.base + step), self.probe_record(step),
                        self.soa(self.base + step + 1), self.probe_record(step + 1)]
        records.append(self.soa(self.serial))
        messages, part, size = [], [], 0
        for one in records:
            if size + len(one) > MESSAGE_OCTETS:
                messages.append(message(query, question, part))
                part, size = [], 0
            part.append(one)
            size += len(one)
        messages.append(message(query, question, part))
        return b"".join(struct.pack(">H", len(one)) + one for one in messages)


class Connection:
    """A TCP connection: requests that have come in part, answers that have left in part."""

    def __init__(self, stream):
        self.stream = stream
        self.received = bytearray()
        self.to_send = []

    def requests(self):
        """The whole requests that have come."""
        while len(self.received) >= 2:
            length = 2 + struct.unpack(">H", self.received[:2])[0]
            if len(self.received) < length:
                return
            yield bytes(self.received[2:length])
            del self.received[:length]

    def flush(self):
        """Sends what the socket takes; whether all is gone."""
        while self.to_send:
            try:
                sent = self.stream.send(self.to_send[0])
            except BlockingIOError:
                return False
            self.to_send[0] = self.to_send[0][sent:]
            if not self.to_send[0]:
                self.to_send.pop(0)
        return True


class Burst:
    """Changes that are still to be made, each at its time."""

    def __init__(self, zone, count, gap_us):
        self.zone = zone
        self.count = count
        self.gap = gap_us / 1e6
        self.made = 0
        self.first = None
        self.due = time.monotonic()


class Primary:
    """Sockets and commands around the zones."""

    def __init__(self, address, secondary, zones):
        self.zones = zones
        self.secondary = secondary
        self.counts = {"axfr": 0, "ixfr": 0, "soa": 0}
        self.burst = None
        self.notified = 0
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(address, backlog=256)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(address)
        self.notifier = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.notifier.bind((address[0], 0))
        for sock, handler in ((self.listener, self.accept), (self.udp, self.datagram), (self.notifier, self.ignore)):
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ, handler)
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.command)

    def serve(self):
        while True:
            wait = None
            if self.burst:
                self.go_on_with_burst()
                wait = max(0, self.burst.due - time.monotonic()) if self.burst else None
            for key, events in self.selector.select(wait):
                key.data(key.fileobj, events)

    def answer(self, query, over_tcp):
        """The answer's octets; over TCP with the lengths that stand before messages."""
        name_end = wire.skip_name(query, 12)
        kind, = struct.unpack(">H", query[name_end:name_end + 2])
        question = query[12:name_end + 4]
        name = query[12:name_end].lower()
        for zone in self.zones.values():
            if name in (zone.origin, zone.probe):
                return self.answer_for(zone, query, question, kind, over_tcp)
        return self.framed(message(query, question, [], REFUSED), over_tcp)

    def answer_for(self, zone, query, question, kind, over_tcp):
        if not zone.is_open:
            return self.framed(message(query, question, [], REFUSED), over_tcp)
        records = []
        if kind == SOA:
            self.counts["soa"] += 1
            records = [zone.soa(zone.serial)]
        elif kind == A:
            records = [zone.probe_record(-1)]
        elif kind == AXFR and over_tcp:
            self.counts["axfr"] += 1
            return zone.whole(query)
        elif kind == IXFR:
            since = self.serial_asked_for(query, question)
            if over_tcp and since < zone.base:
                self.counts["axfr"] += 1
                return zone.whole(query)
            if over_tcp and since < zone.serial:
                self.counts["ixfr"] += 1
                return zone.steps(query, question, since)
            records = [zone.soa(zone.serial)]
        return self.framed(message(query, question, records), over_tcp)

    @staticmethod
    def serial_asked_for(query, question):
        at = wire.skip_name(query, 12 + len(question)) + 10
        at = wire.skip_name(query, wire.skip_name(query, at))
        return struct.unpack(">I", query[at:at + 4])[0]

    @staticmethod
    def framed(octets, over_tcp):
        return struct.pack(">H", len(octets)) + octets if over_tcp else octets

    def datagram(self, sock, _):
        query, sender = sock.recvfrom(4096)
        if len(query) >= 17 and not query[2] & 0x80:
            sock.sendto(self.answer(query, False), sender)

    def ignore(self, sock, _):
        """Answers to our NOTIFYs, and that nobody listens yet."""
        try:
            sock.recv(4096)
        except OSError:
            pass

    def accept(self, sock, _):
        stream, _ = sock.accept()
        stream.setblocking(False)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(stream)
        self.selector.register(stream, selectors.EVENT_READ, lambda _, events: self.talk(connection, events))

    def talk(self, connection, events):
        try:
            if events & selectors.EVENT_READ:
                received = connection.stream.recv(65536)
                if not received:
                    raise ConnectionResetError
                connection.received += received
                for query in connection.requests():
                    connection.to_send.append(memoryview(self.answer(query, True)))
            done = connection.flush()
        except OSError:
            self.selector.unregister(connection.stream)
            connection.stream.close()
            return
        wanted = selectors.EVENT_READ if done else selectors.EVENT_READ | selectors.EVENT_WRITE
        if self.selector.get_key(connection.stream).events != wanted:
            self.selector.modify(connection.stream, wanted, self.selector.get_key(connection.stream).data)

    def notify(self, zone):
        self.notified = self.notified % 65000 + 1
        octets = struct.pack(">6H", self.notified, 0x2400, 1, 0, 0, 0) + zone.origin + struct.pack(">HH", SOA, 1)
        left = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        try:
            self.notifier.sendto(octets, self.secondary)
        except OSError:
            pass  # An earlier one found nobody.
        return left

    def go_on_with_burst(self):
        burst = self.burst
        while burst.made < burst.count and burst.due <= time.monotonic():
            burst.zone.change(bytes([10, 7, burst.made >> 8 & 255, burst.made & 255]))
            last = self.notify(burst.zone)
            burst.first = burst.first or last
            burst.made += 1
            burst.due += burst.gap
            if burst.made == burst.count:
                self.burst = None
                print(burst.zone.serial, burst.first, last, flush=True)
            if not burst.gap:
                return  # Others have a turn after each.

    def command(self, stdin, _):
        line = stdin.readline()
        if not line:
            sys.exit(0)
        word, *rest = line.split()
        if word == "counts":
            print(*(f"{what} {count}" for what, count in self.counts.items()), flush=True)
            return
        zone = self.zones[rest[0]]
        if word == "burst":
            self.burst = Burst(zone, int(rest[1]), int(rest[2]))
            return
        if word == "close":
            zone.is_open = False
            print("closed", flush=True)
            return
        zone.is_open = True
        if word == "set":
            zone.change(socket.inet_aton(rest[1]))
        print(zone.serial, self.notify(zone), flush=True)


def main():
    ip, port, secondary_ip, secondary_port, *pairs = sys.argv[1:]
    zones = {name: Zone(name, capture) for name, capture in (pair.split("=", 1) for pair in pairs)}
    Primary((ip, int(port)), (secondary_ip, int(secondary_port)), zones).serve()


if __name__ == "__main__":
    main()
