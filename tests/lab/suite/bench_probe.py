#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Time, memory and system calls of a probe of one PF with 127 VFs, against what a person would type.

Run it on a machine that does nothing else, with a build that has -Dlab=true:

    meson test -C BUILD --benchmark lab-probe --verbose

The library is measured inside a host by tests/bench/probe.c, without the start of a process; the commands
of tests/bench/probe.sh are run in the same host. Exit status 1 if a goal is missed.
"""

import argparse
import collections
import json
import re
import shutil
import sys

import lab

HOST = 'hosta'
NUM_VFS = 127
RUNS = 30
URI = 'qemu:///system'
MAX_MEDIAN_MS = 25
MAX_MEMORY_KIB = 4096
MIN_RATIO = 30
# threads come by clone3
STARTS_A_PROCESS = ('clone', 'execve', 'fork', 'vfork', 'wait4')


def prepare(build):
    lab.start(build.build, build.prefix)
    lab.reset(HOST)
    lab.lab_command('reload', HOST, f'max_vfs={NUM_VFS}')
    lab.program(HOST, 'configure', '--apply', '--pf', lab.PF, '--vfs', str(NUM_VFS), check=True, timeout=600)
    for program in (f'{build.build}/tests/bench/bench-probe', f'{lab.PROJECT}/tests/bench/probe.sh'):
        shutil.copy(program, lab.share())


def library(*words):
    return json.loads(lab.run(HOST, '/share/bench-probe', *words, timeout=600).stdout)


def script_ms(*words):
    """Time of the script, from a clock inside the host."""
    done = lab.run(HOST, f'''read -r start _ < /proc/uptime
        /share/probe.sh {' '.join(words)} > /tmp/script.json || exit 1
        read -r end _ < /proc/uptime
        echo $start $end $(jq '.pfs[0].vfs | length' /tmp/script.json)''', timeout=1800)
    start, end, num_vfs = done.stdout.split()
    if int(num_vfs) != NUM_VFS:
        raise AssertionError(f'the script has seen {num_vfs} VFs')
    return (float(end) - float(start)) * 1000


def counts(runs):
    """System calls of so many probes and of the start of the program, threads included."""
    lab.run(HOST, f'strace -f -c -o /tmp/strace /share/bench-probe --runs {runs}', timeout=900)
    found = collections.Counter()
    for line in lab.text(HOST, 'cat /tmp/strace').splitlines():
        match = re.match(r' *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$', line)
        if match and match[2] != 'total':
            found[match[2]] += int(match[1])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', required=True, help='build directory')
    parser.add_argument('--prefix', required=True, help='its prefix')
    prepare(parser.parse_args())

    one = library('--runs', str(RUNS))
    with_libvirt = library('--runs', str(RUNS), '--libvirt', URI)
    print(f'one PF with {one["vfs"]} VFs, {RUNS} probes inside {HOST}:')
    print('                  min       median    max       script      ratio')
    ratios = []
    for name, figures, words in (('the kernel', one, ()), ('and libvirt', with_libvirt, ('--libvirt', URI))):
        script = script_ms(*words)
        ratios.append(script / figures['median_ms'])
        print(f'  {name:<14}' + ''.join(f'{figures[key]:7.1f} ms' for key in ('min_ms', 'median_ms', 'max_ms'))
              + f'{script:9.0f} ms{ratios[-1]:9.0f} x', flush=True)
    print(f'memory: {one["memory_kib"]} KiB for the first probe, {one["memory_growth_kib"]} KiB more for {RUNS} others')

    # what one more probe costs
    calls = counts(2) - counts(1)
    processes = sum(calls[name] for name in STARTS_A_PROCESS)
    print(f'system calls of one probe: {sum(calls.values())}')
    for name, number in sorted(calls.items(), key=lambda item: (-item[1], item[0])):
        print(f'  {number:6} {name}')

    goals = {f'median at most {MAX_MEDIAN_MS} ms': one['median_ms'] <= MAX_MEDIAN_MS,
             f'memory at most {MAX_MEMORY_KIB} KiB': one['memory_kib'] <= MAX_MEMORY_KIB,
             f'script at least {MIN_RATIO} x slower': min(ratios) >= MIN_RATIO,
             'no process is started': processes == 0,
             f'all {NUM_VFS} VFs are seen': one['vfs'] == NUM_VFS}
    for goal, reached in goals.items():
        print(f'{"reached" if reached else "MISSED "}  {goal}')
    lab.reset(HOST)
    return 0 if all(goals.values()) else 1


if __name__ == '__main__':
    sys.exit(main())
