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
            lab.program(HOST, 'configure', '--pf', pf, '--vfs', '1', check=True)
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

    def test_a_hung_command_has_a_deadline(self):
        lab.reset(HOST)
        lab.fault(HOST, 'hang op=SET_HCA_CAP fn=1 ms=3000')
        self.assertEqual(lab.configure(HOST, check=False).returncode, lab.READY)


if __name__ == '__main__':
    lab.main()
