#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One host, many conditions: each gives exactly these findings, and what they say to do mends them."""

import lab
from conditions import DEVICE, HOST, NOBODY, PF, bind, by_hand, findings, ready, reload, remedy, troubles

FIRST, SECOND = lab.VFS


class Conditions(lab.Case):
    @classmethod
    def setUpClass(cls):
        lab.reset(HOST)

    @classmethod
    def tearDownClass(cls):
        lab.reset(HOST)

    def assert_found(self, *expected, **options):
        """These are all the findings that a person has to look at; returns all."""
        found = findings(**options)
        self.assertEqual(troubles(found), sorted(expected), found)
        return found

    def follow(self, commands):
        """Types what a finding says."""
        self.assertTrue(commands)
        lab.run(HOST, f'set -e; {commands}')

    def test_a_ready_host_has_none(self):
        ready()
        self.assert_found()

    def test_a_bare_host_has_one_for_the_mode_and_one_for_the_vfs(self):
        reload()
        found = self.assert_found(('fail', 'eswitch.mode', PF), ('fail', 'vf.ready', PF))
        self.follow(remedy(found, 'eswitch.mode'))
        found = self.assert_found(('fail', 'vf.ready', PF))
        self.assertIn(f'mlx5lm-configure --pf {PF} --vfs 2', remedy(found, 'vf.ready'))

    def test_old_firmware(self):
        ready('fw_running=28.39.2048')
        found = self.assert_found(('fail', 'firmware.version', PF))
        self.assertIn(f'update the firmware of {PF}', remedy(found, 'firmware.version'))

    def test_firmware_counts_by_number_not_by_text(self):
        ready('fw_running=28.9.1000')
        self.assert_found(('fail', 'firmware.version', PF))

    def test_another_set_of_requirements_takes_the_same_firmware(self):
        ready('fw_running=28.36.1010')
        self.assert_found(('fail', 'firmware.version', PF))
        # which wants the kernel's own modules, and the lab has built some of its own
        self.assertEqual(troubles(findings('--profile', 'rhel')), [('fail', 'module.out_of_tree', 'host')])

    def test_stored_firmware_that_does_not_run_yet(self):
        ready('fw_stored=28.43.1014')
        found = self.assert_found(('warn', 'firmware.pending', PF))
        self.assertIn(f'devlink dev reload pci/{PF} action fw_activate', remedy(found, 'firmware.pending'))

    def test_firmware_without_the_migration_capability(self):
        reload('migration=0')
        by_hand()
        bind(FIRST)
        found = self.assert_found(('fail', 'pf.migratable', PF))
        self.assertIn(f'mstconfig -d {PF} set VF_MIGRATION_MODE=2', remedy(found, 'pf.migratable'))

    def test_firmware_without_the_capabilities_that_pre_copy_needs(self):
        for missing in ('multi_load=0', 'tracking_state=0'):
            with self.subTest(missing):
                ready(missing)
                found = self.assert_found(('fail', 'vf.ready', PF), ('warn', 'kernel.precopy_required', PF),
                                          ('warn', 'vf.bad_bind', FIRST), ('warn', 'vf.bad_bind', SECOND))
                self.assertIn(f'update the firmware of {PF}', remedy(found, 'kernel.precopy_required'))

    def test_firmware_that_does_not_track_dirty_pages(self):
        ready('tracking=0')
        found = self.assert_found(*(('warn', 'vf.dirty_tracking', vf) for vf in lab.VFS))
        self.assertIn(f'update the firmware of {PF}', remedy(found, 'vf.dirty_tracking'))

    def test_an_older_adapter_warns(self):
        ready('device_id=101d')
        found = self.assert_found(('warn', 'adapter.model', PF))
        self.assertIn('ConnectX-6 Dx', next(entry['found'] for entry in found if entry['id'] == 'adapter.model'))

    def test_a_bluefield_3_is_as_good(self):
        ready('device_id=a2dc')
        self.assert_found()

    def test_two_adapters_are_told_apart(self):
        ready('cards=2', 'fw_running=28.41.1000,28.39.2048')
        # a host is ready if one adapter is, and the other has no VFs
        self.assert_found()
        self.assertEqual(troubles(findings('--scope', PF)), [])
        other = '0000:41:00.0'
        self.assertEqual(troubles(findings('--scope', other)),
                         [('fail', id, other) for id in ('eswitch.mode', 'firmware.version', 'vf.ready')])

    def test_an_adapter_without_vfs(self):
        reload('max_vfs=0')
        found = self.assert_found(('fail', 'eswitch.mode', PF), ('fail', 'sriov.total_vfs', PF))
        self.assertIn(f'mstconfig -d {PF} set SRIOV_EN=1', remedy(found, 'sriov.total_vfs'))

    def test_legacy_mode_is_mended_in_three_steps(self):
        reload()
        lab.run(HOST, f'echo 0 > {DEVICE}/sriov_drivers_autoprobe; echo 2 > {DEVICE}/sriov_numvfs')
        found = self.assert_found(('fail', 'eswitch.mode', PF),
                                  *(('warn', 'vf.bad_bind', vf) for vf in lab.VFS))
        self.assertEqual(remedy(found, 'eswitch.mode'), f'devlink dev eswitch set pci/{PF} mode switchdev')
        self.follow(remedy(found, 'eswitch.mode'))
        found = self.assert_found(('fail', 'vf.ready', PF), *(('warn', 'vf.unfit', vf) for vf in lab.VFS))
        for vf in lab.VFS:
            self.follow(remedy(found, 'vf.unfit', vf))
        self.assert_found()

    def test_a_vf_that_is_not_migratable_is_mended_with_its_driver_bound(self):
        reload()
        by_hand()
        bind(FIRST)
        found = self.assert_found(('fail', 'vf.ready', PF), *(('warn', 'vf.unfit', vf) for vf in lab.VFS))
        self.assertIn(f'devlink port function set pci/{PF}/1 migratable enable', remedy(found, 'vf.unfit', FIRST))
        self.follow(remedy(found, 'vf.unfit', FIRST))
        self.assert_found(('warn', 'vf.unfit', SECOND))

    def test_a_vf_on_vfio_pci_is_mended(self):
        ready()
        lab.run(HOST, 'modprobe vfio_pci')
        bind(FIRST, 'vfio-pci')
        found = self.assert_found(('warn', 'vf.bad_bind', FIRST))
        for command in (f'echo {FIRST} > /sys/bus/pci/drivers/vfio-pci/unbind',
                        f'echo mlx5_vfio_pci > /sys/bus/pci/devices/{FIRST}/driver_override',
                        f'echo {FIRST} > /sys/bus/pci/drivers/mlx5_vfio_pci/bind'):
            self.assertIn(command, remedy(found, 'vf.bad_bind'))
        self.follow(remedy(found, 'vf.bad_bind'))
        self.assert_found()

    def test_a_vf_on_the_host_s_own_driver_is_mended(self):
        ready()
        bind(SECOND, 'mlx5_core')
        found = self.assert_found(('warn', 'vf.bad_bind', SECOND))
        self.follow(remedy(found, 'vf.bad_bind'))
        self.assert_found()

    def test_a_vf_that_was_bound_too_early_is_mended(self):
        reload()
        by_hand()
        bind(FIRST)
        for index in (1, 2):
            lab.run(HOST, f'devlink port function set pci/{PF}/{index} migratable enable')
        bind(SECOND)
        found = self.assert_found(('warn', 'vf.bad_bind', FIRST))
        self.assertIn('bound before migratable was enabled',
                      next(entry['message'] for entry in found if entry['id'] == 'vf.bad_bind'))
        self.follow(remedy(found, 'vf.bad_bind'))
        self.assert_found()

    def test_a_vf_that_a_guest_has_is_no_trouble(self):
        ready()
        lab.start_guest(HOST)
        try:
            found = self.assert_found()
            self.assertEqual([(entry['status'], entry['object'], entry['found']) for entry in found
                              if entry['id'] == 'vf.in_use'], [('info', FIRST, f'domain {lab.GUEST}')])
        finally:
            lab.lab_command('guest-stop', HOST, lab.GUEST)

    def test_ids_that_vfio_pci_takes_for_itself(self):
        ready()
        try:
            lab.run(HOST, 'echo options vfio-pci ids=15b3:101e > /etc/modprobe.d/vfio.conf; modprobe vfio_pci')
            found = self.assert_found(('warn', 'vfio.ids', 'host'))
            self.assertIn('echo 15b3 101e > /sys/bus/pci/drivers/vfio-pci/remove_id', remedy(found, 'vfio.ids'))
        finally:
            lab.run(HOST, 'rm /etc/modprobe.d/vfio.conf; rmmod vfio_pci')

    def test_a_kernel_without_the_module(self):
        module = '/lib/modules/$(uname -r)/updates/mlx5_vfio_pci.ko'
        config = '/boot/config-$(uname -r)'
        ready()
        try:
            lab.run(HOST, f'''set -e
                for vf in {FIRST} {SECOND}; do echo $vf > /sys/bus/pci/drivers/mlx5_vfio_pci/unbind; done
                rmmod mlx5_vfio_pci
                mv {module} {config} /root/
                depmod''')
            found = self.assert_found(('fail', 'module.mlx5_vfio_pci', 'host'))
            self.assertIn('CONFIG_MLX5_VFIO_PCI', remedy(found, 'module.mlx5_vfio_pci'))
            # with the configuration at hand it is known whether the kernel or a package is to blame
            lab.run(HOST, f'cp /root/config-* {config}')
            found = self.assert_found(('fail', 'module.mlx5_vfio_pci', 'host'))
            self.assertIn('modprobe mlx5_vfio_pci', remedy(found, 'module.mlx5_vfio_pci'))
            lab.run(HOST, f"sed -i 's/^CONFIG_MLX5_VFIO_PCI=m/# CONFIG_MLX5_VFIO_PCI is not set/' {config}")
            found = self.assert_found(('fail', 'module.mlx5_vfio_pci', 'host'))
            self.assertIn('built without CONFIG_MLX5_VFIO_PCI', remedy(found, 'module.mlx5_vfio_pci'))
        finally:
            lab.run(HOST, f'mv /root/mlx5_vfio_pci.ko {module}; mv /root/config-* {config}; depmod; '
                          'modprobe mlx5_vfio_pci')

    def test_a_pf_without_its_driver_is_mended(self):
        reload()
        lab.run(HOST, f'echo {PF} > /sys/bus/pci/drivers/mlx5_core/unbind')
        found = self.assert_found(('fail', 'pf.driver', PF))
        self.follow(remedy(found, 'pf.driver'))
        self.assert_found(('fail', 'eswitch.mode', PF), ('fail', 'vf.ready', PF))

    def test_without_libvirt(self):
        ready()
        try:
            lab.run(HOST, '/lab/daemon stop')
            found = self.assert_found(('unknown', 'libvirt.connection', 'host'))
            self.assertIn('virsh -c qemu:///system version', remedy(found, 'libvirt.connection'))
        finally:
            lab.run(HOST, '/lab/daemon start')

    def test_an_unprivileged_user_knows_less_and_blames_nothing(self):
        ready()
        found = self.assert_found(prefix=NOBODY)
        self.assertEqual([(entry['status'], entry['object']) for entry in found if entry['id'] == 'privileges'],
                         [('info', 'host')])
        self.assertIn('root', remedy(found, 'privileges'))

    def test_an_unprivileged_user_is_told_what_cannot_be_read(self):
        reload()
        found = self.assert_found(('fail', 'vf.ready', PF), ('unknown', 'eswitch.mode', PF), prefix=NOBODY)
        self.assertIn('CAP_NET_ADMIN', remedy(found, 'eswitch.mode'))


class NoIommu(lab.Case):
    """A host of its own: the IOMMU is a matter of the kernel's command line."""
    NAME = 'no-iommu'

    @classmethod
    def setUpClass(cls):
        cls.shared, lab.NAME = lab.NAME, cls.NAME
        lab.lab_command('down')
        lab.lab_command('up', '--only', HOST, '--no-iommu', '--mount', str(lab.mount))

    @classmethod
    def tearDownClass(cls):
        lab.lab_command('down')
        lab.NAME = cls.shared

    def test_no_iommu_is_one_finding_with_and_without_vfs(self):
        found = findings()
        self.assertEqual(troubles(found), [('fail', 'eswitch.mode', PF), ('fail', 'iommu.active', 'host'),
                                           ('fail', 'vf.ready', PF)])
        self.assertIn('intel_iommu=on', remedy(found, 'iommu.active'))
        by_hand()
        for index in (1, 2):
            lab.run(HOST, f'devlink port function set pci/{PF}/{index} migratable enable')
        self.assertEqual(troubles(findings()), [('fail', 'iommu.active', 'host')])


if __name__ == '__main__':
    lab.main(HOST)
