#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulator by itself: what the tests above it rely on."""

import shutil
import subprocess

import lab

HOST = 'hosta'
OTHER_PF = '0000:41:00.0'
OTHER_VF = '0000:41:00.2'


class Simulator(lab.Case):
    @classmethod
    def setUpClass(cls):
        lab.reset(HOST)

    @classmethod
    def tearDownClass(cls):
        lab.reset(HOST)

    def two_cards(self, *parameters):
        """Two adapters in one host, each with a migratable VF on mlx5_vfio_pci."""
        lab.lab_command('reload', HOST, 'cards=2', 'dirty_pages=0', *parameters)
        for pf in (lab.PF, OTHER_PF):
            lab.program(HOST, 'configure', '--apply', '--pf', pf, '--vfs', '1', check=True)
        cache = subprocess.run(['bash', '-c', f'. {lab.LAB}/lib/common.sh; echo "$cache_dir"'],
                               capture_output=True, text=True, check=True).stdout.strip()
        shutil.copy(f'{cache}/vfguest', lab.share() / 'vfguest')

    def test_a_vf_driven_by_a_guest_survives_with_a_command_in_flight(self):
        self.two_cards()
        done = lab.run(HOST, '/share/vfguest', lab.VFS[0], OTHER_VF, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_and_in_chunks(self):
        self.two_cards('chunk=1', 'state_size=16777216')
        done = lab.run(HOST, '/share/vfguest', lab.VFS[0], OTHER_VF, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_state_of_another_psid_is_refused(self):
        self.two_cards('psid=MT_0000000838,MT_0000000999')
        done = lab.run(HOST, '/share/vfguest', lab.VFS[0], OTHER_VF, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('0x51a10008', lab.text(HOST, 'dmesg | grep LOAD_VHCA_STATE | tail -n 1'))

    def test_a_fault_hits_as_often_as_it_says(self):
        lab.reset(HOST)
        lab.fault(HOST, 'fail op=SET_HCA_CAP fn=1 count=1 status=0x3')
        self.assertEqual(lab.configure(HOST, check=False).returncode, lab.NOT_READY)
        self.assertEqual(lab.configure(HOST, check=False).returncode, lab.READY)

    def test_a_fault_of_any_change_leaves_queries_alone(self):
        lab.reset(HOST)
        lab.fault(HOST, 'fail op=change status=0x3')
        lab.devlink(HOST, 'dev', 'info')
        rule = '/sys/module/mlx5sim/parameters/fault'
        self.assertIn('op=change nth=1 count=1 status=0x3', lab.text(HOST, f'cat {rule}'))
        self.assertIn('seen=0 hit=0', lab.text(HOST, f'cat {rule}'))
        done = lab.run(HOST, f'devlink dev eswitch set pci/{lab.PF} mode switchdev', check=False)
        self.assertIn('Invalid argument', done.stderr)
        self.assertIn('hit=1', lab.text(HOST, f'cat {rule}'))
        lab.run(HOST, f'devlink dev eswitch set pci/{lab.PF} mode switchdev')

    def unbound_vfs(self, *parameters):
        lab.lab_command('reload', HOST, *parameters)
        lab.run(HOST, f'''set -e
            echo 0 > /sys/bus/pci/devices/{lab.PF}/sriov_drivers_autoprobe
            devlink dev eswitch set pci/{lab.PF} mode switchdev
            echo 2 > /sys/bus/pci/devices/{lab.PF}/sriov_numvfs''')

    def set_vectors(self, number, status=0):
        device = f'/sys/bus/pci/devices/{lab.VFS[0]}'
        done = lab.run(HOST, f'echo {number} > {device}/sriov_vf_msix_count', check=False)
        self.assertEqual(done.returncode != 0, status != 0, done.stderr)
        return lab.text(HOST, f'lspci -vs {lab.VFS[0]} | sed -n "s/.*MSI-X:.* Count=\\([0-9]*\\).*/\\1/p"')

    def test_vectors_are_shared_out_of_a_pool(self):
        self.unbound_vfs('dynamic_msix=200')
        self.assertEqual(lab.text(HOST, f'cat /sys/bus/pci/devices/{lab.PF}/sriov_vf_total_msix'), '200')
        self.assertEqual(self.set_vectors(7), '7')
        self.assertEqual(self.set_vectors(101, status=1), '7')
        self.assertEqual(self.set_vectors(1, status=1), '7')
        self.assertEqual(self.set_vectors(0), '100')

    def test_event_queues_can_be_limited(self):
        self.unbound_vfs()
        port = f'pci/{lab.PF}/1'
        read = f'devlink port show {port} 2>/dev/null'
        self.assertIn('max_io_eqs 60', lab.text(HOST, read))
        lab.run(HOST, f'devlink port function set {port} max_io_eqs 12')
        self.assertNotEqual(lab.run(HOST, f'devlink port function set {port} max_io_eqs 61', check=False).returncode, 0)
        self.assertIn('max_io_eqs 12', lab.text(HOST, read))
        self.unbound_vfs('io_eqs=0')
        self.assertNotIn('max_io_eqs', lab.text(HOST, read))

    def test_a_hung_command_has_a_deadline(self):
        lab.reset(HOST)
        lab.fault(HOST, 'hang op=SET_HCA_CAP fn=1 ms=3000')
        self.assertEqual(lab.configure(HOST, check=False).returncode, lab.READY)


if __name__ == '__main__':
    lab.main(HOST)
