#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions in which something dies or is refused: the guest goes on where it was, and the reason is the right one."""

import re
import time

import lab
import session
from session import QEMU, SIMULATOR

# long enough for any mishap
SLOWEST = ('--bandwidth', '2')
QUICK = ('--bandwidth', '64')


class Case(session.Case):
    def setUp(self):
        super().setUp()
        self.source = self.at
        self.there = session.other(self.source)

    def repair(self):
        def mend(host):
            lab.run(host, f'''ip link set private up
                [ "$(cat {SIMULATOR}psid)" = {self.psid} ] || echo {self.psid} > {SIMULATOR}psid
                echo clear > {SIMULATOR}fault
                /lab/daemon start''')
        lab.on_each(mend)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.psid = lab.text(session.HERE, f'cat {SIMULATOR}psid')

    def in_pre_copy(self, *words):
        running = session.start(*(words or SLOWEST), source=self.source)
        running.wait_for_pass(1)
        return running

    def stays(self, running, reason, *words):
        running.end()
        self.assert_stayed(running, reason, *words, host=self.source)

    def attach(self):
        attached = session.Session('--attach', lab.GUEST, host=self.source)
        attached.end()
        return attached

    def stays_but_what_is_there_is_not_known(self, running, reason, mend):
        """The destination cannot be asked at the end: the journal is kept, and later another session settles it."""
        running.end()
        self.assertEqual((running.process.returncode, running.reason), (lab.NOT_READY, reason), running.story())
        self.assertRegex(running.stderr, 'split brain cannot be ruled out|where the guest runs is not known')
        self.assertEqual(len(session.leavings(self.source)['journal']), 1)
        lab.run(self.there, mend)
        self.wait_without_qemu(self.there)
        attached = self.attach()
        self.assertEqual(attached.process.returncode, lab.NOT_READY, attached.story())
        self.assertNotIn('split brain', attached.stderr)
        lab.continuity(self.moves)
        self.assert_place(self.source)

    def wait_without_qemu(self, host):
        deadline = time.monotonic() + 60
        while lab.text(host, f'pgrep -f "{QEMU}" || true') and time.monotonic() < deadline:
            time.sleep(0.5)

    def moves_on(self, running):
        running.end()
        self.assert_moved(running, self.there)


class Processes(Case):
    def test_qemu_at_the_destination_dies(self):
        for words in (SLOWEST, (*SLOWEST, '--direct')):
            with self.subTest(words):
                running = self.in_pre_copy(*words)
                lab.run(self.there, f'pkill -KILL -f "{QEMU}"')
                running.end()
                # libvirt does not always tell what the destination had to say; then only the connection broke
                self.assertIn(running.reason, ('destination-qemu-died', 'data-connection'), running.story())
                self.assert_stayed(running, running.reason, host=self.source)

    def test_the_daemon_at_the_destination_dies(self):
        running = self.in_pre_copy()
        lab.run(self.there, '/lab/daemon kill')
        # what it left goes when it is back
        self.stays_but_what_is_there_is_not_known(running, 'destination-daemon-lost', '/lab/daemon start')

    @lab.long
    def test_the_daemon_at_the_source_is_restarted(self):
        running = self.in_pre_copy()
        lab.run(self.source, '/lab/daemon kill; /lab/daemon start')
        self.stays(running, 'source-daemon-lost')


class Attach(Case):
    def killed(self, *words):
        running = self.in_pre_copy(*words)
        running.signal('KILL')
        running.end()
        self.assertEqual(len(session.leavings(self.source)['journal']), 1)

    def test_the_program_is_killed_and_another_one_goes_on(self):
        # Without a larger limit it never ends: the VF's state takes 500 ms.
        self.killed('--bandwidth', '2', '--downtime-ceiling', '3000', '--downtime-steps', '1', '--stall', 'raise',
                    '--stall-iterations', '1')
        attached = self.attach()
        self.assertIn('pre-copy', attached.phases())
        self.assert_moved(attached, self.there)

    @lab.long
    def test_the_migration_ended_before_anybody_attached(self):
        self.killed('--bandwidth', '16')
        deadline = time.monotonic() + 60
        while lab.domain_state(self.source) and time.monotonic() < deadline:
            time.sleep(0.5)
        self.assert_moved(self.attach(), self.there)

    @lab.long
    def test_in_direct_control_the_migration_dies_with_the_program(self):
        self.killed(*SLOWEST, '--direct')
        attached = self.attach()
        self.assertEqual(attached.process.returncode, lab.NOT_READY, attached.story())
        self.assert_place(self.source)
        lab.continuity(self.moves)

    @lab.long
    def test_the_policy_goes_on_too(self):
        session.set_guest(ws=16, rate=24)
        try:
            self.killed('--bandwidth', '8', '--stall', 'force', '--stall-iterations', '3')
            attached = self.attach()
            self.assert_moved(attached, self.there)
            self.assertEqual([act['action'] for act in attached.report['acts']][-1:], ['force-switchover'])
        finally:
            session.set_guest(**self.guest_keys)

    @lab.long
    def test_two_do_not_have_the_same_migration(self):
        running = self.in_pre_copy('--bandwidth', '8')
        second = self.attach()
        self.assertEqual(second.process.returncode, lab.NOT_READY, second.story())
        self.assertIn('another process', second.stderr)
        self.moves_on(running)

    @lab.long
    def test_nobody_is_attached_to_what_is_not_there(self):
        attached = self.attach()
        self.assertEqual(attached.process.returncode, lab.NOT_READY, attached.story())
        self.assertIn(lab.GUEST, attached.stderr)


class Network(Case):
    def test_it_is_away_for_five_seconds(self):
        running = self.in_pre_copy('--bandwidth', '8')
        lab.run(self.there, 'ip link set private down; sleep 5; ip link set private up')
        self.moves_on(running)

    @lab.long
    def test_it_is_away_for_ever(self):
        running = self.in_pre_copy()
        lab.run(self.there, 'ip link set private down')
        # keepalive of the daemons: 5 x (5 + 1) s
        self.stays_but_what_is_there_is_not_known(running, 'destination-daemon-lost', 'ip link set private up')


class Firmware(Case):
    def run_with(self, host, line):
        lab.fault(host, line)
        ended = session.migrate(*QUICK, '--deadline', '120', source=self.source)
        self.assertRegex(lab.text(host, f'cat {SIMULATOR}fault'), 'hit=[1-9]')
        return ended

    def last_beat(self):
        beats = re.findall(r' HB (\d+) .* bad=(\d+) .* badvf=(\d+)$',
                           (lab.share() / f'{lab.GUEST}.log').read_text('utf-8'), re.M)
        return map(int, beats[-1])

    def assert_vf_was_reset(self, ended, reason):
        """The guest goes on where it was with its memory and its VF, but QEMU does not trust a VF that has failed: it
        resets it, and what the guest has set up in it is gone."""
        try:
            self.assertEqual((ended.process.returncode, ended.reason), (lab.NOT_READY, reason), ended.story())
            self.assert_place(self.source)
            first, _, _ = self.last_beat()
            time.sleep(2)
            later, bad_pages, bad_vf_words = self.last_beat()
            self.assertGreater(later, first)
            self.assertEqual(bad_pages, 0)
            self.assertGreater(bad_vf_words, 0)
            self.assertIn('Resetting device', lab.text(self.source, f'cat /var/log/libvirt/qemu/{lab.GUEST}.log'))
        finally:
            self.start_guest()

    @lab.long
    def test_it_cannot_save(self):
        self.assert_vf_was_reset(self.run_with(self.source, 'fail op=SAVE_VHCA_STATE count=0'), 'vf-save')

    def test_it_cannot_suspend(self):
        self.assert_vf_was_reset(self.run_with(self.source, 'fail op=SUSPEND_VHCA count=0'), 'vf-state')

    def test_it_cannot_load(self):
        self.assert_stayed(self.run_with(self.there, 'fail op=LOAD_VHCA_STATE count=0'), 'vf-load', host=self.source)

    @lab.long
    def test_it_refuses_the_state_of_another_psid(self):
        # The snapshot was the same; the card was exchanged since.
        running = session.start(*QUICK, source=self.source)
        running.wait_for('setup')
        lab.run(self.there, f'echo MT_0000000999 > {SIMULATOR}psid')
        self.stays(running, 'vf-load')


if __name__ == '__main__':
    lab.main()
