"""What is made of figures: medians, ratios of a round, goals, and the sections of the page."""

import tempfile
import unittest
from pathlib import Path

from harness import figures, page, table


class Cells(unittest.TestCase):
    def test_a_cell_has_the_median_and_both_ends(self):
        self.assertEqual(table.cell([3, 1, 2], "{:.0f}"), "2 (1–3)")

    def test_one_figure_stands_alone(self):
        self.assertEqual(table.cell([1.234]), "1.23")

    def test_nothing_measured_is_a_dash(self):
        self.assertEqual(table.cell([None]), "–")

    def test_a_table_has_a_line_for_each_row(self):
        self.assertEqual(table.table(["", "a"], [["x", "1"]]), "|  | a |\n|---|---:|\n| x | 1 |")


class Goals(unittest.TestCase):
    def test_the_median_decides(self):
        self.assertTrue(table.at_least("rate", [.8, .9, 1.0], .9).reached())
        self.assertFalse(table.at_most("time", [.5, .9, 1.0], .6).reached())

    def test_the_unit_stands_once(self):
        self.assertIn("2 (1–3) ms", table.at_most("time", [1, 2, 3], 5, "{:.0f}", " ms").row())

    def test_without_figures_nothing_is_said(self):
        self.assertIsNone(table.at_most("time", [], 1).reached())
        self.assertIn("not measured", table.at_most("time", [], 1).row())


class Ratios(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.measured = figures.Figures(Path(self.folder.name) / "raw.json", say=lambda _: None)

    def tearDown(self):
        self.folder.cleanup()

    def rounds(self, *rounds):
        for number, values in enumerate(rounds, 1):
            self.measured.round = number
            for name, value in values.items():
                self.measured.add("s", name, value)

    def test_each_round_is_compared_with_the_best_of_the_same_round(self):
        self.rounds({"secondo": 1.0, "knot": 2.0, "nsd": 4.0}, {"secondo": 3.0, "knot": 8.0, "nsd": 6.0})
        self.assertEqual(self.measured.ratios("s", "secondo", ["knot", "nsd"], min), [.5, .5])

    def test_a_round_without_others_has_no_ratio(self):
        self.rounds({"secondo": 1.0}, {"secondo": 2.0, "knot": 4.0})
        self.assertEqual(self.measured.ratios("s", "secondo", ["knot"], max), [.5])

    def test_a_round_that_lacks_one_of_two_figures_has_no_quotient(self):
        self.rounds({"secondo": 1.0}, {"secondo": 6.0})
        self.measured.add("other s", "secondo", 2.0)
        self.assertEqual(self.measured.quotients("s", "other s", "secondo"), [3.0])

    def test_the_share_is_the_nearest_rank(self):
        self.assertEqual(figures.share(range(100), .99), 99)
        self.assertEqual(figures.share([7], .99), 7)


class Sections(unittest.TestCase):
    PAGE = "# Title\n\n<!-- measured: udp -->\nold\n<!-- end of udp -->\n\nText that stays.\n"

    def test_a_part_rewrites_its_own_section_alone(self):
        text = page.with_section(self.PAGE, "udp", "new \\1 figures")
        self.assertIn("<!-- measured: udp -->\nnew \\1 figures\n<!-- end of udp -->", text)
        self.assertNotIn("old", text)
        self.assertIn("Text that stays.", text)

    def test_a_part_that_the_page_has_no_section_for_is_added(self):
        text = page.with_section(self.PAGE, "many-10", "ten")
        self.assertTrue(text.endswith("<!-- measured: many-10 -->\nten\n<!-- end of many-10 -->\n"))
        self.assertIn("old", text)


if __name__ == "__main__":
    unittest.main()
