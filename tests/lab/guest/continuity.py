#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prove from a collector's log that the guest went on across its migrations.

Proven means: heartbeats without a missing number from the first to the last; one boot id; the
guest's time only grows; no bad page and no bad word in the VF's state; the counter kept in the VF
grew by one with each beat; and the beats moved to a new connection exactly as often as the guest
was migrated, with beats enough on every connection and memory verified on the last one. The gap
between the last beat of one connection and the first of the next is the downtime that the guest's
users see; it includes up to one heartbeat interval.

Exit status: 0 proven, 1 not proven (every reason is printed), 2 the log cannot be read or the call
was wrong.
"""
import argparse
import json
import re
import statistics
import sys
from dataclasses import dataclass

LOG_LINE = re.compile(r"(\d+\.\d+) c(\d+) (.*)")
GUEST_LINE = re.compile(r"(HB|READY|SET|VERIFIED|PANIC|OFF)\b")
HEARTBEAT = re.compile(r"HB (\d+) boot=([0-9a-f]{8}) t=(\d+) dirty=(\d+) bad=(\d+) "
                       r"vf=(\S+) vfcount=(\d+) badvf=(\d+)")
VERIFIED = re.compile(r"VERIFIED pages=(\d+) bad=(\d+) badvf=(\d+)")
PARTIAL = "<partial> "
NO_VF = ("none", "unreachable")


@dataclass
class Beat:
    at_ms: float
    connection: int
    number: int
    boot: str
    guest_us: int
    dirty: int
    bad: int
    vf: str
    vf_count: int
    bad_vf: int


@dataclass
class Verified:
    connection: int
    pages: int
    bad: int
    bad_vf: int


class Log:
    def __init__(self, lines):
        self.beats = []
        self.verified = []
        self.problems = []
        self.boots = 0
        for at_ms, connection, text in joined(lines):
            self.add(at_ms, connection, text)

    def add(self, at_ms, connection, text):
        if text.startswith("HB "):
            match = HEARTBEAT.fullmatch(text)
            if match:
                number, boot, guest_us, dirty, bad, vf, vf_count, bad_vf = match.groups()
                self.beats.append(Beat(at_ms, connection, int(number), boot, int(guest_us),
                                       int(dirty), int(bad), vf, int(vf_count), int(bad_vf)))
            else:
                self.problems.append(f"c{connection}: unreadable heartbeat: {text}")
        elif text.startswith("VERIFIED "):
            match = VERIFIED.fullmatch(text)
            if match:
                self.verified.append(Verified(connection, *map(int, match.groups())))
            else:
                self.problems.append(f"c{connection}: unreadable line: {text}")
        elif text.startswith("READY "):
            self.boots += 1
        elif text.startswith("PANIC"):
            self.problems.append(f"c{connection}: the guest crashed: {text}")


def joined(lines):
    """The guest's lines with their halves put together; the second half tells when and where."""
    partials = {}
    for line in lines:
        match = LOG_LINE.fullmatch(line.rstrip("\n"))
        if not match:
            continue
        at_ms, connection, text = float(match[1]), int(match[2]), match[3]
        if text.startswith(PARTIAL):
            partials[connection] = partials.get(connection, "") + text[len(PARTIAL):]
            continue
        if text.startswith(("<connected ", "<closed>")):
            continue
        if connection in partials:
            text = partials.pop(connection) + text
        elif not GUEST_LINE.match(text):
            older = [number for number in partials if number < connection]
            if older:
                text = partials.pop(max(older)) + text
        yield at_ms, connection, text


def runs_of(beats):
    """The beats, cut where the connection changes."""
    runs = []
    for beat in beats:
        if not runs or runs[-1][-1].connection != beat.connection:
            runs.append([])
        runs[-1].append(beat)
    return runs


def check_sequence(beats):
    for before, after in zip(beats, beats[1:]):
        if after.number != before.number + 1:
            yield (f"heartbeat {before.number} (c{before.connection}) is followed by "
                   f"{after.number} (c{after.connection})")
        if after.guest_us <= before.guest_us:
            yield (f"the guest's time went back from {before.guest_us} to {after.guest_us} us "
                   f"at heartbeat {after.number}")
    boots = list(dict.fromkeys(beat.boot for beat in beats))
    if len(boots) > 1:
        yield f"the guest was booted anew: boot ids {', '.join(boots)}"


def check_memory(log, last_run):
    worst = max(log.beats, key=lambda beat: beat.bad)
    if worst.bad:
        first = next(beat for beat in log.beats if beat.bad)
        yield (f"{worst.bad} bad memory pages, the first seen at heartbeat {first.number} "
               f"(c{first.connection})")
    for check in log.verified:
        if check.bad:
            yield (f"{check.bad} bad memory pages of {check.pages} verified at request "
                   f"(c{check.connection})")
    if not pages_verified(log, last_run):
        yield f"no memory was verified on the last connection, c{last_run[0].connection}"


def check_vf(log, required):
    beats = log.beats
    places = list(dict.fromkeys(beat.vf for beat in beats))
    if len(places) > 1:
        yield f"the VF changed its place in the guest: {', '.join(places)}"
    if required and any(place in NO_VF for place in places):
        missing = next(beat for beat in beats if beat.vf in NO_VF)
        yield (f"the guest does not use a VF: vf={missing.vf} at heartbeat {missing.number} "
               f"(c{missing.connection})")
    worst = max(beats, key=lambda beat: beat.bad_vf)
    if worst.bad_vf:
        first = next(beat for beat in beats if beat.bad_vf)
        yield (f"{worst.bad_vf} bad words in the VF's state, the first seen at heartbeat "
               f"{first.number} (c{first.connection})")
    for check in log.verified:
        if check.bad_vf:
            yield (f"{check.bad_vf} bad words in the VF's state, verified at request "
                   f"(c{check.connection})")
    for before, after in zip(beats, beats[1:]):
        if after.vf in NO_VF or before.vf in NO_VF:
            continue
        if after.vf_count <= before.vf_count:
            yield (f"the VF's counter went back from {before.vf_count} to {after.vf_count} "
                   f"at heartbeat {after.number}")
        elif after.vf_count - before.vf_count != after.number - before.number:
            yield (f"the VF's counter jumped from {before.vf_count} to {after.vf_count} "
                   f"at heartbeat {after.number}")


def check_moves(runs, migrations, min_beats):
    path = " -> ".join(f"c{run[0].connection}" for run in runs)
    if len(runs) - 1 < migrations:
        yield (f"no beat from the destination: {migrations} migration(s) expected, "
               f"beats came from {path}")
    elif len(runs) - 1 > migrations:
        yield f"beats moved more often than the {migrations} migration(s) expected: {path}"
    for run in runs:
        if len(run) < min_beats:
            yield (f"only {len(run)} beat(s) from c{run[0].connection} at heartbeat "
                   f"{run[0].number}, {min_beats} needed")


def pages_verified(log, run):
    at_request = [check.pages for check in log.verified if check.connection == run[0].connection]
    return max([run[-1].dirty - run[0].dirty] + at_request)


def assess(lines, migrations=1, min_beats=5, vf_required=True, whole_memory=False):
    """The result as a plain dictionary; `proven` is true when `problems` is empty."""
    log = Log(lines)
    beats, problems = log.beats, log.problems
    if not beats:
        return {"proven": False, "beats": 0, "problems": problems + ["no heartbeat in the log"]}
    runs = runs_of(beats)
    if log.boots > 1:
        problems.append(f"the guest said READY {log.boots} times")
    problems += check_sequence(beats)
    problems += check_memory(log, runs[-1])
    problems += check_vf(log, vf_required)
    problems += check_moves(runs, migrations, min_beats)
    last = beats[-1].connection
    if whole_memory and not any(check.connection == last for check in log.verified):
        problems.append(f"the whole memory was not verified on the last connection, c{last}")

    moves = [{"from": old[-1].connection, "to": new[0].connection, "beat": new[0].number,
              "gap_ms": round(new[0].at_ms - old[-1].at_ms, 1),
              "guest_gap_ms": round((new[0].guest_us - old[-1].guest_us) / 1000, 1)}
             for old, new in zip(runs, runs[1:])]
    inner_gaps = [after.at_ms - before.at_ms for run in runs for before, after in zip(run, run[1:])]
    return {
        "proven": not problems,
        "problems": problems,
        "beats": len(beats),
        "first_beat": beats[0].number,
        "last_beat": beats[-1].number,
        "boot_ids": sorted({beat.boot for beat in beats}),
        "vf": beats[-1].vf,
        "vf_counter": beats[-1].vf_count,
        "bad_pages": max([beat.bad for beat in beats] + [check.bad for check in log.verified]),
        "bad_vf_words": max([beat.bad_vf for beat in beats]
                            + [check.bad_vf for check in log.verified]),
        "pages_verified_at_end": pages_verified(log, runs[-1]),
        "beats_by_run": [{"connection": run[0].connection, "beats": len(run)} for run in runs],
        "moves": moves,
        "downtime_ms": max((move["gap_ms"] for move in moves), default=None),
        "usual_gap_ms": round(statistics.median(inner_gaps), 1) if inner_gaps else None,
        "largest_other_gap_ms": round(max(inner_gaps), 1) if inner_gaps else None,
    }


def print_result(result):
    print("continuity proven" if result["proven"] else "continuity NOT proven")
    for problem in result["problems"]:
        print(f"  - {problem}")
    if not result["beats"]:
        return
    runs = ", ".join(f"{run['beats']} from c{run['connection']}" for run in result["beats_by_run"])
    print(f"  heartbeats {result['first_beat']} to {result['last_beat']}: {runs}; "
          f"boot {', '.join(result['boot_ids'])}")
    print(f"  VF {result['vf']}, its counter at {result['vf_counter']}, "
          f"bad words {result['bad_vf_words']}")
    print(f"  memory: {result['pages_verified_at_end']} pages verified on the last connection, "
          f"bad {result['bad_pages']}")
    for move in result["moves"]:
        print(f"  c{move['from']} -> c{move['to']} at heartbeat {move['beat']}: "
              f"{move['gap_ms']} ms without a beat")
    print(f"  other gaps: usual {result['usual_gap_ms']} ms, "
          f"largest {result['largest_other_gap_ms']} ms")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", metavar="LOG", help="written by collector.py")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--migrations", type=int, default=1, metavar="N",
                        help="how often the guest must have moved (1); 0: it must have stayed")
    parser.add_argument("--min-beats", type=int, default=5, metavar="N",
                        help="beats needed on every connection (5: the guest has then checked "
                             "the VF's whole state page)")
    parser.add_argument("--without-vf", action="store_true",
                        help="the guest needs no VF; one that is there is checked")
    parser.add_argument("--whole-memory", action="store_true",
                        help="the guest must have answered `verify` on the last connection")
    arguments = parser.parse_args()
    try:
        with open(arguments.log, encoding="utf-8", errors="replace") as log:
            result = assess(log, arguments.migrations, arguments.min_beats,
                            not arguments.without_vf, arguments.whole_memory)
    except OSError as error:
        print(f"continuity.py: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(result, indent="\t"))
    else:
        print_result(result)
    return 0 if result["proven"] else 1


if __name__ == "__main__":
    sys.exit(main())
