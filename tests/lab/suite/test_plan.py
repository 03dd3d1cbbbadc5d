#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans on the real mlx5_core: shown, applied, read back by other programs, not done twice."""

import json
import re

import lab

HOST = 'hosta'


def port_of(index):
    """The devlink port of a VF, found by devlink itself."""
    for name, port in lab.devlink(HOST, 'port', 'show')['port'].items():
        if name.startswith(f'pci/{lab.PF}/') and port.get('flavour') == 'pcivf' and port.get('vfnum') == index:
            return port
    raise AssertionError(f'no devlink port of VF {index}')


class Plan(lab.Case):
    def setUp(self):
        lab.reset(HOST)

    @classmethod
    def tearDownClass(cls):
        lab.reset(HOST)

    def assert_ready(self, num_vfs=2):
        """The end state, by devlink and sysfs."""
        mode = lab.devlink(HOST, 'dev', 'eswitch', 'show', f'pci/{lab.PF}')['dev'][f'pci/{lab.PF}']['mode']
        self.assertEqual(mode, 'switchdev')
        device = f'/sys/bus/pci/devices/{lab.PF}'
        self.assertEqual(lab.text(HOST, f'cat {device}/sriov_numvfs'), str(num_vfs))
        self.assertEqual(lab.text(HOST, f'cat {device}/sriov_drivers_autoprobe'), '1')
        for index in range(num_vfs):
            function = port_of(index)['function']
            self.assertEqual(function['migratable'], 'enable')
            self.assertEqual(function['hw_addr'], lab.MACS[index])
            self.assertEqual(lab.driver_of(HOST, lab.VFS[index]), 'mlx5_vfio_pci')

    def assert_nothing_to_do(self):
        self.assertIn('nothing to do', lab.configure(HOST).stdout)

    def test_a_dry_run_changes_nothing(self):
        before = lab.program(HOST, 'probe', '--json').stdout
        done = lab.program(HOST, 'configure', '--pf', lab.PF, '--vfs', '2', '--dry-run', check=True)
        self.assertRegex(done.stdout, r'eswitch-mode +0000:40:00\.0 +legacy -> switchdev')
        self.assertEqual(lab.program(HOST, 'probe', '--json').stdout, before)

    def test_it_is_applied_in_the_order_shown_and_read_back(self):
        done = lab.configure(HOST)
        planned, applied = lab.planned(done.stdout), lab.applied(done.stdout)
        self.assertRegex(done.stdout.splitlines()[-1],
                         rf'^done: {len(planned)} of {len(planned)} steps in .*, [1-9]\d* files written, '
                         r'[1-9]\d* netlink messages$')
        self.assertEqual(applied, planned)
        self.assertLess(planned.index('eswitch-mode'), planned.index('port-attr'))
        self.assertLess(planned.index('port-attr'), planned.index('bind'))
        self.assert_ready()
        host = lab.probe(HOST)
        self.assertEqual([vf['migratable'] for vf in host['pfs'][0]['vfs']], ['enable'] * 2)
        self.assertEqual([vf['bdf'] for vf in host['pfs'][0]['vfs']], list(lab.VFS))

    def changes_announced(self):
        """Configures the host; the lines with which devlink announces changes meanwhile."""
        command = ' '.join(['/mlx5lm/bin/mlx5lm-configure', '--apply', '--pf', lab.PF, '--vfs', '2',
                            *(f'--mac {index}={mac}' for index, mac in enumerate(lab.MACS))])
        return lab.text(HOST, f'devlink monitor > /tmp/monitor & pid=$!; sleep 1; {command} > /tmp/configure; '
                              'strace -f -qq -e trace=openat,open,openat2 -o /tmp/trace '
                              f'{command} > /dev/null; sleep 1; kill $pid; cat /tmp/monitor').splitlines()

    def test_the_second_run_writes_nothing(self):
        self.assertTrue(self.changes_announced())
        self.assertEqual(self.changes_announced(), [])
        trace = lab.text(HOST, 'cat /tmp/trace')
        self.assertIn('"sriov_totalvfs", O_RDONLY', trace, 'the trace does not even show reads')
        # The lock of the PF is on a file that only root can open, and that is to write.
        trace = re.sub(r'.*rescan".*\n', '', trace)
        self.assertNotRegex(trace, r'O_WRONLY|O_RDWR')
        self.assert_nothing_to_do()

    def test_a_ready_host_passes_the_check(self):
        lab.configure(HOST)
        done = lab.program(HOST, 'probe')
        self.assertEqual(done.returncode, lab.READY, done.stdout)

    def test_the_shell_form_leads_to_the_same_state(self):
        macs = [word for index in range(2) for word in ('--mac', f'{index}={lab.MACS[index]}')]
        script = lab.program(HOST, 'configure', '--pf', lab.PF, '--vfs', '2', *macs, '--shell', check=True).stdout
        lab.run_script(HOST, script)
        self.assert_ready()
        self.assert_nothing_to_do()

    def test_the_manual_procedure_leaves_nothing_to_do_but_addresses(self):
        lab.lab_command('vf-prepare-by-hand', HOST, '2')
        plan = json.loads(lab.program(HOST, 'configure', '--pf', lab.PF, '--vfs', '2', '--json').stdout)
        self.assertEqual(plan['steps'], [])

    def test_a_vf_bound_too_early_is_rebound(self):
        lab.configure(HOST)
        vf = lab.VFS[1]
        lab.run(HOST, f'echo {vf} > /sys/bus/pci/drivers/mlx5_vfio_pci/unbind')
        port = next(name for name, port in lab.devlink(HOST, 'port', 'show')['port'].items()
                    if port.get('vfnum') == 1 and port.get('flavour') == 'pcivf')
        lab.run(HOST, 'devlink', 'port', 'function', 'set', port, 'migratable', 'disable')
        lab.run(HOST, f'echo {vf} > /sys/bus/pci/drivers_probe')
        done = lab.configure(HOST)
        self.assertEqual(lab.planned(done.stdout), ['unbind', 'port-attr', 'bind'])
        self.assert_ready()

    def test_firmware_that_refuses_is_named_with_step_vf_and_the_kernels_words(self):
        # PF 0, VF 1 is function 2
        lab.fault(HOST, 'fail op=SET_HCA_CAP fn=2 count=0 status=0x3')
        done = lab.configure(HOST, check=False)
        self.assert_fails(done, 'port-attr', lab.VFS[1], 'migratable')
        self.assertIn('said: ', done.stderr)
        autoprobe = lab.text(HOST, f'cat /sys/bus/pci/devices/{lab.PF}/sriov_drivers_autoprobe')
        self.assertEqual(autoprobe, '1')
        lab.fault(HOST, 'clear')
        lab.configure(HOST)
        self.assert_ready()

    def test_an_adapter_that_cannot_migrate_is_refused(self):
        lab.lab_command('reload', HOST, 'migration=0')
        done = lab.configure(HOST, check=False)
        self.assertEqual(done.returncode, lab.NOT_READY, done.stdout)
        self.assertIn('migratable', done.stderr)

    def test_more_vfs_than_the_pf_offers_are_refused_untouched(self):
        done = lab.program(HOST, 'configure', '--pf', lab.PF, '--vfs', '9')
        self.assert_fails(done, 'offers 8 VFs, 9 are wanted', 'NUM_OF_VFS=9')

    def test_back_to_nothing(self):
        lab.configure(HOST)
        lab.program(HOST, 'configure', '--apply', '--pf', lab.PF, '--vfs', '0', check=True)
        pf = lab.probe(HOST)['pfs'][0]
        self.assertEqual((pf['sriov_num_vfs'], pf['eswitch_mode'], pf['vfs']), (0, 'legacy', []))

    def test_127_vfs_on_their_way(self):
        lab.lab_command('reload', HOST, 'max_vfs=127')
        lab.program(HOST, 'configure', '--apply', '--pf', lab.PF, '--vfs', '127', check=True, timeout=300)
        vfs = lab.probe(HOST)['pfs'][0]['vfs']
        self.assertEqual(len(vfs), 127)
        self.assertEqual({vf['driver'] for vf in vfs}, {'mlx5_vfio_pci'})
        self.assertEqual({vf['migratable'] for vf in vfs}, {'enable'})

    def test_vfs_of_a_running_guest_are_not_taken_away(self):
        lab.configure(HOST)
        lab.start_guest(HOST)
        done = lab.program(HOST, 'configure', '--pf', lab.PF, '--vfs', '4')
        self.assert_fails(done, lab.VFS[0], lab.GUEST)
        self.assertEqual(lab.domain_state(HOST), 'running')
        lab.continuity(0)


if __name__ == '__main__':
    lab.main(HOST)
