#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a comparison of two real snapshots says, held against what a migration then does.

The guest is moved by virsh alone, so that nothing of ours refuses what drivers and firmware would let through.
"""

import json
import re

import lab
from conditions import bind, by_hand

HERE, THERE = lab.HOSTS
VF, OTHER_VF = lab.VFS
QEMU_LOG = f'/var/log/libvirt/qemu/{lab.GUEST}.log'
MARK = 'a migration begins'
# how firmware (tests/lab/sim/README.md), driver and QEMU of the destination refuse a state
IDENTITY = r'LOAD_VHCA_STATE.*0x51a10008'
FIRMWARE = r'LOAD_VHCA_STATE.*0x51a10009'
NO_MIGRATION = r'Unknown savevm section or instance .*/vfio'
# The guest is a file of the hosts, which is worth a warning anywhere.
ALWAYS = 'domain.kernel'


def troubles(result):
    """What a person has to look at."""
    return sorted((entry['status'], entry['id']) for entry in result['findings']
                  if entry['status'] not in ('pass', 'info') and entry['id'] != ALWAYS)


def finding(result, wanted):
    return next(entry for entry in result['findings'] if entry['id'] == wanted)


def live_xml(host):
    """The guest's XML as libvirt migrates it, left in /share."""
    lab.run(host, f'virsh -q dumpxml --migratable {lab.GUEST} > /share/live.xml')
    return '/share/live.xml'


def guest_vf(host):
    """The VF that the guest has there."""
    return next(vf['bdf'] for vf in lab.probe(host)['pfs'][0]['vfs'] if vf.get('in_use_by') == lab.GUEST)


def uri(host):
    return f'qemu+tcp://{host}/system'


def compare(source, destination, *words):
    """Exit status and result of comparing the hosts as they are now."""
    snapshots = dict(zip(lab.HOSTS, lab.on_each(lab.snapshot)))
    done = lab.program(HERE, 'compare', '--json', *words, snapshots[source], snapshots[destination])
    return done.returncode, json.loads(done.stdout)


class Compare(lab.Case):
    @classmethod
    def setUpClass(cls):
        lab.reset()
        lab.on_each(lab.configure)

    def test_each_host_has_its_own_serial_number_and_uuid(self):
        facts = lab.on_each(lab.probe)
        self.assertEqual([host['hostname'] for host in facts], list(lab.HOSTS))
        self.assertEqual([host['pfs'][0]['serial_number'] for host in facts], ['SIM0000000001', 'SIM0000000002'])
        self.assertNotEqual(facts[0]['libvirt_uuid'], facts[1]['libvirt_uuid'])

    def test_equal_hosts_are_compatible_with_a_pair_for_each_vf(self):
        status, result = compare(HERE, THERE)
        self.assertEqual(status, lab.READY, result)
        self.assertEqual([(pair['source'], pair['destination']) for pair in result['pairs']],
                         [(vf, vf) for vf in lab.VFS])

    def test_a_host_is_not_compared_with_itself(self):
        status, result = compare(HERE, HERE)
        self.assertEqual(status, lab.NOT_READY, result)

    def test_a_source_without_vfs_is_told(self):
        try:
            lab.reset(HERE)
            status, result = compare(HERE, THERE)
            self.assertEqual(status, lab.NOT_READY)
            self.assertEqual(finding(result, 'vf.ready')['status'], 'fail')
        finally:
            lab.configure(HERE)

    def test_a_snapshot_that_was_tampered_with_is_refused(self):
        (lab.share() / 'bad.json').write_text('{"schema": "mlx5lm.host", "schema_version": 1, "pfs": 3}', 'utf-8')
        done = lab.program(HERE, 'compare', '/share/bad.json', '/share/bad.json')
        self.assert_fails(done, 'pfs', 'invalid-document')


class Verdicts(lab.Case):
    """One guest on hosta; hostb has another card or firmware each time."""
    moves = 0       # of the guest, from one host to the other
    there = None    # the parameters of hostb

    @classmethod
    def setUpClass(cls):
        lab.reset()
        lab.configure(HERE)

    def setUp(self):
        if lab.domain_state(HERE) != 'running':
            lab.on_each(lambda host: lab.run(host, '/lab/guest-stop'))
            lab.start_guest(HERE, persistent='no')
            Verdicts.moves = 0

    def other(self, *parameters):
        """hostb with these parameters and VFs that the library has made ready, as far as they can be."""
        if Verdicts.there == parameters:
            return
        Verdicts.there = None
        lab.lab_command('reload', THERE, *parameters)
        lab.configure(THERE)
        Verdicts.there = parameters

    def firmware(self, version):
        """hostb with other firmware: it may change under the driver, as after an update."""
        Verdicts.there = None
        lab.run(THERE, f'echo {version} > /sys/module/mlx5sim/parameters/fw_running')

    def migrate(self, source, destination, *words):
        """By virsh; with what its QEMU and the kernel of the destination have to say of it."""
        lab.run(destination, f'echo {MARK} > /dev/kmsg; rm -f {QEMU_LOG}')
        done = lab.run(source, 'virsh', '-q', 'migrate', '--live', '--p2p', *words, '--timeout', '60',
                       '--timeout-suspend', lab.GUEST, uri(destination), check=False, timeout=300)
        logs = lab.text(destination, f"cat {QEMU_LOG}; dmesg | tac | sed '/{MARK}/q'")
        return done.returncode, f'{done.stdout}{done.stderr}{logs}'

    def assert_moves(self, source, destination, *warnings, to=VF):
        """Compatible, with no more than these warnings; and it goes where the XML that is printed leads."""
        status, result = compare(source, destination, '--domain', live_xml(source), '--vf', f'{guest_vf(source)}={to}')
        self.assertEqual((status, troubles(result)), (lab.READY, [('warn', warning) for warning in warnings]), result)
        (lab.share() / 'destination.xml').write_text(result['destination_xml'], 'utf-8')
        status, said = self.migrate(source, destination, '--xml', '/share/destination.xml')
        self.assertEqual(status, 0, said)
        Verdicts.moves += 1
        self.assertEqual((lab.domain_state(source), lab.domain_state(destination)), (None, 'running'))
        self.assertEqual(guest_vf(destination), to)
        lab.continuity(self.moves)

    def assert_refused(self, source, destination, wanted, words):
        """Incompatible, for this reason alone; and refused in these words. The guest goes on."""
        status, result = compare(source, destination, '--domain', live_xml(source))
        self.assertEqual((status, troubles(result)), (lab.NOT_READY, [('fail', wanted)]), result)
        status, said = self.migrate(source, destination)
        self.assertNotEqual(status, 0, said)
        self.assertRegex(said, words)
        self.assertEqual((lab.domain_state(source), lab.domain_state(destination)), ('running', None))
        lab.continuity(self.moves)
        return finding(result, wanted)

    @lab.long
    def test_equal_hosts_there_onto_another_vf_and_back(self):
        self.other()
        self.assert_moves(HERE, THERE, to=OTHER_VF)
        self.assert_moves(THERE, HERE)

    def test_older_and_newer_firmware(self):
        self.other()
        for version, side in (('28.39.2048', 'destination'), ('28.43.1014', 'source')):
            with self.subTest(version):
                self.firmware(version)
                found = self.assert_refused(HERE, THERE, 'firmware.version', FIRMWARE)
                self.assertEqual((found['source'], found['destination'], found['side']), ('28.41.1000', version, side))
                self.assertIn(f'update the {side}', found['remedy'])

    def test_another_psid(self):
        self.other('psid=MT_0000000999')
        found = self.assert_refused(HERE, THERE, 'firmware.psid', IDENTITY)
        self.assertEqual((found['source'], found['destination']), ('MT_0000000838', 'MT_0000000999'))

    @lab.long
    def test_another_model_whatever_its_psid_says(self):
        self.other('device_id=1023', 'psid=MT_0000000838', 'fw_running=28.41.1000')
        self.assert_refused(HERE, THERE, 'adapter.device_id', IDENTITY)

    @lab.long
    def test_state_in_chunks_on_one_side_and_no_count_of_event_queues(self):
        self.other('chunk=1', 'state_size=16777216', 'io_eqs=0')
        self.assert_moves(HERE, THERE)
        self.assert_moves(THERE, HERE)

    def test_without_dirty_tracking_a_vf_can_come_and_not_go(self):
        self.other('tracking=0')
        self.assert_moves(HERE, THERE, 'vf.dirty_tracking')
        self.assert_refused(THERE, HERE, 'vf.dirty_tracking', "doesn't support device and IOMMU dirty tracking")

    @lab.long
    def test_firmware_without_what_pre_copy_needs(self):
        self.other('multi_load=0')
        self.assert_refused(HERE, THERE, 'vf.free', NO_MIGRATION)

    def test_firmware_without_migration(self):
        Verdicts.there = None
        lab.lab_command('reload', THERE, 'migration=0')
        by_hand(host=THERE)
        bind(VF, host=THERE)
        self.assert_refused(HERE, THERE, 'vf.free', NO_MIGRATION)

    @lab.long
    def test_vfs_with_fewer_interrupts(self):
        self.other('dynamic_msix=200')
        self.assert_refused(HERE, THERE, 'vf.msix_count', 'Failed to load PCIDevice:config')

    def test_daemons_are_asked_for_the_domain_and_its_cpu(self):
        self.other()
        status, result = compare(HERE, THERE, '--domain', lab.GUEST, '--connect', 'qemu:///system', '--to', uri(THERE))
        self.assertEqual((status, troubles(result)), (lab.READY, []), result)
        self.assertEqual(finding(result, 'domain.cpu')['status'], 'pass')
        # the same as from the XML that virsh reads
        again = compare(HERE, THERE, '--domain', live_xml(HERE))[1]
        self.assertEqual(result['destination_xml'], again['destination_xml'])

    def test_a_cpu_that_the_destination_cannot_emulate(self):
        self.other()
        xml = (lab.share() / live_xml(HERE)[len('/share/'):]).read_text('utf-8')
        xml = re.sub(r'<cpu .*</cpu>', "<cpu mode='custom' match='exact' check='partial'><model>qemu64</model>"
                                       "<feature policy='require' name='avx512f'/></cpu>", xml, flags=re.S)
        (lab.share() / 'cpu.xml').write_text(xml, 'utf-8')
        status, result = compare(HERE, THERE, '--domain', '/share/cpu.xml', '--to', uri(THERE))
        self.assertEqual((status, troubles(result)), (lab.NOT_READY, [('fail', 'domain.cpu')]), result)
        # and so says libvirt itself
        done = lab.run(HERE, f'virsh -c {uri(THERE)} hypervisor-cpu-compare --virttype qemu /share/cpu.xml', check=False)
        self.assertIn('incompatible', done.stdout + done.stderr)

    def test_a_daemon_that_does_not_answer_is_an_error(self):
        snapshot = lab.snapshot(HERE)
        done = lab.program(HERE, 'compare', '--domain', live_xml(HERE), '--to', 'qemu+tcp://hostb:1/system',
                           snapshot, snapshot)
        self.assert_fails(done, 'qemu+tcp://hostb:1/system')


if __name__ == '__main__':
    lab.main()
