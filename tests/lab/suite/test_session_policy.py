#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest that dirties memory as fast as it is sent, and what each policy makes of it; cancelling at each phase."""

import time

import lab
import session
from session import SLOW


class NeverConverges(session.Case):
    guest_keys = {'ws': 16, 'rate': 24}

    def acts(self, ended):
        return [act['action'] for act in ended.report['acts']]

    def moved(self, *words):
        source = self.at
        ended = session.migrate(*SLOW, *words, source=source)
        self.assert_moved(ended, session.other(source))
        return ended

    def stayed(self, reason, *words):
        source = self.at
        ended = session.migrate(*SLOW, *words, source=source)
        self.assert_stayed(ended, reason, host=source)
        return ended

    def test_the_limit_is_raised_step_by_step_until_it_ends(self):
        ended = self.moved('--downtime', '100', '--downtime-ceiling', '20000', '--downtime-steps', '2',
                           '--stall', 'raise', '--stall-iterations', '1', '--deadline', '120')
        self.assertIn('raise-downtime', self.acts(ended))
        self.assertNotIn('abort', self.acts(ended))

    def test_the_switchover_is_forced_at_a_stall(self):
        ended = self.moved('--stall', 'force', '--stall-iterations', '1', '--deadline', '120')
        self.assertEqual(self.acts(ended)[-1], 'force-switchover')

    def test_it_is_aborted_at_a_stall(self):
        ended = self.stayed('stalled', '--stall', 'abort', '--stall-iterations', '1', '--deadline', '120')
        self.assertEqual(self.acts(ended)[-1], 'abort')
        self.assertGreater(ended.last['stalls'], 0)

    @lab.long
    def test_a_stall_has_a_deadline(self):
        self.stayed('stalled', '--stall', 'continue', '--stall-deadline', '5', '--deadline', '120')

    @lab.long
    def test_a_deadline_aborts(self):
        began = time.monotonic()
        self.stayed('total-deadline', '--stall', 'continue', '--deadline', '20')
        self.assertLess(time.monotonic() - began, 60)

    @lab.long
    def test_a_deadline_forces_the_switchover(self):
        ended = self.moved('--stall', 'continue', '--deadline', '20', '--on-deadline', 'force')
        self.assertEqual(self.acts(ended), ['force-switchover'])

    @lab.long
    def test_a_qemu_that_is_not_ready_in_time(self):
        # under emulation it takes seconds to start
        ended = self.stayed('setup-deadline', '--setup-deadline', '1')
        self.assertNotIn('pre-copy', ended.phases())

    def test_limits_that_cannot_be_met_are_refused_before_anything_is_started(self):
        ended = self.stayed('never-converges', '--downtime', '100', '--vf-state', '64')
        self.assertNotIn('setup', ended.phases())


class Cancelled(session.Case):
    guest_keys = {'ws': 16, 'rate': 24}

    def repair(self):
        mend = f'kill -CONT $(cat /run/libvirtd.pid); echo clear > {session.SIMULATOR}fault'
        lab.on_each(lambda host: lab.run(host, mend))

    def cancel(self, running, source):
        running.signal('INT')
        running.end()
        self.repair()
        self.assert_stayed(running, 'cancelled', host=source, phase='cancelled')

    @lab.long
    def test_in_the_preflight_although_a_daemon_hangs(self):
        source = self.at
        snapshot = lab.snapshot(session.other(source))
        lab.run(session.other(source), 'kill -STOP $(cat /run/libvirtd.pid)')
        running = session.Session('--domain', lab.GUEST, '--to', session.uri(session.other(source)), '--destination',
                                  snapshot, '--answer-deadline', '5', host=source)
        running.wait_for('preflight')
        running.signal('INT')
        running.end()
        self.repair()
        self.assert_stayed(running, 'cancelled', host=source, phase='cancelled')
        self.assertNotIn('setup', running.phases())

    @lab.long
    def test_while_the_destination_is_prepared(self):
        source = self.at
        there = session.other(source)
        lab.run(there, f'for vf in {" ".join(lab.VFS)}; do echo $vf > /sys/bus/pci/drivers/mlx5_vfio_pci/unbind; done')
        lab.fault(there, 'hang op=SET_HCA_CAP ms=4000')
        running = session.Session(lab.GUEST, f'ssh://{there}', host=source)
        running.wait_for('prepare')
        running.signal('INT')
        running.end()
        self.assertEqual([lab.driver_of(there, vf) for vf in lab.VFS], ['', ''])
        lab.configure(there)
        self.assert_stayed(running, 'cancelled', host=source, phase='cancelled')
        self.assertNotIn('setup', running.phases())

    def test_while_qemu_is_started(self):
        source = self.at
        running = session.start(*SLOW, source=source)
        running.wait_for('setup')
        self.cancel(running, source)
        self.assertNotIn('switchover', running.phases())

    def test_in_pre_copy(self):
        source = self.at
        running = session.start(*SLOW, source=source)
        running.wait_for_pass(2)
        self.cancel(running, source)
        self.assertNotIn('switchover', running.phases())

    @lab.long
    def test_while_the_guest_stands_still(self):
        source = self.at
        # the first one comes while the guest runs, the last one when all has been sent
        lab.fault(session.other(source), 'hang op=LOAD_VHCA_STATE count=0 ms=10000')
        running = session.start('--bandwidth', '32', '--downtime', '60000', source=source)
        running.wait_for('switchover')
        self.cancel(running, source)


if __name__ == '__main__':
    lab.main()
