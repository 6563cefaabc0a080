"""Tests of bench/report.py."""

import contextlib
import importlib.util
import io
import json
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

sys.dont_write_bytecode = True
PATH = Path(__file__).resolve().parent.parent / "bench" / "report.py"
SPEC = importlib.util.spec_from_file_location("report", PATH)
report = importlib.util.module_from_spec(SPEC)
sys.modules["report"] = report
SPEC.loader.exec_module(report)


def result(name, real, cpu, aggregate=None, unit="ns"):
    entry = {"name": name, "run_name": name, "real_time": real, "cpu_time": cpu, "time_unit": unit}
    entry["run_type"] = "aggregate" if aggregate else "iteration"
    if aggregate:
        entry["name"] = f"{name}_{aggregate}"
        entry["aggregate_name"] = aggregate
    return entry


def silently(function, *arguments):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments)


class Report(unittest.TestCase):
    def test_a_rival_is_compared_with_the_row_of_the_same_name_and_arguments(self):
        table = report.rows(
            {
                "BM_Lock_Free": 10,
                "BM_Lock_Free_std": 20,
                "BM_Lock_Free/2": 100,
                "BM_Lock_Free_std/2": 50,
            }
        )
        self.assertEqual([row.name for row in table], ["Lock_Free", "Lock_Free/2"])
        self.assertEqual([row.ratio("std") for row in table], [2.0, 0.5])

    def test_how_long_was_measured_is_no_part_of_the_situation(self):
        table = report.rows(
            {"BM_A_B/2/min_time:0.5/real_time/threads:2": 1, "BM_A_B_std/2/threads:2": 3}
        )
        self.assertEqual([row.name for row in table], ["A_B/2/threads:2"])
        self.assertEqual([row.ratio("std") for row in table], [3.0])

    def test_rows_stand_in_the_order_of_registration(self):
        first = result("BM_A_B", 0, 1, "median") | {"family_index": 0}
        second = result("BM_C_D", 0, 1, "median") | {"family_index": 1}
        self.assertEqual(list(report.medians([second, first])), ["BM_A_B", "BM_C_D"])

    def test_the_order_of_rivals_and_rows_does_not_matter(self):
        table = report.rows({"BM_Lock_Free_std": 20, "BM_Lock_Free": 10})
        self.assertEqual(table[0].times, {"conc": 10, "std": 20})

    def test_a_rival_without_a_row_of_ours_is_left_out(self):
        self.assertEqual(silently(report.rows, {"BM_Lock_Free_std": 20}), [])

    def test_only_the_median_counts(self):
        times = report.medians(
            [
                result("BM_A_B", 5, 1, "mean"),
                result("BM_A_B", 6, 2, "median"),
                result("BM_A_B", 7, 3, "cv"),
            ]
        )
        self.assertEqual(times, {"BM_A_B": 2})

    def test_without_aggregates_the_median_is_computed(self):
        self.assertEqual(report.medians([result("BM_A_B", 0, t) for t in (9, 1, 2)]), {"BM_A_B": 2})

    def test_real_time_counts_where_it_is_asked_for_and_where_threads_may_sleep(self):
        self.assertEqual(report.clock_of("BM_A_B"), "cpu_time")
        self.assertEqual(report.clock_of("BM_A_B/threads:1"), "cpu_time")
        self.assertEqual(report.clock_of("BM_A_B/real_time"), "real_time")
        self.assertEqual(report.clock_of("BM_A_B/manual_time"), "real_time")
        self.assertEqual(report.clock_of("BM_A_B/threads:2"), "real_time")

    def test_units_are_brought_to_nanoseconds(self):
        self.assertEqual(report.medians([result("BM_A_B", 0, 3, "median", "us")]), {"BM_A_B": 3000})

    def test_a_failed_benchmark_is_left_out(self):
        broken = result("BM_A_B", 0, 3, "median") | {"error_occurred": True}
        self.assertEqual(report.medians([broken]), {})

    def test_noise_is_15_percent_for_one_thread_and_30_for_several(self):
        one = report.Row("A_B", 1, {"conc": 100, "std": 120})
        two = report.Row("A_B/threads:2", 2, {"conc": 100, "std": 120})
        self.assertFalse(one.is_noise("std"))
        self.assertTrue(two.is_noise("std"))

    def test_std_is_the_first_rival(self):
        table = [report.Row("A_B", 1, {"conc": 1, "absl": 1, "tbb": 1, "std": 1})]
        self.assertEqual(report.rivals(table), ["std", "absl", "tbb"])

    def test_a_directory_of_results_becomes_a_table_and_a_chart(self):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            results = [
                result("BM_Lock_Free", 0, 10, "median"),
                result("BM_Lock_Free_std", 0, 25, "median"),
            ]
            text = json.dumps({"context": {"date": "2026-01-02T03:04:05"}, "benchmarks": results})
            (directory / "lock.json").write_text(text, encoding="utf-8")

            self.assertEqual(silently(report.main, [name]), 0)

            table = (directory / "report.md").read_text(encoding="utf-8")
            self.assertIn("| `Lock_Free` | 10 ns | **25 ns (2.50)** |", table)
            self.assertIn("2026-01-02", table)
            chart = (directory / "report.svg").read_text(encoding="utf-8")
            self.assertIn("2.50×", chart)
            xml.etree.ElementTree.fromstring(chart)

    def test_the_chart_shows_what_is_asked_for(self):
        table = [
            report.Row("Lock_Free", 1, {"conc": 10, "std": 25, "tbb": 35}),
            report.Row("Event_Set", 1, {"conc": 10, "std": 45}),
        ]
        chart = report.svg(table, "note", "Lock.* : std")
        self.assertIn("2.50×", chart)
        self.assertNotIn("3.50×", chart)
        self.assertNotIn("4.50×", chart)
        self.assertEqual(report.svg(table, "note").count("×"), 3)

    def test_an_empty_directory_is_an_error(self):
        with tempfile.TemporaryDirectory() as name:
            self.assertEqual(silently(report.main, [name]), 1)


if __name__ == "__main__":
    unittest.main()
