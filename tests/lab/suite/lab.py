# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the lab suite share: the two hosts, the installed programs on them, the guest.

The lab is started by the first test that needs it and stays up for the next ones; test_teardown.py,
which meson runs last, looks into the kernel logs and takes it down. Programs that need different
hosts run at the same time: each holds the locks of its own.
"""

import argparse
import concurrent.futures
import fcntl
import functools
import json
import pathlib
import re
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE.parent
PROJECT = LAB.parent.parent
sys.path.insert(0, str(PROJECT / 'tests'))

NAME = 'check'
HOSTS = ('hosta', 'hostb')
PF = '0000:40:00.0'
JOURNAL = '/var/lib/mlx5lm'
VFS = ('0000:40:00.2', '0000:40:00.3')
MACS = ('02:4d:4c:58:35:00', '02:4d:4c:58:35:01')
GUEST = 'guest'
PORT = 7000     # of the guest's serial line
READY, NOT_READY, UNKNOWN, USAGE = range(4)
build = None    # the build directory, and ...
mount = None    # ... what the hosts see as /mlx5lm; start() sets both
locks = {}      # of the hosts that this program has, open until it ends


def lab_command(command, *words, check=True, timeout=600):
    """Runs a command of tests/lab on this machine."""
    done = subprocess.run([LAB / command, '--name', NAME, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise AssertionError(f'tests/lab/{command} {" ".join(words)}: status {done.returncode}\n'
                             f'{done.stdout}{done.stderr}')
    return done


def on_each(function, hosts=HOSTS):
    """Calls a function for several hosts at once; its results in their order."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(function, hosts))


def need(host):
    """Another program may be at work on the other hosts."""
    if host not in locks:
        raise AssertionError(f'this program has not asked for {host}: lab.main()')


def run(host, *words, check=True, timeout=120):
    """Runs a command on a host: one word is a shell command line. The completed process."""
    need(host)
    done = lab_command('run', '--timeout', str(timeout), host, *words, check=False, timeout=timeout + 60)
    if check and done.returncode:
        raise AssertionError(f'{host}# {" ".join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done


def text(host, command):
    """What a shell command line prints on a host."""
    return run(host, command).stdout.strip()


def run_script(host, script):
    """Runs a shell script on a host."""
    (share() / f'{host}.sh').write_text(script, 'utf-8')
    return run(host, 'sh', f'/share/{host}.sh')


def program(host, name, *words, check=False, **options):
    """Runs an example program on a host."""
    return run(host, f'/mlx5lm/bin/mlx5lm-{name}', *words, check=check, **options)


def probe(host):
    """Snapshot of a host, as Python objects."""
    return json.loads(program(host, 'probe', '--json').stdout)


@functools.cache
def run_dir(name):
    """The directory of a lab, as the commands name it."""
    return pathlib.Path(subprocess.run(['bash', '-c', f'. {LAB}/lib/common.sh; use_lab {name}; echo "$run_dir"'],
                                       capture_output=True, text=True, check=True).stdout.strip())


def share():
    """The directory that the hosts see as /share."""
    return run_dir(NAME) / 'share'


def snapshot(host):
    """Leaves the snapshot of a host in /share and gives its path there."""
    (share() / f'{host}.json').write_text(program(host, 'probe', '--json').stdout, 'utf-8')
    return f'/share/{host}.json'


def configure(host, num_vfs=2, check=True):
    """Brings a host to its ready state by the library."""
    macs = [word for index in range(num_vfs) for word in ('--mac', f'{index}={MACS[0][:-2]}{index:02x}')]
    return program(host, 'configure', '--apply', '--pf', PF, '--vfs', str(num_vfs), *macs, check=check)


def steps_of(output, behind):
    """Kinds of the steps in lines of a plan, where "4-11" stands for eight of a kind."""
    steps = []
    for first, last, kind in re.findall(r'^ +(\d+)(?:-(\d+))?' + behind, output, re.M):
        steps += [kind] * (int(last or first) - int(first) + 1)
    return steps


def planned(output):
    """Kinds of the steps that mlx5lm-configure shows first."""
    return steps_of(output, r'  ([a-z-]+)  ')


def applied(output):
    """Kinds of the steps that it has done then."""
    return steps_of(output, r' of \d+  ([a-z-]+) .* done  [0-9.]+ m?s$')


def reset(*hosts):
    """Pristine hosts: no guests, no VFs, legacy mode, parameters as at the start, no faults, no journal."""
    def reset_one(host):
        need(host)
        lab_command('reset', host)
        run(host, f'rm -rf {JOURNAL}')
    on_each(reset_one, hosts or HOSTS)


def fault(host, line):
    """Injects a fault into a host's firmware."""
    run(host, f"echo '{line}' > /sys/module/mlx5sim/parameters/fault")


def driver_of(host, bdf):
    return text(host, f'basename "$(readlink /sys/bus/pci/devices/{bdf}/driver)" || true')


def devlink(host, *words):
    """JSON of a devlink command: another program's view of the same kernel."""
    return json.loads(run(host, 'devlink', '-j', *words).stdout)


def domain_state(host):
    """State of the guest as virsh tells it; None if the host does not know it."""
    done = run(host, f'virsh domstate {GUEST}', check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def start_guest(host=HOSTS[0], vf=VFS[0], **keys):
    need(host)
    lab_command('guest-start', host, vf, f'name={GUEST}', f'port={PORT}', *(f'{key}={value}' for key, value in keys.items()))


def continuity(migrations, wait_s=20, without_vf=False, whole_memory=False):
    """Waits until the guest's lines prove that it went on over so many migrations; the proof."""
    deadline = time.monotonic() + wait_s
    options = [option for option, wanted in (('--without-vf', without_vf), ('--whole-memory', whole_memory)) if wanted]
    while True:
        done = subprocess.run([sys.executable, LAB / 'guest' / 'continuity.py', '--json', '--migrations',
                               str(migrations), *options, share() / f'{GUEST}.log'],
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return json.loads(done.stdout)
        if time.monotonic() > deadline:
            raise AssertionError(f'no proof that the guest went on: {done.stdout}{done.stderr}')
        time.sleep(0.5)


def lock_of(name, wait=True):
    """The lock file of that name beside the lab's directory, locked; None if another program has it."""
    path = run_dir(NAME).with_suffix(f'.{name}.lock')
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open('w', encoding='utf-8')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        file.close()
        return None
    return file


def install(prefix):
    """Installs the build where the hosts see it as /mlx5lm, and starts them if they are not up."""
    subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet', '--destdir',
                    mount.removesuffix(prefix)], stdout=subprocess.DEVNULL, check=True)
    if all(lab_command('run', host, 'true', check=False).returncode == 0 for host in HOSTS):
        return
    lab_command('down')
    words = ['--mount', mount, '-a', 'serial=SIM0000000001', '-b', 'serial=SIM0000000002']
    # An emulated kernel was seen to die in its boot, before any module, once in some hundred starts.
    if lab_command('up', *words, check=False).returncode:
        lab_command('up', *words)


def start(directory, prefix, *hosts):
    """Waits until no other program has these hosts (both); the first of all programs brings the lab up."""
    global build, mount, GUEST, PORT
    hosts = hosts or HOSTS
    build = directory
    mount = str(pathlib.Path(build) / 'lab-install') + prefix
    if hosts[0] != HOSTS[0]:    # two guests at once need two names and two lines
        GUEST, PORT = f'guest-{hosts[0]}', PORT + 1
    with lock_of('start'):
        taken = [lock_of(host, wait=False) for host in HOSTS]
        if all(taken):
            install(prefix)
        for file in filter(None, taken):
            file.close()
    # always in the same order, so that two programs cannot wait for one another
    for host in sorted(hosts):
        locks[host] = lock_of(host)


class Case(unittest.TestCase):
    maxDiff = None

    def assert_fails(self, done, *words):
        """A program that said no, with these words in its error."""
        self.assertEqual(done.returncode, NOT_READY, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def assert_guest_untouched(self, host=HOSTS[0], vf=VFS[0], other=HOSTS[1]):
        """The guest runs where it was, with its VF, and the other side, if any, knows nothing of it."""
        self.assertEqual(domain_state(host), 'running')
        if other:
            self.assertIsNone(domain_state(other))
        self.assertEqual(driver_of(host, vf), 'mlx5_vfio_pci')
        beats = continuity(0)
        self.assertGreater(continuity(0)['beats'], 0, beats)


def long(case):
    """Decorator of a case, or a class of them, that ./check has no time for: it runs in the suite lab-long."""
    case.long = True
    return case


def is_long(test):
    return getattr(test, 'long', False) or getattr(getattr(test, test._testMethodName), 'long', False)


def main(*hosts):
    """Entry of each test program: brings the lab up, then runs its cases, on these hosts or both."""
    import tap
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', required=True, help='build directory')
    parser.add_argument('--prefix', required=True, help='its prefix')
    parser.add_argument('--long', action='store_true', help='the long cases, and no others')
    arguments = parser.parse_args()
    start(arguments.build, arguments.prefix, *hosts)
    tap.main(lambda test: is_long(test) == arguments.long)
