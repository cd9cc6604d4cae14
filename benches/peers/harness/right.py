"""Whether a server answers as the primary does: before anything is timed, a sample of the questions is asked.

What must agree: rcode, AA, and the answer and authority sections as sets, TTLs included. What servers may differ in and
does not count: the order of records, the additional section, letters' case of names, the NS records that some add to a
positive answer, and a DS without its signature in a referral. An answer that is truncated over UDP is asked for again over TCP.

What is right is what the primary (Knot) said of the same zone file; `harness/capture.py` has kept it.
"""

import socket
import struct

from harness import wire

NOERROR = 0
TRIES = 5
WAIT_SECONDS = 2.0


def essence(message):
    """What two servers must agree in."""
    answer = frozenset(message.answer)
    authority = frozenset(message.authority)
    if message.rcode == NOERROR and answer:
        # RFC 1034 §4.3.2 lets a server add the zone's name servers; most leave them out ("minimal responses").
        authority = frozenset(record for record in authority if not _is_about_name_servers(record))
    if not any(record.type == wire.TYPES["RRSIG"] for record in authority):
        # PowerDNS adds the DS to a referral for those too who do not want DNSSEC.
        authority = frozenset(record for record in authority if record.type != wire.TYPES["DS"])
    return message.rcode, message.authoritative, answer, authority


def _is_about_name_servers(record):
    """An NS record, or the signature of some."""
    ns, rrsig = wire.TYPES["NS"], wire.TYPES["RRSIG"]
    return record.type == ns or record.type == rrsig and record.rdata[:2] == struct.pack(">H", ns)


def difference(expected, seen):
    """What is different in two messages, for people; None if nothing that counts."""
    names = ("rcode", "AA", "answer", "authority")
    for name, wanted, got in zip(names, essence(expected), essence(seen)):
        if wanted == got:
            continue
        if isinstance(wanted, frozenset):
            missing = [str(record) for record in sorted(wanted - got)]
            beyond = [str(record) for record in sorted(got - wanted)]
            return f"{name}: missing {missing or 'nothing'}, too much {beyond or 'nothing'}"
        return f"{name}: {got} in place of {wanted}"
    return None


class Asker:
    """Asks one server, over UDP and where needed over TCP."""

    def __init__(self, address):
        self.address = address
        self.identifier = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect(address)
        self.udp.settimeout(WAIT_SECONDS)

    def ask(self, name, kind, wants_dnssec):
        """The answer's octets. TimeoutError when there is none."""
        for _ in range(TRIES):
            self.identifier = self.identifier % 65535 + 1
            query = wire.question(name, kind, self.identifier, wants_dnssec)
            try:
                octets = self._exchange(query)
            except (TimeoutError, ConnectionRefusedError):
                continue
            return self._over_tcp(query) if octets[2] & 2 else octets
        raise TimeoutError(f"no answer in {TRIES} tries")

    def _exchange(self, query):
        self.udp.send(query)
        while True:
            octets = self.udp.recv(65535)
            if octets[:2] == query[:2] and octets[2] & 0x80:
                return octets

    def _over_tcp(self, query):
        with socket.create_connection(self.address, WAIT_SECONDS) as connection:
            connection.sendall(struct.pack(">H", len(query)) + query)
            stream = connection.makefile("rb")
            return stream.read(struct.unpack(">H", stream.read(2))[0])

    def close(self):
        self.udp.close()


class Verdict:
    """How many questions were asked, what was wrong, and how long replies were on average."""

    def __init__(self):
        self.asked = 0
        self.wrong = []
        self.octets = {False: 0, True: 0}
        self.more_octets = {False: 0, True: 0}
        self.replies = {False: 0, True: 0}

    def add(self, question, query_octets, reply_octets, what):
        wants_dnssec = question[2]
        self.asked += 1
        self.replies[wants_dnssec] += 1
        self.octets[wants_dnssec] += reply_octets
        self.more_octets[wants_dnssec] += reply_octets - query_octets
        if what:
            name, kind, _ = question
            self.wrong.append(f"{name} {kind}{' (DO)' if wants_dnssec else ''}: {what}")

    def mean_octets(self, wants_dnssec):
        """Of a reply."""
        return self.octets[wants_dnssec] / max(self.replies[wants_dnssec], 1)

    def mean_growth(self, wants_dnssec):
        """How many octets a reply has more than its question."""
        return self.more_octets[wants_dnssec] / max(self.replies[wants_dnssec], 1)

    def __str__(self):
        if not self.wrong:
            return f"{self.asked} answers, all right"
        return f"{len(self.wrong)} of {self.asked} answers are wrong, the first: {self.wrong[0]}"


def judge(address, expected):
    """Asks every question of `expected` ([(name, type, wants DNSSEC, octets of the right answer)])."""
    verdict = Verdict()
    asker = Asker(address)
    try:
        for name, kind, wants_dnssec, right in expected:
            try:
                octets = asker.ask(name, kind, wants_dnssec)
                what = difference(wire.read_message(right), wire.read_message(octets))
            except (OSError, ValueError) as error:
                octets, what = b"", str(error)
            query = wire.question(name, kind, 1, wants_dnssec)
            verdict.add((name, kind, wants_dnssec), len(query), len(octets), what)
            if len(verdict.wrong) > 20:
                break
    finally:
        asker.close()
    return verdict
