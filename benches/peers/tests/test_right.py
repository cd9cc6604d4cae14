"""Which differences between two servers' answers count."""

import unittest

from harness import right, wire

APEX_NS = wire.Record("example.test.", 2, 3600, b"\3ns1\7example\4test\0")
ADDRESS = wire.Record("www.example.test.", 1, 3600, bytes([10, 0, 0, 1]))
OTHER_ADDRESS = wire.Record("www.example.test.", 1, 3600, bytes([10, 0, 0, 2]))
CUT = wire.Record("sub.example.test.", 2, 3600, b"\3ns1\3sub\7example\4test\0")
DS = wire.Record("sub.example.test.", 43, 3600, b"\0\1\15\2" + bytes(32))
DS_SIGNATURE = wire.Record("sub.example.test.", 46, 3600, b"\0\x2b" + bytes(20))


def message(answer=(), authority=(), rcode=0, authoritative=True):
    return wire.Message(rcode, authoritative, False, list(answer), list(authority))


class WhatCounts(unittest.TestCase):
    def same(self, one, other):
        self.assertIsNone(right.difference(one, other))
        self.assertIsNone(right.difference(other, one))

    def different(self, one, other, where):
        self.assertIn(where, right.difference(one, other))
        self.assertIn(where, right.difference(other, one))

    def test_the_order_of_records_does_not_count(self):
        self.same(message([ADDRESS, OTHER_ADDRESS]), message([OTHER_ADDRESS, ADDRESS]))

    def test_name_servers_beside_an_answer_do_not_count(self):
        self.same(message([ADDRESS]), message([ADDRESS], [APEX_NS]))

    def test_name_servers_of_a_referral_count(self):
        self.different(message(authority=[CUT], authoritative=False), message(authoritative=False), "authority")

    def test_a_ds_without_its_signature_does_not_count_in_a_referral(self):
        self.same(message(authority=[CUT], authoritative=False), message(authority=[CUT, DS], authoritative=False))

    def test_a_signed_ds_counts(self):
        self.different(message(authority=[CUT, DS, DS_SIGNATURE], authoritative=False),
                       message(authority=[CUT], authoritative=False), "authority")

    def test_another_address_counts(self):
        self.different(message([ADDRESS]), message([OTHER_ADDRESS]), "answer")

    def test_a_missing_record_counts(self):
        self.different(message([ADDRESS, OTHER_ADDRESS]), message([ADDRESS]), "answer")

    def test_another_ttl_counts(self):
        self.different(message([ADDRESS]), message([ADDRESS._replace(ttl=60)]), "answer")

    def test_the_rcode_counts(self):
        self.different(message(rcode=3), message(), "rcode")

    def test_aa_counts(self):
        self.different(message([ADDRESS]), message([ADDRESS], authoritative=False), "AA")


class Messages(unittest.TestCase):
    def test_names_are_read_without_compression_and_in_lower_case(self):
        # A question for WWW.example.test, whose answer is an alias: both names point back to the question.
        header = bytes.fromhex("0001 8400 0001 0001 0000 0000")
        question = b"\3WWW\7Example\4test\0" + bytes.fromhex("0001 0001")
        alias = bytes.fromhex("c00c 0005 0001 00000e10 0004") + b"\1A\xc0\x10"
        read = wire.read_message(header + question + alias)
        self.assertEqual(read.answer, [wire.Record("www.example.test.", 5, 3600, b"\1a\7example\4test\0")])
        self.assertTrue(read.authoritative)

    def test_a_message_that_ends_too_early_is_none(self):
        with self.assertRaises(ValueError):
            wire.read_message(bytes.fromhex("0001 8400 0001 0001 0000 0000") + b"\3www")

    def test_a_name_that_leads_round_in_a_circle_is_none(self):
        header = bytes.fromhex("0001 8400 0000 0001 0000 0000")
        with self.assertRaises(ValueError):
            wire.read_message(header + bytes.fromhex("c00c 0001 0001 00000000 0000"))


if __name__ == "__main__":
    unittest.main()
