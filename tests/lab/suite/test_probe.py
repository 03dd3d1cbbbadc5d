#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe on the real drivers, held against what other programs say of the same kernel."""

import json

import lab

HOST = 'hosta'


class Probe(lab.Case):
    @classmethod
    def setUpClass(cls):
        lab.reset(HOST)

    def test_a_bare_host_is_known_and_not_ready(self):
        facts = lab.probe(HOST)
        self.assertEqual(facts['hostname'], HOST)
        self.assertEqual(facts['kernel_release'], lab.text(HOST, 'uname -r'))
        self.assertEqual(facts['iommu_active'], 'yes')
        self.assertEqual(len(facts['pfs']), 1)
        done = lab.program(HOST, 'probe')
        self.assertEqual(done.returncode, lab.NOT_READY, done.stdout)
        self.assertIn(f'devlink dev eswitch set pci/{lab.PF} mode switchdev', done.stdout)

    def test_the_pf_is_as_devlink_and_sysfs_say(self):
        pf = lab.probe(HOST)['pfs'][0]
        info = lab.devlink(HOST, 'dev', 'info', f'pci/{lab.PF}')['info'][f'pci/{lab.PF}']
        self.assertEqual(pf['psid'], info['versions']['fixed']['fw.psid'])
        self.assertEqual(pf['fw_running'], info['versions']['running']['fw.version'])
        self.assertEqual(pf['fw_stored'], info['versions']['stored']['fw.version'])
        mode = lab.devlink(HOST, 'dev', 'eswitch', 'show', f'pci/{lab.PF}')['dev'][f'pci/{lab.PF}']['mode']
        self.assertEqual(pf['eswitch_mode'], mode)
        device = f'/sys/bus/pci/devices/{lab.PF}'
        self.assertEqual(pf['sriov_total_vfs'], int(lab.text(HOST, f'cat {device}/sriov_totalvfs')))
        self.assertEqual(pf['device_id'], int(lab.text(HOST, f'cat {device}/device'), 16))
        self.assertEqual(pf['driver'], 'mlx5_core')

    def test_modules_and_daemons_are_as_their_own_tools_say(self):
        facts = lab.probe(HOST)
        states = {module['name']: module['state'] for module in facts['modules']}
        self.assertEqual(states['mlx5_core'], 'loaded')
        self.assertIn(states['mlx5_vfio_pci'], ('loaded', 'loadable'))
        version = lab.text(HOST, 'libvirtd --version').split()[-1]
        major, minor, release = (int(part) for part in version.split('.'))
        self.assertEqual(facts['libvirt_daemon_version'], major * 1000000 + minor * 1000 + release)
        version = lab.text(HOST, 'qemu-system-x86_64 --version').split()[3]
        major, minor, release = (int(part) for part in version.split('.'))
        self.assertEqual(facts['qemu_version'], major * 1000000 + minor * 1000 + release)

    def test_without_rights_it_knows_less_and_claims_nothing(self):
        done = lab.run(HOST, 'setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups',
                       '--inh-caps=-all', '/mlx5lm/bin/mlx5lm-probe', '--json', '--libvirt', '', check=False)
        facts = json.loads(done.stdout)
        self.assertNotIn('eswitch_mode', facts['pfs'][0])
        self.assertEqual(facts['pfs'][0]['psid'], 'MT_0000000838')
        self.assertTrue([note for note in facts['notes'] if 'eswitch_mode' in note.get('facts', '').split()], facts['notes'])

    def test_another_adapter_with_pending_firmware_is_told(self):
        try:
            lab.lab_command('reload', HOST, 'device_id=a2dc', 'fw_running=32.41.1000', 'fw_stored=32.42.1000')
            found = json.loads(lab.program(HOST, 'probe', '--findings').stdout)['findings']
            found = {finding['id']: (finding['status'], finding.get('found')) for finding in found}
            self.assertEqual(found['adapter.model'], ('pass', 'BlueField-3 (15b3:a2dc)'))
            self.assertEqual(found['firmware.pending'], ('warn', 'running 32.41.1000, stored 32.42.1000'))
        finally:
            lab.reset(HOST)

    def test_old_firmware_fails_with_a_remedy(self):
        try:
            lab.lab_command('reload', HOST, 'fw_running=28.39.2048')
            done = lab.program(HOST, 'probe', '--findings')
            self.assertEqual(done.returncode, lab.NOT_READY)
            finding = next(entry for entry in json.loads(done.stdout)['findings']
                           if entry['id'] == 'firmware.version')
            self.assertEqual((finding['status'], finding['found']), ('fail', '28.39.2048'))
            self.assertTrue(finding['remedy'])
        finally:
            lab.reset(HOST)

    def test_python_sees_the_same_through_ctypes(self):
        (lab.share() / 'probe.py').write_text((lab.PROJECT / 'examples' / 'probe.py').read_text('utf-8'), 'utf-8')
        done = lab.run(HOST, 'python3', '/share/probe.py', check=False)
        self.assertEqual(done.returncode, lab.NOT_READY, done.stderr)
        ours = json.loads(lab.program(HOST, 'probe', '--findings').stdout)
        for finding in ours['findings']:
            self.assertRegex(done.stdout, rf'{finding["status"]} +{finding["id"]}')


if __name__ == '__main__':
    lab.main(HOST)
