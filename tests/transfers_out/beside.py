"""Asks for two zones and for an SOA record on one connection, all at once, and reads only then.

Usage: beside.py PORT AUTHORITY SIGNED_ZONE UNSIGNED_ZONE ALGORITHM KEY SECRET. AUTHORITY is "-" for TCP without TLS. Prints
the order in which the messages came: "1" the zone whose request was signed, "2" the other, "3" the SOA; and of both zones
how many records there are. What is not signed as it should be, or is no whole zone, is an error.
"""

import socket
import ssl
import struct
import sys

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring

port, authority, signed_zone, unsigned_zone, algorithm, key, secret = sys.argv[1:]
# It holds little of what is not read.
stream = socket.socket()
stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
stream.settimeout(20)
stream.connect(("127.0.0.1", int(port)))
if authority != "-":
    stream = ssl.create_default_context(cafile=authority).wrap_socket(stream, server_hostname="dns.example")

signed = dns.message.make_query(signed_zone, "AXFR")
keyring = dns.tsigkeyring.from_text({key: secret})
signed.use_tsig(keyring, algorithm=algorithm)
queries = [signed, dns.message.make_query(unsigned_zone, "AXFR"), dns.message.make_query(signed_zone, "SOA")]
framed = b""
for number, query in enumerate(queries, 1):
    query.id = number
    wire = query.to_wire()
    framed += struct.pack("!H", len(wire)) + wire
stream.sendall(framed)


def read(octets):
    data = b""
    while len(data) < octets:
        more = stream.recv(octets - len(data))
        assert more, "the connection ended before its time"
        data += more
    return data


def read_message():
    wire = read(struct.unpack("!H", read(2))[0])
    if wire[:2] != b"\0\1":
        return dns.message.from_wire(wire, xfr=True)
    message = dns.message.from_wire(
        wire, keyring=keyring, request_mac=signed.mac, xfr=True, tsig_ctx=read_message.context, multi=True
    )
    assert message.had_tsig
    read_message.context = message.tsig_ctx
    return message


read_message.context = None
order, records, soas = "", {1: set(), 2: set()}, {1: 0, 2: 0, 3: 0}
while soas != {1: 2, 2: 2, 3: 1}:
    message = read_message()
    assert message.rcode() == dns.rcode.NOERROR and message.flags & dns.flags.AA, message
    order += str(message.id)
    for rrset in message.answer:
        soas[message.id] += rrset.rdtype == dns.rdatatype.SOA
        if message.id in records:
            records[message.id].update((rrset.name, rrset.rdtype, rdata) for rdata in rrset)
print(order)
print(len(records[1]), len(records[2]))
