# SPDX-License-Identifier: LGPL-2.1-or-later
"""continuity.py says yes to a whole log, and no to each log with one thing wrong."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import continuity

HERE = os.path.dirname(os.path.abspath(__file__))
BOOT = "0badcafe"


def beat(at_ms, connection, number, boot=BOOT, guest_us=None, dirty=None, bad=0, vf="01:00.0",
         vf_count=None, bad_vf=0):
    guest_us = number * 50000 if guest_us is None else guest_us
    dirty = number * 50 if dirty is None else dirty
    vf_count = number + 1 if vf_count is None else vf_count
    return (f"{at_ms:.1f} c{connection} HB {number} boot={boot} t={guest_us} dirty={dirty} "
            f"bad={bad} vf={vf} vfcount={vf_count} badvf={bad_vf}")


def good_log(moved_at=20, beats=40, downtime_ms=120, **fields):
    """Beats each 50 ms, the connection changes before beat `moved_at`."""
    lines = ["1000.0 c0 <connected tcp:127.0.0.1:40000>",
             f"1000.0 c0 READY boot={BOOT} pages=4096 rate=4 hb=50 khz=2000000 vf=01:00.0 "
             "bar0=0x00000000fea00000"]
    for number in range(beats):
        if number == moved_at:
            lines.append("1900.0 c1 <connected tcp:127.0.0.1:40002>")
        late = downtime_ms - 50 if number >= moved_at else 0
        lines.append(beat(1000 + number * 50 + late, int(number >= moved_at), number, **fields))
    lines.append("9000.0 c0 <closed>")
    return lines


def replaced(lines, number, **fields):
    """The log with beat `number` said differently."""
    result = []
    for line in lines:
        if f" HB {number} " in line:
            at_ms, connection, _ = line.split(" ", 2)
            line = beat(float(at_ms), int(connection[1:]), fields.pop("number", number), **fields)
        result.append(line)
    return result


class Proven(unittest.TestCase):
    def test_whole_log_is_proven_with_its_downtime(self):
        result = continuity.assess(good_log())
        self.assertEqual(result["problems"], [])
        self.assertTrue(result["proven"])
        self.assertEqual(result["downtime_ms"], 120)
        self.assertEqual(result["moves"],
                         [{"from": 0, "to": 1, "beat": 20, "gap_ms": 120.0, "guest_gap_ms": 50.0}])
        self.assertEqual((result["usual_gap_ms"], result["largest_other_gap_ms"]), (50.0, 50.0))
        self.assertEqual(result["pages_verified_at_end"], 19 * 50)

    def test_guest_that_stays_is_proven_when_no_migration_is_expected(self):
        self.assertTrue(continuity.assess(good_log(moved_at=99), migrations=0)["proven"])

    def test_there_and_back_over_new_connections_is_proven(self):
        lines = [line.replace(" c1 ", " c2 ") if " HB 3" in line and " c1 " in line else line
                 for line in good_log()]
        result = continuity.assess(lines, migrations=2)
        self.assertEqual(result["problems"], [])
        self.assertEqual([move["to"] for move in result["moves"]], [1, 2])

    def test_guest_without_vf_is_proven_only_when_none_is_required(self):
        lines = good_log(vf="none", vf_count=0)
        self.assertTrue(continuity.assess(lines, vf_required=False)["proven"])
        self.assertIn("does not use a VF", continuity.assess(lines)["problems"][0])

    def test_a_log_may_begin_in_the_middle_of_the_guests_life(self):
        self.assertTrue(continuity.assess(good_log()[10:])["proven"])

    def test_line_cut_by_the_migration_is_joined(self):
        for cut in (1, 3, 5, 30, -1, None):
            with self.subTest(cut=cut):
                lines = good_log()
                at = next(i for i, line in enumerate(lines) if " HB 20 " in line)
                stamp, connection, text = lines[at].split(" ", 2)
                head = text[:cut]
                tail = text[len(head):]
                lines[at:at + 1] = [f"1949.0 c0 <partial> {head}", f"{stamp} {connection} {tail}"]
                result = continuity.assess(lines)
                self.assertEqual(result["problems"], [])
                self.assertEqual((result["beats"], result["downtime_ms"]), (40, 120))

    def test_whole_memory_needs_the_answer_of_the_last_connection(self):
        for connection, bad, bad_vf, proven in ((0, 0, 0, False), (1, 0, 0, True),
                                                (1, 2, 0, False), (1, 0, 1, False)):
            with self.subTest(connection=connection, bad=bad, bad_vf=bad_vf):
                answer = f"9000.0 c{connection} VERIFIED pages=4096 bad={bad} badvf={bad_vf}"
                result = continuity.assess(good_log() + [answer], whole_memory=True)
                self.assertEqual(result["proven"], proven)
        self.assertFalse(continuity.assess(good_log(), whole_memory=True)["proven"])


class NotProven(unittest.TestCase):
    def assert_refused(self, lines, reason, **options):
        result = continuity.assess(lines, **options)
        self.assertFalse(result["proven"])
        self.assertEqual([problem for problem in result["problems"] if reason not in problem], [])
        self.assertTrue(result["problems"])

    def test_empty_log(self):
        self.assert_refused([], "no heartbeat")

    def test_missing_number(self):
        lines = [line for line in good_log(vf="none", vf_count=0) if " HB 25 " not in line]
        self.assert_refused(lines, "heartbeat 24 (c1) is followed by 26 (c1)", vf_required=False)

    def test_number_missing_at_the_move(self):
        lines = [line for line in good_log() if " HB 20 " not in line]
        self.assert_refused(lines, "heartbeat 19 (c0) is followed by 21 (c1)")

    def test_repeated_number(self):
        lines = good_log(vf="none", vf_count=0)
        lines.insert(10, lines[9])
        result = continuity.assess(lines, vf_required=False)
        self.assertIn("heartbeat 7 (c0) is followed by 7 (c0)", result["problems"])

    def test_two_boot_ids(self):
        lines = [line.replace(BOOT, "12345678") if " c1 " in line else line for line in good_log()]
        self.assert_refused(lines, "boot ids 0badcafe, 12345678")

    def test_second_ready(self):
        lines = good_log()
        lines.insert(30, lines[1])
        self.assert_refused(lines, "READY 2 times")

    def test_no_beat_from_the_destination(self):
        self.assert_refused(good_log(moved_at=99), "no beat from the destination")

    def test_destination_connected_but_silent(self):
        lines = good_log(moved_at=99) + ["9000.0 c1 <connected tcp:127.0.0.1:40002>",
                                         "9001.0 c1 <closed>"]
        self.assert_refused(lines, "no beat from the destination")

    def test_too_few_beats_from_the_destination(self):
        self.assert_refused(good_log(moved_at=38), "only 2 beat(s) from c1")

    def test_moved_though_it_should_stay(self):
        self.assert_refused(good_log(), "moved more often than the 0", migrations=0)

    def test_source_speaks_again(self):
        lines = [line.replace(" c1 ", " c0 ") if " HB 3" in line else line for line in good_log()]
        self.assert_refused(lines, "moved more often than the 1")

    def test_bad_memory(self):
        self.assert_refused(replaced(good_log(), 39, bad=3),
                            "3 bad memory pages, the first seen at heartbeat 39 (c1)")

    def test_memory_not_verified_after_the_move(self):
        self.assert_refused(good_log(dirty=700),
                            "no memory was verified on the last connection, c1")

    def test_bad_words_in_the_vf(self):
        self.assert_refused(replaced(good_log(), 39, bad_vf=1022),
                            "1022 bad words in the VF's state")

    def test_vf_counter_going_back(self):
        lines = good_log()
        for number in range(20, 40):
            lines = replaced(lines, number, vf_count=number - 10)
        self.assert_refused(lines, "counter went back from 20 to 10 at heartbeat 20")

    def test_vf_counter_standing_still(self):
        self.assert_refused(replaced(good_log(), 39, vf_count=39),
                            "counter went back from 39 to 39")

    def test_vf_counter_jumping(self):
        self.assert_refused(replaced(good_log(), 39, vf_count=41), "counter jumped from 39 to 41")

    def test_vf_lost_at_the_move(self):
        lines = [line.replace("vf=01:00.0", "vf=none") if " c1 " in line else line
                 for line in good_log()]
        result = continuity.assess(lines)
        self.assertFalse(result["proven"])
        self.assertIn("the guest does not use a VF: vf=none at heartbeat 20 (c1)",
                      result["problems"])

    def test_guest_time_going_back(self):
        self.assert_refused(replaced(good_log(), 39, guest_us=5),
                            "time went back from 1900000 to 5 us")

    def test_panic(self):
        self.assert_refused(good_log() + ["9000.0 c1 PANIC exception=13"],
                            "crashed: PANIC exception=13")

    def test_heartbeat_that_cannot_be_read(self):
        self.assert_refused(good_log() + ["9000.0 c1 HB 40 boot=0badcafe t="],
                            "unreadable heartbeat")

    def test_tail_without_its_head_does_not_become_a_beat(self):
        lines = good_log()
        at = next(i for i, line in enumerate(lines) if " HB 20 " in line)
        stamp, connection, text = lines[at].split(" ", 2)
        lines[at] = f"{stamp} {connection} {text[30:]}"
        self.assert_refused(lines, "heartbeat 19 (c0) is followed by 21 (c1)")


class CommandLine(unittest.TestCase):
    def run_on(self, lines, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
            log.write("\n".join(lines) + "\n")
            log.flush()
            return self.run_continuity(log.name, *options)

    @staticmethod
    def run_continuity(*arguments):
        return subprocess.run([sys.executable, os.path.join(HERE, "continuity.py"), *arguments],
                              capture_output=True, text=True, timeout=60, check=False)

    def test_exit_status_and_json(self):
        good = self.run_on(good_log(), "--json")
        self.assertEqual((good.returncode, json.loads(good.stdout)["proven"]), (0, True))
        bad = self.run_on(good_log(moved_at=99), "--json")
        self.assertEqual((bad.returncode, json.loads(bad.stdout)["proven"]), (1, False))

    def test_text_says_what_is_missing(self):
        result = self.run_on(good_log(moved_at=99))
        self.assertEqual(result.returncode, 1)
        self.assertIn("NOT proven", result.stdout)
        self.assertIn("no beat from the destination", result.stdout)

    def test_missing_log_is_not_a_verdict(self):
        self.assertEqual(self.run_continuity("/nonexistent/log").returncode, 2)


if __name__ == "__main__":
    unittest.main()
