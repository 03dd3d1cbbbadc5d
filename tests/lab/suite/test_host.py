#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The snapshot of a real host: its form, what it costs others, and how long it takes when something hangs."""

import json

import jsonschema

import lab
from conditions import DEVICE, HOST, NOBODY, PF, by_hand, ready, reload

FIRST, SECOND = lab.VFS
STOP_COPY_P2P_PRE_COPY = 7
# What a probe may take beyond its deadline, on an emulated host that others slow down.
SLACK_S = 6
NO_DEBUGFS = 'umount /sys/kernel/debug'
DEBUGFS = 'mount -t debugfs debugfs /sys/kernel/debug'


def probe(*words, prefix=(), before='', after=''):
    """Snapshot, and the seconds until it was there by the host's own clock.

    The program itself may take longer: Linux does not let a process end while a thread of it waits for a lock.
    """
    command = ' '.join((*prefix, '/mlx5lm/bin/mlx5lm-probe', '--json', *words))
    done = lab.run(HOST, f'''{before}
        rm -f /tmp/snapshot.json
        read -r start _ < /proc/uptime
        {command} > /tmp/snapshot.json 2> /tmp/error & prober=$!
        until [ -s /tmp/snapshot.json ] || ! kill -0 $prober; do sleep 0.1; done
        read -r end _ < /proc/uptime
        {after}
        wait $prober || [ $? != {lab.USAGE} ] || cat /tmp/error >&2
        echo "$start $end"; cat /tmp/snapshot.json''')
    times, snapshot = done.stdout.split('\n', 1)
    start, end = (float(time) for time in times.split())
    return json.loads(snapshot), end - start


def vfs(snapshot):
    return {vf['bdf']: vf for vf in snapshot['pfs'][0]['vfs']}


def notes(snapshot, about):
    return [note['text'] for note in snapshot.get('notes', []) if note['object'] == about]


def schema(name):
    return json.loads((lab.PROJECT / 'doc' / 'schema' / f'{name}-1.json').read_text('utf-8'))


class Form(lab.Case):
    def assert_valid(self, document, name):
        validator = jsonschema.validators.validator_for(schema(name))(schema(name))
        self.assertEqual([f'{error.json_path}: {error.message}' for error in validator.iter_errors(document)], [])

    def test_what_is_printed_fits_the_published_schemas(self):
        for state, make in (('bare', reload), ('by hand', by_hand), ('ready', ready)):
            with self.subTest(state):
                make()
                self.assert_valid(lab.probe(HOST), 'host')
                self.assert_valid(json.loads(lab.program(HOST, 'probe', '--findings').stdout), 'findings')
                self.assert_valid(probe(prefix=NOBODY)[0], 'host')

    def test_the_schema_refuses_what_no_probe_prints(self):
        snapshot = lab.probe(HOST)
        snapshot['pfs'][0]['psid'] = 838
        with self.assertRaises(AssertionError):
            self.assert_valid(snapshot, 'host')

    def test_the_same_state_gives_the_same_bytes(self):
        ready()
        first, second = (lab.program(HOST, 'probe', '--json').stdout for _ in range(2))
        self.assertEqual(first, second)

    def test_no_secret_of_the_command_line_is_in_it(self):
        self.assertNotIn('memmap', json.dumps(lab.probe(HOST)))
        self.assertIn('intel_iommu=on', lab.probe(HOST)['kernel_cmdline'])


class Vfio(lab.Case):
    """Without debugfs, as on most hosts, only opening a VF tells what it offers."""
    def setUp(self):
        ready()
        lab.run(HOST, NO_DEBUGFS)

    def tearDown(self):
        lab.run(HOST, DEBUGFS)

    def test_an_idle_vf_is_not_opened_unless_it_is_asked_for(self):
        for vf in vfs(probe()[0]).values():
            self.assertNotIn('vfio_migration', vf)

    def test_an_idle_vf_tells_its_flags_when_it_is_opened(self):
        for vf in vfs(probe('--open-vfs')[0]).values():
            self.assertEqual((vf['vfio_source'], vf['vfio_migration_flags'], vf['vfio_dirty_tracking']),
                             ('group', STOP_COPY_P2P_PRE_COPY, 'yes'))

    def test_debugfs_tells_the_same_without_opening(self):
        opened = vfs(probe('--open-vfs')[0])
        lab.run(HOST, DEBUGFS)
        try:
            looked = vfs(probe()[0])
        finally:
            lab.run(HOST, NO_DEBUGFS)
        for bdf in lab.VFS:
            self.assertEqual(looked[bdf].pop('vfio_source'), 'debugfs')
            opened[bdf].pop('vfio_source')
            self.assertEqual(looked[bdf], opened[bdf])

    def test_a_vf_of_a_guest_is_not_touched(self):
        lab.start_guest(HOST)
        try:
            before = lab.continuity(0)['beats']
            seen = vfs(probe('--open-vfs')[0])
            self.assertEqual(seen[FIRST]['in_use_by'], lab.GUEST)
            self.assertNotIn('vfio_migration_flags', seen[FIRST])
            self.assertEqual(seen[SECOND]['vfio_migration_flags'], STOP_COPY_P2P_PRE_COPY)
            lab.run(HOST, 'sleep 1')
            # the guest verifies its counter in the VF with each beat
            self.assertGreater(lab.continuity(0)['beats'], before)
            self.assert_guest_untouched(HOST, other=None)
        finally:
            lab.lab_command('guest-stop', HOST, lab.GUEST)


class Deadlines(lab.Case):
    def test_a_pf_that_another_process_reconfigures_costs_no_more_than_the_deadline(self):
        reload('vf_probe_latency_ms=20000')
        try:
            # the kernel holds the PF's device lock while the driver of its new VF starts
            snapshot, seconds = probe(
                '--timeout', '3', '--libvirt', "''",
                before=f'echo 1 > {DEVICE}/sriov_numvfs & changer=$!; until [ -e {DEVICE}/virtfn0 ]; do sleep 0.1; done',
                after='kill -0 $changer || { echo "the change was over before the probe" >&2; exit 1; }')
            self.assertLess(seconds, 3 + SLACK_S)
            self.assertEqual(snapshot['pfs'][0]['bdf'], PF)
            self.assertEqual(snapshot['kernel_release'], lab.text(HOST, 'uname -r'))
            self.assertEqual(snapshot['pfs'][0]['psid'], 'MT_0000000838')
        finally:
            lab.run(HOST, 'echo 0 > /sys/module/mlx5sim/parameters/vf_probe_latency_ms')
            reload()

    def test_a_libvirt_daemon_that_hangs_costs_no_more_than_the_deadline(self):
        ready()
        try:
            snapshot, seconds = probe('--timeout', '3', before='kill -STOP $(cat /run/libvirtd.pid)')
            self.assertLess(seconds, 3 + SLACK_S)
            self.assertNotIn('libvirt_daemon_version', snapshot)
            self.assertTrue(notes(snapshot, 'libvirt'))
            self.assertEqual(snapshot['pfs'][0]['eswitch_mode'], 'switchdev')
        finally:
            lab.run(HOST, 'kill -CONT $(cat /run/libvirtd.pid)')

    def test_a_libvirt_daemon_that_is_gone_costs_nothing(self):
        try:
            snapshot, seconds = probe(before='/lab/daemon stop')
            self.assertLess(seconds, SLACK_S)
            self.assertTrue(notes(snapshot, 'libvirt'))
        finally:
            lab.run(HOST, '/lab/daemon start')


class Rights(lab.Case):
    def test_nobody_sees_what_sysfs_shows_and_is_told_what_else_it_takes(self):
        ready()
        snapshot, _ = probe(prefix=NOBODY)
        pf = snapshot['pfs'][0]
        self.assertNotIn('eswitch_mode', pf)
        self.assertEqual((pf['psid'], pf['fw_running'], pf['driver']), ('MT_0000000838', '28.41.1000', 'mlx5_core'))
        self.assertEqual({vf['driver'] for vf in pf['vfs']}, {'mlx5_vfio_pci'})
        self.assertTrue([text for text in notes(snapshot, PF) if 'CAP_NET_ADMIN' in text], snapshot['notes'])
        granted = {entry['name']: entry['granted'] for entry in snapshot['privileges']}
        # the daemon of the lab lets everybody in
        self.assertEqual(granted.pop('libvirt'), 'yes')
        self.assertEqual(set(granted.values()), {'no'}, granted)

    def test_root_may_do_every_step(self):
        granted = {entry['name']: entry['granted'] for entry in lab.probe(HOST)['privileges']}
        self.assertIn('num-vfs', granted)
        self.assertEqual(set(granted.values()), {'yes'}, granted)


if __name__ == '__main__':
    lab.main(HOST)
