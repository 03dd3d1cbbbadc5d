#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions on the real drivers: a guest with a VF moves, or stays where it was and says why."""

import json
import pathlib
import time

import lab

TO_B = 'qemu+tcp://hostb/system'


def migrate(*words, source='hosta', destination='hostb', check=False, timeout=180):
    """Runs mlx5lm-migrate with one line of JSON for each event."""
    return lab.program(source, 'migrate', '--domain', lab.GUEST, '--to', f'qemu+tcp://{destination}/system',
                       '--destination', f'/share/{destination}.json', '--json', *words, check=check, timeout=timeout)


def events(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def phases(done):
    """The phases in their order, each once."""
    seen = []
    for event in events(done):
        if not seen or seen[-1] != event['phase']:
            seen.append(event['phase'])
    return seen


def state(host):
    """What a host is like: the simulator's parameters and a snapshot, which is left in /share."""
    parameters = lab.text(host, 'cd /sys/module/mlx5sim/parameters && grep . $(ls | grep -v commands)')
    return parameters, pathlib.Path(lab.share() / lab.snapshot(host)[len('/share/'):]).read_text('utf-8')


class Migration(lab.Case):
    @classmethod
    def setUpClass(cls):
        lab.reset()
        lab.on_each(lab.configure)
        cls.pristine = dict(zip(lab.HOSTS, lab.on_each(state)))

    def setUp(self):
        lab.on_each(self.tidy)

    def tidy(self, host):
        """Two ready VFs, no guest: a host that is as it was is left alone, for a new start takes long."""
        lab.run(host, '/lab/guest-stop', check=False)
        if state(host) != self.pristine[host]:
            lab.reset(host)
            lab.configure(host)
            lab.snapshot(host)

    def assert_moved(self, vf=lab.VFS[0]):
        self.assertEqual(lab.domain_state('hostb'), 'running')
        self.assertIsNone(lab.domain_state('hosta'))
        self.assertIn(f"bus='0x{vf[5:7]}' slot='0x{vf[8:10]}' function='0x{vf[11]}'",
                      lab.text('hostb', f'virsh dumpxml {lab.GUEST} | grep -A3 "<hostdev"'))
        self.assertEqual(lab.driver_of('hostb', vf), 'mlx5_vfio_pci')
        users = [entry.get('in_use_by') for entry in lab.probe('hostb')['pfs'][0]['vfs']]
        self.assertEqual(users.count(lab.GUEST), 1)

    @lab.long
    def test_the_guest_goes_on_with_its_memory_and_its_vf(self):
        lab.start_guest(rate=8)
        done = migrate('--bandwidth', '32', check=True)
        self.assert_moved()
        proof = lab.continuity(1)
        self.assertEqual(proof['proven'], True)
        last = events(done)[-1]
        self.assertEqual((last['event'], last['phase'], last['percent']), ('done', 'completed', 100))
        # the image of a VF is 1 MiB
        self.assertGreater(last['vfio_transferred_bytes'], 1 << 20)
        self.assertGreater(last['data_processed_bytes'], 1 << 20)
        self.assertGreater(last['downtime_ms'], 0)
        percents = [event['percent'] for event in events(done) if 'percent' in event]
        self.assertEqual(percents, sorted(percents))
        for phase in ('preflight', 'pre-copy', 'completed'):
            self.assertIn(phase, phases(done))

    @lab.long
    def test_there_and_back(self):
        lab.start_guest()
        migrate(check=True)
        for host in lab.HOSTS:
            lab.snapshot(host)
        migrate(source='hostb', destination='hosta', check=True)
        self.assertEqual(lab.domain_state('hosta'), 'running')
        lab.continuity(2)

    def test_a_transient_domain_moves_too(self):
        lab.start_guest(persistent='no')
        migrate(check=True)
        self.assert_moved()
        lab.continuity(1)

    def test_a_persistent_domain_is_defined_there_and_no_longer_here(self):
        lab.start_guest(persistent='yes')
        migrate('--vf', f'{lab.VFS[0]}={lab.VFS[1]}', check=True)
        self.assert_moved(lab.VFS[1])
        # what is defined has the new VF, too
        self.assertIn("function='0x3'", lab.text('hostb', f'virsh dumpxml --inactive {lab.GUEST} | grep -A3 "<hostdev"'))
        self.assertEqual(lab.text('hostb', f'virsh dominfo {lab.GUEST} | grep Persistent').split()[-1], 'yes')
        lab.continuity(1)

    @lab.long
    def test_cancel_in_mid_pre_copy_leaves_the_guest_at_the_source_with_its_vf(self):
        lab.start_guest(ws=32, rate=16)
        script = (f'/mlx5lm/bin/mlx5lm-migrate --domain {lab.GUEST} --to {TO_B} --destination /share/hostb.json '
                  '--bandwidth 4 --json > /tmp/events 2> /tmp/error & pid=$!; '
                  'for i in $(seq 600); do grep -q "pre-copy" /tmp/events && break; sleep 0.1; done; sleep 1; '
                  'kill -INT $pid; wait $pid; status=$?; cat /tmp/events; cat /tmp/error >&2; exit $status')
        done = lab.run('hosta', script, check=False)
        self.assert_fails(done, 'cancelled')
        self.assertIn('pre-copy', phases(done))
        self.assertEqual(phases(done)[-1], 'cancelled')
        self.assert_guest_untouched()

    @lab.long
    def test_a_deadline_ends_a_migration_that_never_converges(self):
        lab.start_guest(ws=32, rate=32)
        done = migrate('--bandwidth', '4', '--downtime', '1', '--deadline', '8')
        self.assert_fails(done, 'deadline', 'timeout')
        self.assert_guest_untouched()

    def test_a_destination_vf_that_is_not_there_is_named_before_the_job_starts(self):
        lab.start_guest()
        done = migrate('--vf', f'{lab.VFS[0]}=0000:40:00.7')
        self.assert_fails(done, '0000:40:00.7')
        self.assertEqual(phases(done), ['preflight', 'clean-up', 'failed'])
        self.assert_guest_untouched()

    def test_a_destination_vf_that_is_not_ready_is_named_before_the_job_starts(self):
        lab.run('hostb', f'echo {lab.VFS[1]} > /sys/bus/pci/drivers/mlx5_vfio_pci/unbind')
        lab.snapshot('hostb')
        lab.start_guest()
        done = migrate('--vf', f'{lab.VFS[0]}={lab.VFS[1]}')
        self.assert_fails(done, lab.VFS[1], 'mlx5_vfio_pci')
        self.assertNotIn('pre-copy', phases(done))
        self.assert_guest_untouched()

    def test_other_firmware_is_refused_before_the_job_starts(self):
        lab.lab_command('reload', 'hostb', 'fw_running=28.39.2048')
        lab.configure('hostb')
        lab.snapshot('hostb')
        lab.start_guest()
        done = migrate()
        self.assert_fails(done, '28.41.1000', '28.39.2048', 'incompatible')
        self.assertEqual(phases(done), ['preflight', 'clean-up', 'failed'])
        self.assert_guest_untouched()

    def test_firmware_that_changed_since_the_snapshot_fails_and_the_guest_goes_on(self):
        # The snapshot says equal; the destination's firmware then refuses the state of the VF.
        lab.start_guest()
        lab.run('hostb', 'echo 28.39.2048 > /sys/module/mlx5sim/parameters/fw_running')
        done = migrate('--deadline', '60')
        self.assertEqual(done.returncode, lab.NOT_READY, done.stdout + done.stderr)
        self.assertIn('runs on at the source', done.stderr)
        self.assert_guest_untouched()

    def test_a_destination_that_does_not_answer_is_an_error_with_its_uri(self):
        lab.start_guest()
        done = lab.program('hosta', 'migrate', '--domain', lab.GUEST, '--to', 'qemu+tcp://hostb:1/system',
                           '--destination', '/share/hostb.json', '--json')
        self.assert_fails(done, 'qemu+tcp://hostb:1/system')
        self.assert_guest_untouched()

    def test_a_domain_that_is_not_there_is_named(self):
        done = lab.program('hosta', 'migrate', '--domain', 'nobody', '--to', TO_B, '--destination',
                           '/share/hostb.json')
        self.assert_fails(done, 'nobody')

    @lab.long
    def test_the_agent_may_end_while_a_peer_to_peer_migration_goes_on(self):
        lab.start_guest(ws=16, rate=2)
        lab.run('hosta', f'/mlx5lm/bin/mlx5lm-migrate --domain {lab.GUEST} --to {TO_B} --destination '
                         '/share/hostb.json --bandwidth 8 --json > /tmp/events & pid=$!; '
                         'for i in $(seq 600); do grep -q "pre-copy" /tmp/events && break; sleep 0.1; done; '
                         'kill -KILL $pid; wait $pid', check=False)
        deadline = time.monotonic() + 60
        while lab.domain_state('hosta') and time.monotonic() < deadline:
            time.sleep(1)
        self.assert_moved()
        lab.continuity(1)


if __name__ == '__main__':
    lab.main()
