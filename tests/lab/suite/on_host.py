#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs on a host of the lab: many configurations of its PF in one session, each looked at by other means.

on_host.py TASK ARGUMENT...; every task prints one JSON document. What a PF is like is asked of sysfs
and devlink, never of the library that is tested.
"""

import ctypes
import glob
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import time

PF = '0000:40:00.0'
DEVICE = pathlib.Path('/sys/bus/pci/devices') / PF
FAULT = pathlib.Path('/sys/module/mlx5sim/parameters/fault')
CONFIGURE = '/mlx5lm/bin/mlx5lm-configure'
JOURNAL = '/var/lib/mlx5lm'
STARTED = 1


def sh(*words, check=True):
    return subprocess.run(words, capture_output=True, text=True, check=check)


def devlink(*words):
    return json.loads(sh('devlink', '-j', *words).stdout)


def write(path, text):
    """By one system call, as echo does it."""
    with open(path, 'wb', buffering=0) as file:
        file.write(text.encode())


def msix_vectors(device):
    """Size of the MSI-X table, from the configuration space."""
    config = (device / 'config').read_bytes()
    at = config[0x34]
    while at:
        if config[at] == 0x11:
            return (struct.unpack_from('<H', config, at + 2)[0] & 0x7ff) + 1
        at = config[at + 1]
    return None


def is_up(netdev):
    return bool(int(pathlib.Path(f'/sys/class/net/{netdev}/flags').read_text(), 16) & 1)


def look_at_vf(device, port):
    driver = device / 'driver'
    vf = {'driver': os.path.basename(os.readlink(driver)) if driver.exists() else None,
          'override': (device / 'driver_override').read_text().strip(),
          'msix': msix_vectors(device)}
    if port:
        vf['function'] = port['function']
        vf['representor_up'] = is_up(port['netdev']) if 'netdev' in port else None
    return vf


def look():
    """What a PF is like, as far as a configuration may change it."""
    ports = {port['vfnum']: port for name, port in devlink('port', 'show')['port'].items()
             if name.startswith(f'pci/{PF}/') and port.get('flavour') == 'pcivf'}
    num_vfs = int((DEVICE / 'sriov_numvfs').read_text())
    return {'mode': devlink('dev', 'eswitch', 'show', f'pci/{PF}')['dev'][f'pci/{PF}']['mode'],
            'num_vfs': num_vfs,
            'autoprobe': (DEVICE / 'sriov_drivers_autoprobe').read_text().strip(),
            'ports': sorted(ports),
            'vfs': [look_at_vf(DEVICE / f'virtfn{i}', ports.get(i)) for i in range(num_vfs)]}


def rebase(num_vfs=0, mode='legacy'):
    """The PF without the library's help: VFs as the kernel makes them, bound to mlx5_core."""
    FAULT.write_text('clear')
    sh('rm', '-rf', JOURNAL)
    write(DEVICE / 'sriov_drivers_autoprobe', '1')
    if (DEVICE / 'sriov_numvfs').read_text().strip() != '0':
        write(DEVICE / 'sriov_numvfs', '0')
    sh('devlink', 'dev', 'eswitch', 'set', f'pci/{PF}', 'mode', mode)
    if num_vfs:
        write(DEVICE / 'sriov_numvfs', str(num_vfs))
    return look()


def configure(*words, timeout=120):
    return subprocess.run([CONFIGURE, '--pf', PF, '--libvirt', '', '--apply', *words],
                          capture_output=True, text=True, timeout=timeout, check=False)


def warnings():
    return len([line for line in sh('dmesg').stdout.splitlines() if 'WARNING: ' in line or 'BUG: ' in line])


def wished(base, words):
    """What the PF is like when all goes well."""
    rebase(**base)
    done = configure(*words)
    if done.returncode:
        raise SystemExit(f'without a fault: {done.stdout}{done.stderr}')
    return look()


def faults(base, words, rules):
    """Configures with each fault; as often as it may, a plan reaches its wish or leaves all as it was."""
    wish = wished(base, words)
    results = []
    for rule in rules:
        before = rebase(**base)
        FAULT.write_text(rule)
        begin = time.monotonic()
        done = configure(*words)
        took = time.monotonic() - begin
        hit = 'hit=0' not in FAULT.read_text()
        FAULT.write_text('clear')
        after = look()
        results.append({'rule': rule, 'hit': hit, 'status': done.returncode, 'took_s': round(took, 1),
                        'undone': after == before, 'reached': after == wish, 'after': after,
                        'warnings': warnings(), 'output': done.stdout, 'errors': done.stderr})
    return results


class Library:
    """As much of libmlx5lm as an agent uses that keeps a journal."""
    FN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p)

    def __init__(self):
        self.so = ctypes.CDLL('libmlx5lm.so.1')
        for name in ('mlx5lm_step_state_str', 'mlx5lm_error_code_str', 'mlx5lm_error_get_message',
                     'mlx5lm_error_get_detail', 'mlx5lm_error_get_remedy'):
            getattr(self.so, name).restype = ctypes.c_char_p
        for name in ('mlx5lm_plan_get_step', 'mlx5lm_plan_get_step_error'):
            getattr(self.so, name).restype = ctypes.c_void_p
        self.so.mlx5lm_plan_length.restype = ctypes.c_size_t
        self.ctx = ctypes.c_void_p()
        self.check(self.so.mlx5lm_ctx_new(ctypes.byref(self.ctx)))

    def check(self, r, error=None):
        if r < 0:
            raise SystemExit(f'{r}: {self.error(error)}')

    def error(self, error):
        """An error in words; None if there is none."""
        if not error:
            return None
        get = self.so
        return {'code': get.mlx5lm_error_code_str(get.mlx5lm_error_get_code(error)).decode(),
                **{key: (getattr(get, f'mlx5lm_error_get_{key}')(error) or b'').decode()
                   for key in ('message', 'detail', 'remedy')}}

    def host(self, document=None):
        host, error, options = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        if document is None:
            self.check(self.so.mlx5lm_probe_options_new(ctypes.byref(options)))
            r = self.so.mlx5lm_host_probe(self.ctx, options, ctypes.byref(host), ctypes.byref(error))
        else:
            r = self.so.mlx5lm_host_parse(document, ctypes.c_size_t(len(document)), ctypes.byref(host),
                                          ctypes.byref(error))
        self.check(r, error)
        return host

    def plan(self, wish, host=None):
        """A plan for a wish in JSON."""
        config, plan, error = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        text = json.dumps(wish).encode()
        self.check(self.so.mlx5lm_config_parse(text, ctypes.c_size_t(len(text)), ctypes.byref(config),
                                               ctypes.byref(error)), error)
        self.check(self.so.mlx5lm_plan_new(host or self.host(), PF.encode(), config, ctypes.byref(plan),
                                           ctypes.byref(error)), error)
        return plan

    def step(self, plan, index):
        """Kind of a step."""
        text = ctypes.c_char_p()
        step = ctypes.c_void_p(self.so.mlx5lm_plan_get_step(plan, ctypes.c_size_t(index)))
        self.check(self.so.mlx5lm_step_get_str(step, 1, ctypes.byref(text)))
        return text.value.decode()

    def apply(self, plan, fn=None, journal=JOURNAL):
        """Return value and error."""
        callback, error = self.FN(fn or (lambda *_: 0)), ctypes.c_void_p()
        if journal:
            os.makedirs(journal, mode=0o700, exist_ok=True)
            self.check(self.so.mlx5lm_plan_set_journal(plan, journal.encode()))
        self.check(self.so.mlx5lm_plan_set_progress(plan, callback, None, None))
        r = self.so.mlx5lm_plan_apply(plan, self.ctx, ctypes.byref(error))
        return r, self.error(error)


def apply_until(wish, event, signal_number):
    """A process that gets a signal as it is told of its event number so and so; its id."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            library, seen = Library(), 0

            def count(*_):
                nonlocal seen
                seen += 1
                if seen == event:
                    os.kill(os.getpid(), signal_number)
                return 0
            r, error = library.apply(library.plan(wish), count)
            if r == 0:
                status = 0
            else:
                print(error, file=sys.stderr)
        finally:
            os._exit(status)
    return pid


def apply_and_die(wish, event):
    """Whether it was killed at that event: it may have ended before."""
    status = os.waitpid(apply_until(wish, event, signal.SIGKILL), 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise SystemExit(f'event {event}: the process was not killed and failed')
    return False


def kills(base, words, wish):
    """Kills the configurator at each of its events; recovers one way and the other by turns."""
    goal = wished(base, words)
    results = []
    for event in range(1, 1000):
        before = rebase(**base)
        if not apply_and_die(wish, event):
            break
        way = 'finish' if event % 2 else 'undo'
        between = look()
        refused = configure(*words) if event % 8 == 5 else None
        done = configure('--recover', way)
        after = look()
        later = configure('--undo') if event % 6 == 1 else None
        results.append({'event': event, 'way': way, 'status': done.returncode, 'errors': done.stderr,
                        'moved': between != before, 'right': after == (goal if way == 'finish' else before),
                        'after': after, 'refused': refused and refused.stderr,
                        'undone_later': later and (later.returncode == 0 and look() == before)})
    return results


def kills_at_calls(base, words, calls):
    """The same with the whole program, killed as it enters its n-th system call of a name."""
    goal = wished(base, words)
    results = []
    for number, (name, n) in enumerate(calls):
        before = rebase(**base)
        traced = sh('strace', '-qq', '-o', '/dev/null', '-e', f'trace={name}',
                    '-e', f'inject={name}:signal=SIGKILL:when={n}',
                    CONFIGURE, '--pf', PF, '--libvirt', '', '--apply', *words, check=False)
        moved = look() != before
        journal = bool(glob.glob(JOURNAL + '/*.journal'))
        way = 'finish' if number % 2 else 'undo'
        done = configure('--recover', way) if journal else None
        after = look()
        results.append({'call': f'{name} {n}', 'moved': moved, 'journal': journal, 'way': way,
                        'killed': traced.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL),
                        'status': done.returncode if done else None, 'errors': done.stderr if done else '',
                        'right': after == (goal if done and way == 'finish' else before), 'after': after})
    return results


def two_at_once(words, wish):
    """A configurator that stands still in the middle, another beside it; the first is killed, then recovered."""
    before = rebase()
    pid = apply_until(wish, 9, signal.SIGSTOP)
    if not os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1]):
        raise SystemExit('the first has ended')
    results = [configure(*words), configure('--recover', 'undo')]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    results += [configure(*words), configure('--recover', 'undo')]
    return {'pid': pid, 'undone': look() == before, 'statuses': [done.returncode for done in results],
            'errors': [done.stderr for done in results]}


def undo_fails(words, rule):
    """From two VFs in switchdev mode: from a command on all of them fail, so the undo does as well."""
    before = rebase(2, 'switchdev')
    FAULT.write_text(rule)
    failed = configure(*words)
    between = look()
    FAULT.write_text('clear')
    refused = configure(*words)
    done = configure('--recover', 'undo')
    return {'status': failed.returncode, 'errors': failed.stderr, 'left': between != before,
            'refused': refused.stderr, 'recovered': done.returncode, 'undone': look() == before}


def hold(vf):
    """A process that has a VF open through VFIO; says so on its output."""
    group = os.path.basename(os.readlink(f'/sys/bus/pci/devices/{vf}/iommu_group'))
    libc = ctypes.CDLL(None, use_errno=True)
    container = os.open('/dev/vfio/vfio', os.O_RDWR)
    group = os.open(f'/dev/vfio/{group}', os.O_RDWR)

    def ioctl(fd, request, argument):
        r = libc.ioctl(fd, ctypes.c_ulong(request), argument)
        if r < 0:
            raise OSError(ctypes.get_errno(), f'ioctl {request:#x}')
        return r
    kind = 0x3b64   # ';', 100: the numbers of linux/vfio.h
    ioctl(group, kind + 4, ctypes.byref(ctypes.c_int(container)))
    ioctl(container, kind + 2, ctypes.c_long(1))
    ioctl(group, kind + 6, vf.encode())
    print('holds', flush=True)
    time.sleep(45)


def start_holder(vf):
    """Ends by itself after a while: a writer that waits for it is not to wait until the kernel complains."""
    holder = subprocess.Popen([sys.executable, __file__, 'hold', json.dumps(vf)], stdout=subprocess.PIPE, text=True)
    if holder.stdout.readline() != 'holds\n':
        raise SystemExit(f'{vf} cannot be opened')
    return holder


def held_later(vf, wish, when):
    """Applies a plan while a process takes a VF: after the plan was made, or before a kind of step."""
    library = Library()
    plan = library.plan(wish)
    before, holder, begin = look(), None, time.monotonic()

    def take(plan, index, state, _):
        nonlocal holder, begin
        if not holder and state == STARTED and library.step(ctypes.c_void_p(plan), index) == when:
            holder = start_holder(vf)
            begin = time.monotonic()
        return 0
    if when == 'plan':
        holder = start_holder(vf)
        begin = time.monotonic()
    r, error = library.apply(plan, take)
    took = time.monotonic() - begin
    if holder:
        holder.kill()
        holder.wait()
    # a write that waited for the holder goes through now
    time.sleep(1)
    recovered = configure('--recover', 'undo').stderr if look() != before else None
    return {'r': r, 'error': error, 'pid': holder.pid if holder else None, 'took_s': took,
            'recovered': recovered, 'undone': look() == before}


def apply_of_snapshot(path, wish):
    """What a process is told that applies a plan made from another one's snapshot."""
    library = Library()
    r, error = library.apply(library.plan(wish, library.host(pathlib.Path(path).read_bytes())), journal=None)
    return {'r': r, 'error': error}


TASKS = {task.__name__: task for task in (
    look, rebase, faults, kills, kills_at_calls, two_at_once, undo_fails, hold, held_later, apply_of_snapshot)}

if __name__ == '__main__':
    print(json.dumps(TASKS[sys.argv[1]](*map(json.loads, sys.argv[2:]))))
