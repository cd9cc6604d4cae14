"""Asks over QUIC, with dnspython and aioquic: a query, many on one connection, a NOTIFY, a transfer.

Usage: ask.py PORT AUTHORITY ZONE SERIAL. Prints one line for each thing that was done, and ends with an error otherwise.
"""

import sys

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.quic
import dns.rcode
import dns.rrset
import dns.xfr
import dns.zone

port, authority, zone_name, serial = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
PATIENCE = 20


def query(name, rdtype):
    message = dns.message.make_query(name, rdtype, use_edns=0)
    message.id = 0
    return message


reply = dns.query.quic(
    query(zone_name, "SOA"), "127.0.0.1", PATIENCE, port, verify=authority, hostname="dns.example"
)
assert reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AA, reply
print("answered with serial", reply.answer[0][0].serial)

with dns.quic.SyncQuicManager(verify_mode=authority, server_name="dns.example") as manager:
    connection = manager.connect("127.0.0.1", port)

    # More streams than the server allows at one time; the last is read first.
    streams = []
    for number in range(200):
        stream = connection.make_stream(PATIENCE)
        stream.send(query(f"none{number}.{zone_name}", "A").to_wire(), True)
        streams.append((number, stream))
    for number, stream in reversed(streams):
        reply = dns.message.from_wire(stream.receive(PATIENCE))
        assert reply.rcode() == dns.rcode.NXDOMAIN, reply
        assert reply.question[0].name.labels[0] == f"none{number}".encode(), reply
        stream.close()
    print("answered", len(streams))

    notify = dns.message.make_query(zone_name, "SOA")
    notify.id = 0
    notify.flags = dns.opcode.to_flags(dns.opcode.NOTIFY) | dns.flags.AA
    soa = f"ns.{zone_name}. hostmaster.{zone_name}. {serial} 1 1 1 1"
    notify.answer.append(dns.rrset.from_text(zone_name + ".", 0, "IN", "SOA", soa))
    with connection.make_stream(PATIENCE) as stream:
        stream.send(notify.to_wire(), True)
        reply = dns.message.from_wire(stream.receive(PATIENCE))
    print("notified", dns.rcode.to_text(reply.rcode()))

    zone = dns.zone.Zone(zone_name, relativize=False)
    asked, from_serial = dns.xfr.make_query(zone)
    asked.id = 0
    messages = 0
    with connection.make_stream(PATIENCE) as stream:
        stream.send(asked.to_wire(), True)
        with dns.xfr.Inbound(zone, asked.question[0].rdtype, from_serial) as inbound:
            done = False
            while not done:
                reply = dns.message.from_wire(stream.receive(PATIENCE), xfr=True, one_rr_per_rrset=True)
                done = inbound.process_message(reply)
                messages += 1
    assert messages > 1
    print("transferred", sum(len(rdataset) for _, rdataset in zone.iterate_rdatasets()))
