#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Time to make 127 VFs ready for live migration, by the library and by the documented procedure.

Run it on a machine that does nothing else, with a build that has -Dlab=true:

    meson test -C BUILD --benchmark lab-configure --verbose

Both start from a PF in legacy mode without VFs, on the same host, whose VFs take mlx5_core 100 ms each to
probe; both are timed by the host's own clock. Exit status 1 if a goal is missed.
"""

import argparse
import re
import shutil
import statistics
import sys

import lab

HOST = 'hosta'
NUM_VFS = 127
PROBE_LATENCY_MS = 100
MIN_RATIO = 5
PF_FACTS = ('eswitch_mode', 'sriov_num_vfs', 'sriov_autoprobe', 'driver')
VF_FACTS = ('bdf', 'index', 'driver', 'driver_override', 'migratable', 'roce', 'max_io_eqs', 'msix_count',
            'vfio_migration')
LIBRARY = f'/mlx5lm/bin/mlx5lm-configure --pf {lab.PF} --vfs {NUM_VFS} --apply --journal /tmp/bench-journal'
SCRIPT = f'/share/configure.sh {lab.PF} {NUM_VFS}'


def prepare(build):
    lab.start(build.build, build.prefix)
    lab.reset(HOST)
    shutil.copy(f'{lab.PROJECT}/tests/bench/configure.sh', lab.share())


def timed(command):
    """Seconds of a command on the host from its pristine state: real, user, system; and what it printed."""
    lab.lab_command('reload', HOST, f'max_vfs={NUM_VFS}', f'vf_probe_latency_ms={PROBE_LATENCY_MS}')
    lab.run(HOST, 'rm -rf /tmp/bench-journal; mkdir -m 0700 /tmp/bench-journal; modprobe mlx5_vfio_pci')
    done = lab.run(HOST, 'bash', '-c', f"TIMEFORMAT='took %R %U %S'; time {command}", timeout=1800)
    match = re.search(r'^took ([\d.]+) ([\d.]+) ([\d.]+)$', done.stderr, re.MULTILINE)
    return [float(number) for number in match.groups()], done.stdout


def end_state():
    """What both have to come to; at the end all VFs are there and can migrate."""
    pf = next(pf for pf in lab.probe(HOST)['pfs'] if pf['bdf'] == lab.PF)
    vfs = [{fact: vf.get(fact) for fact in VF_FACTS} for vf in pf['vfs']]
    ready = [vf for vf in vfs if (vf['driver'], vf['migratable']) == ('mlx5_vfio_pci', 'enable')]
    if len(ready) != NUM_VFS:
        raise AssertionError(f'{len(ready)} of {NUM_VFS} VFs are ready')
    return {fact: pf.get(fact) for fact in PF_FACTS}, vfs


def counts(output):
    """Files written and netlink requests that change something, as the program tells them."""
    match = re.search(r'(\d+) files written, (\d+) netlink messages', output)
    if not match:
        raise AssertionError(f'no counts in the output:\n{output}')
    return int(match[1]), int(match[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', required=True, help='build directory')
    parser.add_argument('--prefix', required=True, help='its prefix')
    parser.add_argument('--runs', type=int, default=3, help='pairs of runs (default 3)')
    arguments = parser.parse_args()
    prepare(arguments)

    print(f'{NUM_VFS} VFs, of which mlx5_core takes {PROBE_LATENCY_MS} ms each to probe, inside {HOST}:')
    print('         script    library      ratio')
    ratios, differs, user_us = [], False, []
    for number in range(arguments.runs):
        (script_s, _, _), _ = timed(SCRIPT)
        by_script = end_state()
        (library_s, user_s, _), output = timed(LIBRARY)
        differs |= end_state() != by_script
        writes, messages = counts(output)
        user_us.append(user_s * 1e6 / NUM_VFS)
        ratios.append(script_s / library_s)
        print(f'  {number + 1:3}{script_s:9.1f} s{library_s:9.1f} s{ratios[-1]:9.1f} x', flush=True)
    ratio = statistics.median(ratios)
    print(f'median ratio: {ratio:.1f}')
    print(f'the library wrote {writes} files ({writes / NUM_VFS:.2f} a VF) and sent {messages} netlink requests '
          f'({messages / NUM_VFS:.2f} a VF) that change something')
    print(f'user time of the program in the emulated host: {statistics.median(user_us):.0f} us a VF; natively: '
          'bench-configure')

    goals = {f'script at least {MIN_RATIO} x slower': ratio >= MIN_RATIO,
             'both come to the same state': not differs}
    for goal, reached in goals.items():
        print(f'{"reached" if reached else "MISSED "}  {goal}')
    lab.reset(HOST)
    return 0 if all(goals.values()) else 1


if __name__ == '__main__':
    sys.exit(main())
