#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Time and downtime of a session, beside `virsh migrate` of the same guest, and what the library costs.

Run it on a machine that does nothing else, with a build that has -Dlab=true:

    meson test -C BUILD --benchmark lab-session --verbose

One guest with a VF goes there and back, by virsh and by mlx5lm-migrate in turn. The clock is the host's own; the
downtime is the longest time without a heartbeat, on the clock of this machine. What a session does before and after
libvirt's part, look at both hosts and verify, costs emulated processors seconds and others milliseconds: the goal is
for libvirt's part, both are printed. Processor time is that of a session from outside, on a processor that is none of
the emulated ones. Exit status 1 if a goal is missed by more than the noise.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import lab
import session
from test_session_move import daemons_from_outside

GOAL_RATIO = 1.02
# Two emulated hosts on two cores: virsh against itself differs by as much.
NOISE = 0.25
MAX_CPU_PERCENT = 1
BANDWIDTH = ('--bandwidth', '32')
PARTS = ('setup', 'pre-copy', 'switchover', 'resume')
VIRSH = '''
    virsh -q dumpxml --migratable {guest} > /tmp/bench.xml
    virsh -q uri > /dev/null
    began=$(date +%s%N)
    virsh -q migrate --live --p2p --persistent --undefinesource --xml /tmp/bench.xml --persistent-xml /tmp/bench.xml \
        {bandwidth} {guest} {uri}
    echo $((($(date +%s%N) - began) / 1000000))
'''


class Moves:
    """The guest on its ways, and how often it has gone."""

    def __init__(self):
        self.place = session.HERE
        self.number = 0

    def arrived(self):
        """It has: the longest time without a beat in this move."""
        self.place = session.other(self.place)
        self.number += 1
        return lab.continuity(self.number)['moves'][-1]['gap_ms']

    def by_virsh(self):
        """Milliseconds of the program, of libvirt's part, which is all of it, and of the downtime."""
        script = VIRSH.format(guest=lab.GUEST, bandwidth=' '.join(BANDWIDTH),
                              uri=session.uri(session.other(self.place)))
        took_ms = int(lab.run_script(self.place, script).stdout.split()[-1])
        return took_ms, took_ms, self.arrived()

    def by_library(self):
        """The same of mlx5lm-migrate."""
        moved = session.migrate(*BANDWIDTH, source=self.place)
        if moved.process.returncode != lab.READY:
            raise AssertionError(moved.story())
        part_ms = sum(phase['duration_ms'] for phase in moved.report['phases'] if phase['phase'] in PARTS)
        return moved.last['elapsed_ms'], part_ms, self.arrived()

    def from_outside(self):
        """Percent of a core that the program takes on this machine, while it runs."""
        files = dict(zip(lab.HOSTS, (str(lab.share() / os.path.basename(path)) for path in lab.on_each(lab.snapshot))))
        there = session.other(self.place)
        with daemons_from_outside() as uris, tempfile.TemporaryDirectory() as journal:
            moved = subprocess.Popen(
                [f'{lab.build}/examples/{session.PROGRAM}', '--domain', lab.GUEST, '--from', uris[self.place],
                 '--to', uris[there], '--peer-uri', session.uri(there), '--source', files[self.place],
                 '--destination', files[there], '--journal', journal, '--json', *BANDWIDTH],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            last = json.loads(moved.stdout.read().splitlines()[-1])
            _, status, usage = os.wait4(moved.pid, 0)
        moved.returncode = os.waitstatus_to_exitcode(status)
        if moved.returncode != lab.READY:
            raise AssertionError(f'from outside: status {moved.returncode}, {last}')
        self.arrived()
        return 100000 * (usage.ru_utime + usage.ru_stime) / last['elapsed_ms']


def pairs(moves, number):
    """So many moves of each kind, in turn, both ways alike."""
    results = {'virsh': [], 'library': []}
    print('            program            libvirt\'s part          downtime')
    print('       virsh    library       virsh    library       virsh    library')
    for pair in range(number):
        # each kind begins as often on the one host as on the other
        kinds = [moves.by_virsh, moves.by_library] if pair % 2 == 0 else [moves.by_library, moves.by_virsh]
        took = [kind() for kind in kinds]
        virsh, library = took if pair % 2 == 0 else reversed(took)
        results['virsh'].append(virsh)
        results['library'].append(library)
        print('  ' + ''.join(f'{a / 1000:8.2f} s{b / 1000:9.2f} s  ' for a, b in zip(virsh, library)), flush=True)
    return results


def ratio_of(results, column, name):
    """Of the medians; with the spread of virsh itself, which is the noise."""
    virsh, library = ([row[column] for row in results[kind]] for kind in ('virsh', 'library'))
    ratio = statistics.median(library) / statistics.median(virsh)
    print(f'{name}: median {statistics.median(virsh):.0f} ms by virsh ({min(virsh):.0f} to {max(virsh):.0f}), '
          f'{statistics.median(library):.0f} ms by the library ({min(library):.0f} to {max(library):.0f}), '
          f'ratio {ratio:.3f}')
    return ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', required=True, help='build directory')
    parser.add_argument('--prefix', required=True, help='its prefix')
    parser.add_argument('--pairs', type=int, default=6, help='pairs of moves (default 6)')
    arguments = parser.parse_args()
    lab.start(arguments.build, arguments.prefix)
    lab.reset()
    lab.on_each(lab.configure)
    lab.on_each(lambda host: lab.run(host, f'mkdir -p -m 700 {session.JOURNAL}'))
    lab.start_guest(ws=16, rate=2, hb=20)

    moves = Moves()
    results = pairs(moves, arguments.pairs)
    ratio_of(results, 0, 'program')
    part = ratio_of(results, 1, 'libvirt\'s part')
    downtime = ratio_of(results, 2, 'downtime')
    percent = moves.from_outside()
    print(f'processor time of a session: {percent:.2f} % of a core')

    goals = {f'{name} at most {GOAL_RATIO} of virsh\'s, noise {NOISE}': ratio <= GOAL_RATIO + NOISE
             for name, ratio in (('libvirt\'s part', part), ('downtime', downtime))}
    goals[f'less than {MAX_CPU_PERCENT} % of a core'] = percent < MAX_CPU_PERCENT
    for goal, reached in goals.items():
        print(f'{"reached" if reached else "MISSED "}  {goal}')
    lab.reset()
    return 0 if all(goals.values()) else 1


if __name__ == '__main__':
    sys.exit(main())
