#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The example programs leak nothing and read nothing they should not, as valgrind sees it.

Usage: test_examples.py FOLDER, the one in which the programs were built.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tap
import whole_hosts

FAULT = 99
PF, VF = '0000:08:00.0', '0000:08:00.1'

# A host with one ConnectX-7 PF that has one VF, as sysfs and procfs show it
FILES = {
    'proc/sys/kernel/random/boot_id': '00000000-0000-4000-8000-000000000001\n',
    'proc/sys/kernel/hostname': 'recorded\n',
    'proc/sys/kernel/osrelease': '6.12.0\n',
    **{f'sys/devices/pci0000:00/{bdf}/{name}': value + '\n' for bdf, device in ((PF, '0x1021'), (VF, '0x101e'))
       for name, value in (('vendor', '0x15b3'), ('device', device), ('class', '0x020000'), ('revision', '0x00'),
                           ('subsystem_vendor', '0x15b3'), ('subsystem_device', '0x0026'), ('numa_node', '-1'))},
    **{f'sys/devices/pci0000:00/{PF}/sriov_{name}': value + '\n'
       for name, value in (('totalvfs', '8'), ('numvfs', '1'), ('offset', '1'), ('stride', '1'),
                           ('vf_device', '101e'), ('drivers_autoprobe', '1'))},
}
LINKS = {
    f'sys/bus/pci/devices/{PF}': f'../../../devices/pci0000:00/{PF}',
    f'sys/bus/pci/devices/{VF}': f'../../../devices/pci0000:00/{VF}',
    f'sys/devices/pci0000:00/{PF}/virtfn0': f'../{VF}',
    f'sys/devices/pci0000:00/{VF}/physfn': f'../{PF}',
}

# The same host as root of it would see it, before any VF is there
HOST = {'schema': 'mlx5lm.host', 'schema_version': 1, 'hostname': 'recorded', 'kernel_release': '6.12.0',
        'modules': [{'name': 'mlx5_vfio_pci', 'state': 'loadable'}],
        'pfs': [{'bdf': PF, 'device_id': 0x1021, 'class': 0x20000, 'driver': 'mlx5_core', 'eswitch_mode': 'legacy',
                 'sriov_total_vfs': 8, 'sriov_num_vfs': 0, 'sriov_offset': 1, 'sriov_stride': 1,
                 'sriov_autoprobe': 'yes'}]}


class Examples(unittest.TestCase):
    folder: pathlib.Path

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name) / 'host'
        for name, text in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, 'ascii')
        for name, target in LINKS.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).symlink_to(target)

    def run_program(self, name, *args, statuses=(0,), **run):
        result = subprocess.run(
            ['valgrind', '--quiet', f'--error-exitcode={FAULT}', '--leak-check=full',
             '--errors-for-leak-kinds=definite,indirect', self.folder / f'mlx5lm-{name}', *args],
            capture_output=True, text=True, check=False, timeout=100, **run)
        self.assertIn(result.returncode, statuses, result.stdout + result.stderr)
        return result.stdout

    def probe(self, *args):
        # ready or not is no matter of this test
        return self.run_program('probe', '--root', self.root, '--libvirt', '', *args, statuses=(0, 1, 2))

    def test_help_and_version(self):
        for name in ('probe', 'configure', 'compare', 'migrate', 'agent'):
            with self.subTest(name):
                self.assertIn(f'mlx5lm-{name}', self.run_program(name, '--help'))
                self.assertIn(f'mlx5lm-{name}', self.run_program(name, '--version'))

    def test_a_probe_of_a_recorded_host(self):
        text = self.probe()
        self.assertIn(PF, text)
        self.assertIn(VF, text)
        json.loads(self.probe('--findings'))

    def test_a_comparison_of_recorded_hosts(self):
        snapshot = self.root / 'host.json'
        snapshot.write_text(self.probe('--json'), 'utf-8')
        self.assertIn(PF, json.dumps(json.loads(snapshot.read_text('utf-8'))))
        self.run_program('compare', snapshot, snapshot, statuses=(0, 1, 2))

    def compare(self, *args, statuses=(0,), **files):
        """mlx5lm-compare of hosts, for which files are made."""
        for name, hosts in files.items():
            (self.root / name).write_text('\n'.join(map(json.dumps, hosts)), 'utf-8')
        return self.run_program('compare', *args, *(self.root / name for name in files), statuses=statuses)

    def test_a_comparison_for_a_domain(self):
        domain = self.root / 'domain.xml'
        xml = whole_hosts.domain('guest', whole_hosts.bdf_of(0), whole_hosts.bdf_of(1))
        domain.write_text(xml, 'utf-8')
        hosts = {'a': [whole_hosts.host('a', [whole_hosts.pf(in_use_by=['guest', 'guest'])])],
                 'b': [whole_hosts.host('b')]}
        wishes = ('--makeable', '--exclude', whole_hosts.bdf_of(1), '--numa', 'prefer')
        text = self.compare('--domain', domain, *wishes, **hosts)
        self.assertEqual(text.count('<hostdev'), 2)
        self.assertEqual(json.loads(self.compare('--json', '--domain', domain, **hosts))['verdict'], 'compatible')
        other = {**hosts, 'b': [whole_hosts.host('b', [whole_hosts.pf(1, psid='MT_0000000891')])]}
        self.assertEqual(self.compare('--domain', domain, statuses=(1,), **other), '')
        domain.write_text(xml.replace('</devices>', ''), 'utf-8')
        self.assertEqual(self.compare('--domain', domain, statuses=(1,), **hosts), '')

    def test_a_fleet_and_an_evacuation_from_a_stream(self):
        hosts = [whole_hosts.host(f'host{number}', [whole_hosts.pf(in_use_by=['guest'] if number == 2 else [])])
                 for number in range(5)]
        odd = whole_hosts.host('odd', [whole_hosts.pf(fw_running='28.42.1000')])
        for form in ((), ('--json',)):
            text = self.compare('--fleet', *form, statuses=(1,), fleet=[*hosts, {'not': 'a host'}, hosts[0], odd])
            self.assertIn('odd', text)
            self.assertIn('guest', self.compare('--evacuate', 'host2', *form, fleet=hosts))
            self.assertIn('guest', self.compare('--evacuate', 'host2', *form, statuses=(1,), fleet=[hosts[2], odd]))

    def configure(self, *args, host=None, statuses=(0,)):
        snapshot = self.root / 'host.json'
        snapshot.write_text(json.dumps(host or HOST), 'utf-8')
        return self.run_program('configure', '--host', snapshot, '--pf', PF, *args, statuses=statuses)

    def test_a_dry_run_of_a_configuration_in_each_form(self):
        wishes = ('--vfs', '4', '--mac', '0=02:00:00:00:00:01', '--vf', 'all:roce=disable', '--vf', '3:driver=')
        text = self.configure(*wishes, '--explain')
        self.assertIn('VFs 0-2', text)
        self.assertIn('nothing has been changed', text)
        steps = json.loads(self.configure(*wishes, '--json'))['steps']
        self.assertEqual([step['id'] for step in steps].count('bind'), 3)
        self.assertIn(f'devlink dev eswitch set pci/{PF} mode switchdev', self.configure(*wishes, '--shell'))

    def test_wishes_from_a_file(self):
        wishes = self.root / 'wishes.json'
        wishes.write_text(json.dumps({'schema': 'mlx5lm.config', 'schema_version': 1, 'num_vfs': 2,
                                      'vfs': [{'index': 1, 'hw_addr': '02:00:00:00:00:01'}],
                                      'eswitch_mode': 'switchdev'}), 'utf-8')
        self.assertIn('02:00:00:00:00:01', self.configure('--config', wishes))

    def test_a_configuration_that_is_there_or_cannot_be(self):
        self.assertIn('nothing to do', self.configure('--mode', 'legacy'))
        unknown = {**HOST, 'pfs': [{key: value for key, value in HOST['pfs'][0].items() if key != 'eswitch_mode'}]}
        for args, host, status in ((('--vfs', '9'), HOST, 1), (('--vf', '0:roce=enable'), HOST, 1),
                                   (('--vfs', '2'), unknown, 2), (('--vf', '0:roce=on'), HOST, 3)):
            self.assertEqual(self.configure(*args, host=host, statuses=(status,)), '')

    def test_a_snapshot_that_is_none(self):
        snapshot = self.root / 'host.json'
        snapshot.write_text('{"schema": ' + '[' * 4000, 'utf-8')
        self.run_program('compare', snapshot, snapshot, statuses=(1,))

    def agent(self):
        return [self.folder / 'mlx5lm-agent', '--root', self.root, '--libvirt', '', '--journal', '']

    def test_an_agent_and_what_it_is_asked(self):
        config = {'schema': 'mlx5lm.config', 'schema_version': 1, 'vfs': [{'index': 0, 'driver': 'mlx5_core'}]}
        requests = [('probe', {}), ('plan', {'pf': PF, 'config': config}), ('apply', {'pf': PF, 'config': config}),
                    ('apply', {'pf': PF, 'config': {**config, 'vfs': []}}), ('apply', {'pf': PF, 'config': {}}),
                    ('commit', {'vfs': [VF]}), ('commit', {'vfs': ['none']}), ('release', {'vfs': [VF]}), ('x' * 2000, {})]
        lines = [json.dumps({'id': number, 'method': method, 'params': params})
                 for number, (method, params) in enumerate(requests)]
        lines += ['{', ' ' * (2 << 20), '[]', '{"id": 1, "method": "probe", "other": 1}', '{"id": 9']
        answers = self.run_program('agent', *self.agent()[1:], input='\n'.join(lines)).splitlines()
        self.assertEqual(len(answers), len(lines))
        self.assertEqual(json.loads(answers[0])['result']['pfs'][0]['bdf'], PF)

    def test_a_migration_to_an_agent_that_finds_no_source(self):
        ssh = self.root / 'ssh'
        ssh.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, self.agent()))}\n', 'ascii')
        ssh.chmod(0o755)
        nowhere = 'test+unix:///nowhere?socket=/nonexistent'
        for words in (('ssh://me@host:22',), ('--to', nowhere)):
            text = self.run_program('migrate', 'guest', *words, '--from', nowhere, '--journal', '', statuses=(1,),
                                    env={**os.environ, 'PATH': f'{self.root}:{os.environ["PATH"]}'})
            self.assertIn('source-unreachable', text)
        self.run_program('migrate', '--attach', 'guest', '--journal', self.root, statuses=(1,))
        self.run_program('migrate', 'guest', 'ssh://-x', '--journal', '', statuses=(3,))


if __name__ == '__main__':
    Examples.folder = pathlib.Path(sys.argv[1])
    tap.main()
