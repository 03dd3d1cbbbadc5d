#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The script that a plan is written as, run by sh in a tree of files: it does what the plan says, and stops in time.

The kernel's part is played by plain files, and by stand-ins of devlink, ip and modprobe that keep what they are told.
What the script does to a real kernel is shown in the lab.
"""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from library import function, new, new_simple, parse, take_text, ctypes
import tap

PF = '0000:08:00.0'
COUNT = 5
SHELL = 2  # MLX5LM_PLAN_FORMAT_SHELL
CONFIG = {'schema': 'mlx5lm.config', 'schema_version': 1}
# devlink port index of each VF: no order that a script could guess
PORTS = [65537, 3, 65536, 12, 7]

DEVLINK = r'''#!/bin/sh
if [ "$1 $2" = "port show" ]; then
	echo "$@" >> "$LOG.show"
	[ "$(wc -l < "$LOG.show")" -gt "$LATE" ] || exit 0
	cat "$LOG.ports"
else
	echo devlink "$@" >> "$LOG"
fi
'''
KEEPS = '#!/bin/sh\necho "$(basename "$0")" "$@" >> "$LOG"\n'


def vf_bdf(index):
    return f'0000:08:00.{index + 2}'


def port_lines():
    # of another PF, of another host of the same adapter, of the PF itself: none is meant
    yield 'pci/0000:08:00.1/9: type eth netdev eth9 flavour pcivf controller 0 pfnum 1 vfnum 1 external false'
    yield f'pci/{PF}/10: type eth netdev eth10 flavour pcivf controller 1 pfnum 0 vfnum 1 external true'
    yield f'pci/{PF}/1: type eth netdev p0 flavour physical port 1 splittable false'
    for index, port in enumerate(PORTS):
        yield f'pci/{PF}/{port}: type eth netdev eth{index} flavour pcivf controller 0 pfnum 0 vfnum {index} ' \
              'external false splittable false'
        yield '  function:\n    hw_addr 00:00:00:00:00:00 roce enable migratable disable'


def host(num_vfs, mode, **vf):
    vfs = [{'bdf': vf_bdf(index), 'index': index, 'iommu_group': 9 + index, 'port_index': PORTS[index], **vf}
           for index in range(num_vfs)]
    pf = {'bdf': PF, 'device_id': 0x1021, 'class': 0x20000, 'driver': 'mlx5_core', 'eswitch_mode': mode,
          'sriov_total_vfs': 8, 'sriov_num_vfs': num_vfs, 'sriov_offset': 2, 'sriov_stride': 1,
          'sriov_vf_total_msix': 128, 'sriov_autoprobe': 'yes', 'vfs': vfs}
    return {'schema': 'mlx5lm.host', 'schema_version': 1, 'kernel_release': '6.12.107', 'iommu_active': 'yes',
            'modules': [{'name': 'mlx5_vfio_pci', 'state': 'loadable'}, {'name': 'mlx5_core', 'state': 'loaded'}],
            'pfs': [pf]}


def script_of(snapshot, **wishes):
    made, config = parse('host', snapshot), parse('config', {**CONFIG, **wishes})
    plan = new('plan_new', made, PF.encode(), config)
    script = take_text(new_simple('plan_serialize', plan, ctypes.c_int(SHELL)))
    function('plan_free', None)(plan)
    function('config_free', None)(config)
    function('host_free', None)(made)
    return script


READY = {'num_vfs': COUNT, 'eswitch_mode': 'switchdev',
         'all_vfs': {'migratable': 'enable', 'driver': 'mlx5_vfio_pci', 'representor_state': 'up'}}
RELEASE = {'all_vfs': {'migratable': 'disable', 'driver': 'mlx5_core'}}


def make_ready():
    return script_of(host(0, 'legacy'), **READY)


def release():
    return script_of(host(COUNT, 'switchdev', driver='mlx5_vfio_pci', driver_override='mlx5_vfio_pci', roce='enable',
                          migratable='enable', representor_state='up'), **RELEASE)


class Shell(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        pci = self.root / 'sys/bus/pci'
        (pci / 'devices' / PF).mkdir(parents=True)
        for driver in ('mlx5_core', 'mlx5_vfio_pci'):
            (pci / 'drivers' / driver).mkdir(parents=True)
        for index in range(COUNT):
            (pci / 'devices' / vf_bdf(index)).mkdir()
            (pci / 'devices' / PF / f'virtfn{index}').symlink_to(f'../{vf_bdf(index)}')
        self.pci = pci
        programs = self.root / 'bin'
        programs.mkdir()
        for name, text in (('devlink', DEVLINK), ('ip', KEEPS), ('modprobe', KEEPS)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (self.root / 'log.ports').write_text('\n'.join(port_lines()) + '\n')

    def run_script(self, script, late=0):
        """Below the tree instead of /sys, with less patience; ports are there after so many questions."""
        script = script.replace('/sys/', f'{self.root}/sys/').replace('tries=100', 'tries=4')
        self.assertIn('tries=4', script)
        log = self.root / 'log'
        done = subprocess.run(['sh'], input=script, text=True, capture_output=True, check=False, timeout=60,
                              env={'PATH': f'{self.root}/bin:/usr/bin:/bin', 'LOG': str(log), 'LATE': str(late)})
        return done, log.read_text().splitlines() if log.exists() else []

    def value(self, path):
        return (self.pci / path).read_text()

    def test_it_makes_vfs_ready(self):
        done, log = self.run_script(make_ready())
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual([line for line in log if 'migratable' in line],
                         [f'devlink port function set pci/{PF}/{port} migratable enable' for port in PORTS])
        self.assertEqual([line for line in log if line.startswith('ip ')],
                         [f'ip link set dev eth{index} up' for index in range(COUNT)])
        self.assertIn(f'devlink dev eswitch set pci/{PF} mode switchdev', log)
        self.assertIn('modprobe mlx5_vfio_pci', log)
        self.assertEqual(self.value(f'devices/{PF}/sriov_numvfs'), f'{COUNT}\n')
        for index in range(COUNT):
            self.assertEqual(self.value(f'devices/{vf_bdf(index)}/driver_override'), 'mlx5_vfio_pci\n')
        self.assertEqual(self.value('drivers_probe'), f'{vf_bdf(COUNT - 1)}\n')
        self.assertEqual(self.value(f'devices/{PF}/sriov_drivers_autoprobe'), '1\n')

    def test_it_releases_vfs(self):
        done, log = self.run_script(release())
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual([line for line in log if 'migratable' in line],
                         [f'devlink port function set pci/{PF}/{port} migratable disable' for port in PORTS])
        self.assertEqual(self.value('drivers/mlx5_vfio_pci/unbind'), f'{vf_bdf(COUNT - 1)}\n')
        for index in range(COUNT):
            self.assertEqual(self.value(f'devices/{vf_bdf(index)}/driver_override'), '\n')

    def test_it_waits_for_ports(self):
        done, log = self.run_script(make_ready(), late=2)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual(len([line for line in log if 'migratable' in line]), COUNT)

    def test_it_does_not_wait_for_ever(self):
        done, log = self.run_script(make_ready(), late=1000)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f'VF 0 of PF {PF} has no port', done.stderr)

    def test_it_stops_at_the_first_failure(self):
        (self.root / 'bin/modprobe').write_text('#!/bin/sh\nexit 1\n')
        done, log = self.run_script(make_ready())
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse([line for line in log if 'migratable' in line])

    def test_a_vf_that_is_not_there_is_named(self):
        (self.pci / 'devices' / PF / 'virtfn3').unlink()
        done, _ = self.run_script(make_ready())
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f'PF {PF} has no VF 3', done.stderr)

    def test_nothing_a_snapshot_says_becomes_a_command(self):
        marker = self.root / 'executed'
        for evil in (f'x; touch {marker}; echo ', f'$(touch {marker})', f'`touch {marker}`', f"'; touch {marker}; '",
                     f'x\u2028touch {marker}', f'" ; touch {marker} ; "'):
            snapshot = host(COUNT, 'switchdev', driver=evil, driver_override=evil, hw_addr=evil, migratable='disable',
                            roce='enable', representor_state='down')
            for wishes in (READY, RELEASE, {'all_vfs': {'driver': ''}}):
                with self.subTest(evil=evil, wishes=list(wishes)):
                    self.run_script(script_of(snapshot, **wishes))
                    self.assertFalse(marker.exists())

    def test_shells_and_shellcheck_accept_it(self):
        for program in ('dash', 'shellcheck'):
            self.assertTrue(shutil.which(program), f'this test needs {program}')
        legacy = script_of(host(COUNT, 'switchdev', driver='mlx5_core'), eswitch_mode='legacy', num_vfs=0)
        for script in (make_ready(), release(), legacy):
            for command in (['dash', '-n'], ['bash', '-n'], ['shellcheck', '--shell=sh', '-']):
                done = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
                self.assertEqual((command, done.returncode, done.stdout + done.stderr), (command, 0, ''))

    def test_127_vfs_fit_on_a_page(self):
        snapshot = host(0, 'legacy')
        snapshot['pfs'][0]['sriov_total_vfs'] = 127
        self.assertLess(len(script_of(snapshot, **{**READY, 'num_vfs': 127}).splitlines()), 110)


if __name__ == '__main__':
    tap.main()
