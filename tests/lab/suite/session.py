# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of sessions share: mlx5lm-migrate on a host, its events as they come, and what must be left of it."""

import json
import subprocess
import threading
import time

import lab

HERE, THERE = lab.HOSTS
JOURNAL = '/run/sessions'
PROGRAM = 'mlx5lm-migrate'
QEMU = '^/usr/bin/qemu-system-'
SIMULATOR = '/sys/module/mlx5sim/parameters/'
# never converges while the guest dirties as fast: the passes over 16 MiB last 2 s
SLOW = ('--bandwidth', '8')
VFS = tuple(f'{lab.PF[:-1]}{function}' for function in range(2, 6))


def uri(host):
    return f'qemu+tcp://{host}/system'


def other(host):
    return lab.HOSTS[1 - lab.HOSTS.index(host)]


class Session:
    """One run of mlx5lm-migrate, with a journal and a report, its output read as it comes."""

    def __init__(self, *words, host=HERE, outside=False, journal=JOURNAL):
        self.host = host
        self.events = []
        self.ended = False
        self.report_file = lab.share() / f'report-{host}.json'
        self.report_file.unlink(missing_ok=True)
        lab.need(host)
        if outside:
            command = [f'{lab.build}/examples/{PROGRAM}']
            report = self.report_file
        else:
            command = [lab.LAB / 'run', '--name', lab.NAME, host, f'/mlx5lm/bin/{PROGRAM}']
            report = f'/share/{self.report_file.name}'
        self.process = subprocess.Popen([*command, *words, '--journal', journal, '--report', report, '--json'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.stderr = ''
        self.news = threading.Condition()
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self.read, self.read_errors)]
        for thread in self.threads:
            thread.start()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.events.append(json.loads(line))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def read_errors(self):
        self.stderr = self.process.stderr.read()

    def wait_until(self, condition, what, timeout_s=120):
        """Waits for an event that meets the condition; the event."""
        deadline = time.monotonic() + timeout_s
        looked_at = 0
        with self.news:
            while True:
                while looked_at < len(self.events):
                    looked_at += 1
                    if condition(self.events[looked_at - 1]):
                        return self.events[looked_at - 1]
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    break
                self.news.wait(left)
        raise AssertionError(f'{what} was not seen: {self.story()}')

    def wait_for(self, phase, **options):
        return self.wait_until(lambda event: event['phase'] == phase, f'phase {phase}', **options)

    def wait_for_pass(self, number, **options):
        return self.wait_until(lambda event: event.get('iteration', 0) >= number, f'pass {number}', **options)

    def signal(self, name):
        lab.run(self.host, f'pkill -{name} -x {PROGRAM}')

    def phases(self):
        """The phases in their order, each once."""
        seen = []
        for event in self.events:
            if not seen or seen[-1] != event['phase']:
                seen.append(event['phase'])
        return seen

    def end(self, timeout_s=300):
        """Waits for the end of the program; its exit status."""
        self.process.wait(timeout_s)
        for thread in self.threads:
            thread.join(30)
        return self.process.returncode

    @property
    def report(self):
        return json.loads(self.report_file.read_text('utf-8'))

    @property
    def reason(self):
        return self.report['reason']

    @property
    def last(self):
        return self.events[-1]

    def story(self):
        """All that a person needs who has to find out what went wrong."""
        status = self.process.poll()
        return (f'status {status}, phases {self.phases()}, last {self.events[-1:]}\n{self.stderr}\n'
                + (self.report_file.read_text('utf-8') if self.report_file.exists() else 'no report'))


def start(*words, source=HERE, snapshot=True):
    """Starts a session that moves the guest to the other host, of which it gets a fresh snapshot if it has VFs."""
    known = ['--destination', lab.snapshot(other(source))] if snapshot else []
    return Session('--domain', lab.GUEST, '--to', uri(other(source)), *known, *words, host=source)


def migrate(*words, **options):
    session = start(*words, **options)
    session.end()
    return session


LOOK = f'''
    pgrep -x 'mlx5lm-.*' | sed 's/^/process /'
    pgrep -f '{QEMU}' | sed 's/^/qemu /'
    [ ! -d {JOURNAL} ] || find {JOURNAL} -type f | sed 's/^/journal /'
    ls -d /sys/bus/pci/drivers/mlx5_vfio_pci/0000:* 2>/dev/null | sed 's/.*[/]/vf /'
    virsh -q list --all | awk '{{ print "domain", $2, $3 }}'
'''


def leavings(host):
    """What a session could have left on a host, or lost: processes, QEMUs, journals, bound VFs, domains."""
    found = {'process': [], 'qemu': [], 'journal': [], 'vf': [], 'domain': []}
    for line in lab.run_script(host, LOOK).stdout.splitlines():
        kind, _, what = line.partition(' ')
        found[kind].append(what)
    return found


def set_guest(**keys):
    """Another load for the running guest."""
    with (lab.share() / f'{lab.GUEST}.control').open('w', encoding='utf-8') as control:
        control.write(' '.join(f'{key}={value}' for key, value in keys.items()) + '\n')


class Case(lab.Case):
    """Cases that share one guest: it is where the last case left it, and started anew only if it is gone."""
    guest_vfs = lab.VFS[:1]
    guest_keys = {'ws': 16, 'rate': 2}
    num_vfs = 2
    moves = 0       # of the guest, since it was started
    at = HERE       # where it is

    @classmethod
    def setUpClass(cls):
        lab.reset()
        lab.on_each(cls.prepare)
        lab.on_each(lambda host: lab.run(host, f'mkdir -p -m 700 {JOURNAL}'))
        cls.start_guest()

    @classmethod
    def prepare(cls, host):
        lab.configure(host, cls.num_vfs)

    @classmethod
    def start_guest(cls):
        def clear(host):
            lab.run(host, f'/lab/daemon start; /lab/guest-stop; pkill -KILL -f "{QEMU}"', check=False)
            lab.run(host, f'rm -f {JOURNAL}/*')
        lab.on_each(clear)
        lab.start_guest(HERE, ','.join(cls.guest_vfs) or 'none', **cls.guest_keys)
        cls.moves = 0
        cls.at = HERE

    def setUp(self):
        """A case may have left anything behind if it failed."""
        self.repair()
        if not self.is_sound():
            lab.on_each(self.make_sound)
            self.start_guest()

    def repair(self):
        pass

    def is_sound(self):
        found = dict(zip(lab.HOSTS, lab.on_each(leavings)))
        places = [host for host in lab.HOSTS if found[host]['qemu']]
        if len(places) != 1 or self.differences(found, places[0]):
            return False
        type(self).at = places[0]
        return self.has_gone_on()

    def has_gone_on(self):
        """A case that failed may have moved the guest, or broken it."""
        try:
            lab.continuity(self.moves, wait_s=3, without_vf=not self.guest_vfs)
            return True
        except AssertionError:
            return False

    def make_sound(self, host):
        drivers = [vf.get('driver') for vf in lab.probe(host)['pfs'][0]['vfs']] if self.num_vfs else []
        if drivers != ['mlx5_vfio_pci'] * self.num_vfs:
            lab.reset(host)
            self.prepare(host)

    def differences(self, found, host):
        """What is not as it should be if the guest runs on that host."""
        wanted = {each: {'process': 0, 'qemu': int(each == host), 'journal': 0, 'vf': self.num_vfs,
                         'domain': [f'{lab.GUEST} running'] if each == host else []} for each in lab.HOSTS}
        real = {each: {kind: what if kind == 'domain' else len(what) for kind, what in found[each].items()}
                for each in lab.HOSTS}
        return '' if real == wanted else f'not only a guest on {host}: {found}'

    def assert_vfs(self, host, used):
        """The drivers are those of migratable VFs, and the guest has so many of them."""
        if not self.num_vfs:
            return
        vfs = lab.probe(host)['pfs'][0]['vfs']
        self.assertEqual([vf.get('driver') for vf in vfs], ['mlx5_vfio_pci'] * self.num_vfs, host)
        self.assertEqual([vf.get('in_use_by') for vf in vfs].count(lab.GUEST), used, f'{host}: {vfs}')

    def assert_place(self, host):
        """The guest runs there and only there, with its VFs, and nothing is left on either host."""
        self.assertEqual(self.differences(dict(zip(lab.HOSTS, lab.on_each(leavings))), host), '')
        type(self).at = host
        used = len(self.guest_vfs)
        lab.on_each(lambda each: self.assert_vfs(each, used if each == host else 0))

    def assert_moved(self, session, host):
        """It completed, and the guest has gone on at the other host with its memory and its VFs."""
        self.assertEqual(session.process.returncode, lab.READY, session.story())
        type(self).moves += 1
        proof = lab.continuity(self.moves, without_vf=not self.guest_vfs)
        self.assert_place(host)
        self.assertEqual((session.last['event'], session.last['phase'], session.last['percent']),
                         ('done', 'completed', 100))
        self.assertEqual(session.reason, 'none')
        percents = [event['percent'] for event in session.events if 'percent' in event]
        self.assertEqual(percents, sorted(percents))
        return proof

    def assert_stayed(self, session, reason, *words, host=HERE, phase='failed'):
        """It did not complete, for this reason; the guest has gone on where it was, as if nothing had been."""
        self.assertEqual(session.process.returncode, lab.NOT_READY, session.story())
        self.assertEqual((session.last['event'], session.last['phase']), ('done', phase), session.story())
        self.assertEqual(session.reason, reason, session.story())
        for word in words:
            self.assertIn(word, session.stderr)
        lab.continuity(self.moves, without_vf=not self.guest_vfs)
        self.assert_place(host)
