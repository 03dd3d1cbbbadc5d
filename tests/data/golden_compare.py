#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What doc/compare.md shows is what mlx5lm-compare prints, and its options do what --help says.

Usage: golden_compare.py [--renew] PROGRAM, the latter as it was built; --renew writes the outputs of the document
anew. The files that the document works on are made here.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import golden
import tap
import whole_hosts
from whole_hosts import bdf_of

DOCUMENT = HERE.parent.parent / 'doc/compare.md'
NEWER = {'fw_running': '28.42.1000', 'fw_stored': '28.42.1000'}
XML = whole_hosts.domain('web', bdf_of(0))


def fleet():
    """Twenty hosts: two behind with their firmware, one ahead, one with another adapter, one that hides its PSID."""
    for number in range(1, 21):
        facts = {4: {'fw_running': '28.40.1000', 'fw_stored': '28.40.1000'}, 17: NEWER,
                 11: {'psid': 'MT_0000000891'}}.get(number, {})
        if number == 9:
            facts = {'fw_running': '28.40.1000', 'fw_stored': '28.41.1000'}
        adapter = whole_hosts.pf(**facts)
        if number == 14:
            del adapter['psid']
        yield whole_hosts.host(f'host{number:02}', [adapter])


def rack():
    """A full host and two with room for most of its VMs."""
    yield whole_hosts.host('hosta', [whole_hosts.pf(8, ['web', 'db', 'db', 'cache', 'mail', 'build', 'ci', 'ci'])])
    yield whole_hosts.host('hostb', [whole_hosts.pf(6, ['shop'])])
    yield whole_hosts.host('hostc', [whole_hosts.pf(4, ['wiki', 'chat'])])


def stream(hosts):
    return '\n'.join(json.dumps(host) for host in hosts) + '\n'


FILES = {
    'hosta.json': json.dumps(whole_hosts.host('hosta', [whole_hosts.pf(in_use_by=['web'])])),
    'hostb.json': json.dumps(whole_hosts.host('hostb', [whole_hosts.pf(5, ['shop'])])),
    'hostc.json': json.dumps(whole_hosts.host('hostc', [whole_hosts.pf(**NEWER)])),
    'fleet.json': stream(fleet()),
    'rack.json': stream(rack()),
    'web.xml': XML,
}


class Programs(unittest.TestCase):
    program: pathlib.Path
    renew = False

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        for name, text in FILES.items():
            (self.folder / name).write_text(text, 'utf-8')

    def shell(self, command):
        path = f'{self.program.parent}:{os.environ["PATH"]}'
        return subprocess.run(['bash', '-c', f'exec 2>&1; {command}'], cwd=self.folder, capture_output=True, text=True,
                              check=False, timeout=60, env={**os.environ, 'PATH': path}).stdout

    def run_program(self, *args, status, stdin=None):
        done = subprocess.run([self.program, *args], cwd=self.folder, capture_output=True, text=True, check=False,
                              timeout=60, input=stdin)
        self.assertEqual(done.returncode, status, f'{args}: {done.stdout}{done.stderr}')
        return done


class Documented(Programs):
    def outputs(self, text):
        """The document with each output made anew: in an indented block, what is below a line "$ command"."""
        lines, in_output = [], False
        for line in text.splitlines():
            if line.startswith('    $ '):
                shown = self.shell(line.removeprefix('    $ ')).splitlines()
                lines += [line, *(f'    {words}'.rstrip() for words in shown)]
                in_output = True
            elif line and not line.startswith('    ') and in_output:
                lines += ['', line]
                in_output = False
            elif not in_output:
                lines.append(line)
        return '\n'.join(lines) + '\n'

    def test_the_document_shows_what_is_printed(self):
        written = DOCUMENT.read_text('utf-8')
        now = self.outputs(written)
        self.assertGreater(written.count('\n    $ mlx5lm-compare'), 4)
        if self.renew:
            DOCUMENT.write_text(now, 'utf-8')
        elif written != now:
            self.fail(f'{DOCUMENT.name}: {golden.difference(written, now)} (if that is right: tests/data/renew)')

    def test_another_output_is_noticed(self):
        written = DOCUMENT.read_text('utf-8')
        (self.folder / 'hostb.json').write_text(FILES['hostc.json'], 'utf-8')
        self.assertNotEqual(self.outputs(written), written)

    def test_everything_fits_into_80_columns(self):
        for path in golden.HOSTS.iterdir():
            # they are all called hostb
            host = {**json.loads((path / 'snapshot.json').read_text('utf-8')), 'hostname': path.name}
            (self.folder / f'{path.name}.json').write_text(json.dumps(host), 'utf-8')
        for command in ('mlx5lm-compare --help', 'mlx5lm-compare hosta.json hostb.json',
                        'mlx5lm-compare hosta.json hostc.json', 'mlx5lm-compare hosta.json hosta.json',
                        'mlx5lm-compare --domain web.xml hosta.json hostc.json', 'mlx5lm-compare --fleet fleet.json',
                        'mlx5lm-compare --evacuate hosta rack.json', 'mlx5lm-compare --evacuate host14 fleet.json',
                        'mlx5lm-compare --domain web.xml no-iommu.json container.json',
                        'mlx5lm-compare bluefield-3.json two-adapters.json', 'cat *-*.json | mlx5lm-compare -'):
            with self.subTest(command):
                output = self.shell(command + ' | cat')
                self.assertTrue(output)
                self.assertEqual(list(golden.too_wide(output)), [])


class Two(Programs):
    def test_the_exit_status_is_the_verdict(self):
        unknown = json.loads(FILES['hostb.json'])
        del unknown['pfs'][0]['psid']
        (self.folder / 'unknown.json').write_text(json.dumps(unknown), 'utf-8')
        for destination, status, verdict in (('hostb', 0, 'compatible'), ('hostc', 1, 'incompatible'),
                                             ('unknown', 2, 'unknown')):
            for options in ((), ('--domain', 'web.xml')):
                done = self.run_program('--json', *options, 'hosta.json', f'{destination}.json', status=status)
                self.assertEqual(json.loads(done.stdout)['verdict'], verdict)
                self.run_program(*options, 'hosta.json', f'{destination}.json', status=status)

    def test_the_xml_is_alone_on_standard_output(self):
        done = self.run_program('--domain', 'web.xml', 'hosta.json', 'hostb.json', status=0)
        self.assertEqual(done.stdout, whole_hosts.domain('web', bdf_of(1)))
        self.assertIn('hostb', done.stderr)
        without = self.run_program('hosta.json', 'hostb.json', status=0)
        self.assertEqual(without.stderr, '')
        self.assertIn('hostb', without.stdout)

    def test_a_vf_is_chosen(self):
        for options, index in (((f'--vf={bdf_of(0)}={bdf_of(3)}',), 3), (('--exclude', bdf_of(1)), 2),
                               (('--pf', whole_hosts.PF, '--numa', 'require'), 1)):
            with self.subTest(options):
                done = self.run_program('--domain', 'web.xml', *options, 'hosta.json', 'hostb.json', status=0)
                self.assertEqual(done.stdout, whole_hosts.domain('web', bdf_of(index)))
        done = self.run_program('--domain', 'web.xml', '--pf', '0000:99:00.0', 'hosta.json', 'hostb.json', status=1)
        self.assertEqual(done.stdout, '')

    def test_migrate_flags_are_looked_at(self):
        post_copy = 1 << 15  # VIR_MIGRATE_POSTCOPY
        self.run_program('--domain', 'web.xml', '--migrate-flags', '1', 'hosta.json', 'hostb.json', status=0)
        self.run_program('--domain', 'web.xml', '--migrate-flags', str(post_copy), 'hosta.json', 'hostb.json',
                         status=1)

    def test_libvirt_is_asked(self):
        """By the test driver, which needs no daemon: it has a domain "test" without any VF, and compares no CPU."""
        done = self.run_program('--json', '--domain', 'test', '--connect', 'test:///default', 'hosta.json',
                                'hostb.json', status=1)
        document = json.loads(done.stdout)
        self.assertEqual(document['domain'], 'test')
        self.assertEqual({finding['id']: finding['status'] for finding in document['findings']}['domain.vfs'], 'fail')
        self.run_program('--domain', 'web.xml', '--to', 'test:///default', 'hosta.json', 'hostb.json', status=0)
        cpu = "  <cpu mode='custom' match='exact'><model>Skylake-Server</model></cpu>\n  <devices>"
        (self.folder / 'cpu.xml').write_text(XML.replace('  <devices>', cpu, 1), 'utf-8')
        done = self.run_program('--domain', 'cpu.xml', '--to', 'test:///default', 'hosta.json', 'hostb.json', status=1)
        self.assertIn('virConnectCompareHypervisorCPU', done.stderr)

    def test_a_domain_that_cannot_be_read(self):
        for text in ('', '<domain', '<!DOCTYPE a><domain/>'):
            (self.folder / 'bad.xml').write_text(text, 'utf-8')
            done = self.run_program('--domain', 'bad.xml', 'hosta.json', 'hostb.json', status=1)
            self.assertEqual(done.stdout, '')
            self.assertIn('error: ', done.stderr)
        nowhere = 'test+unix:///nowhere?socket=/nonexistent'
        self.run_program('--domain', 'web', '--connect', nowhere, 'hosta.json', 'hostb.json', status=1)


class Many(Programs):
    def report(self, *args, status, stdin=None):
        return json.loads(self.run_program('--json', *args, status=status, stdin=stdin).stdout)

    def test_the_exit_status_tells_one_class_from_several(self):
        hosts = [whole_hosts.host(f'host{number}') for number in range(3)]
        odd = whole_hosts.host('odd', [whole_hosts.pf(**NEWER)])
        hidden = whole_hosts.host('hidden', [whole_hosts.pf()])
        del hidden['pfs'][0]['psid']
        two = [whole_hosts.pf(), whole_hosts.pf(bdf='0000:80:00.0', psid='MT_0000000891', vfs=[])]
        for fleet_hosts, status in ((hosts, 0), ([*hosts, odd], 1), ([*hosts, hidden], 2), ([*hosts, odd, hidden], 1),
                                    ([*hosts, whole_hosts.host('none', [])], 1), ([whole_hosts.host('none', [])], 1),
                                    ([whole_hosts.host(name, two) for name in ('a', 'b')], 0)):
            self.run_program('-', status=status, stdin=stream(fleet_hosts))

    def test_files_and_streams_are_the_same(self):
        hosts = list(fleet())
        names = []
        for host in hosts:
            names.append(f'{host["hostname"]}.json')
            (self.folder / names[-1]).write_text(json.dumps(host), 'utf-8')
        expected = self.run_program('--fleet', 'fleet.json', status=1).stdout
        pretty = ''.join(json.dumps(host, indent=1) for host in hosts)
        for args, stdin in ((names, None), (['-'], FILES['fleet.json']), (['-'], pretty), (['-'], f'\n{pretty}\r\n'),
                            ([*names[:7], '-'], stream(hosts[7:]))):
            self.assertEqual(self.run_program(*args, status=1, stdin=stdin).stdout, expected)

    def test_braces_in_names_end_no_snapshot(self):
        for name in ('}', '{', '"}', '\\', '\\"}{', '{"'):
            done = self.run_program('-', status=0, stdin=stream([whole_hosts.host(name), whole_hosts.host('b')]))
            self.assertEqual(done.stderr, '')

    def test_a_snapshot_that_is_bad_is_left_out_and_named(self):
        hosts = [whole_hosts.host(name) for name in ('a', 'b', 'a')]
        done = self.run_program('-', status=2, stdin=stream([hosts[0], {'schema': 'other'}, *hosts[1:]]))
        for words in ('left out: standard input: snapshot 2: ', 'left out: standard input: snapshot 4: '):
            self.assertIn(words, done.stderr)
        self.assertNotIn('snapshot 3', done.stderr)

    def test_a_stream_that_is_none_is_an_error(self):
        good = json.dumps(whole_hosts.host('a'))
        for text, number, words in ((good + 'x', 2, "'{'"), (f'[{good}]', 1, "'{'"), (good[:-1], 1, 'end'),
                                    (good + good[:100], 2, 'end'), ('{"a": "' + 'x' * (4 << 20) + '"}', 1, '4 MiB')):
            done = self.run_program('-', status=1, stdin=text)
            self.assertEqual(done.stdout, '')
            self.assertIn(f'snapshot {number}: ', done.stderr)
            self.assertIn(words, done.stderr)

    def test_an_evacuation_keeps_its_bounds(self):
        plan = self.report('--evacuate', 'hosta', 'rack.json', status=1)
        self.assertEqual(plan['schema'], 'mlx5lm.evacuation')
        room = [json.loads(line) for line in FILES['rack.json'].splitlines()]
        room.append(whole_hosts.host('hostd', [whole_hosts.pf(8)]))
        waves = [len(self.report('--evacuate', 'hosta', *options, '-', status=0, stdin=stream(room))['waves'])
                 for options in ((), ('--max-vfs-per-pf', '2'), ('--max-vfs-per-pf', '0'),
                                 ('--bandwidth', '1000', '--state-size', str(100 << 20), '--downtime', '250'))]
        self.assertEqual(waves, [2, 4, 1, 4])
        for excluded in ('hostb', 'hostd'):
            document = json.dumps(self.report('--evacuate', 'hosta', '--exclude-host', excluded, '-',
                                              status=0 if excluded == 'hostb' else 1, stdin=stream(room))['waves'])
            self.assertNotIn(excluded, document)

    def test_a_host_that_is_not_there_cannot_be_emptied(self):
        done = self.run_program('--evacuate', 'hostz', 'rack.json', status=1)
        self.assertIn('hostz', done.stderr)


class Options(Programs):
    def test_what_makes_no_sense_is_refused(self):
        two = ['hosta.json', 'hostb.json']
        for args, words in (
                ([], 'Usage'), (['hosta.json'], 'Usage'), (['--fleet'], 'Usage'), (['--no-such', *two], 'Usage'),
                (['--evacuate', 'hosta'], 'Usage'), (['--to', 'qemu:///system', *two], '--to: needs --domain'),
                (['--connect', 'qemu:///system', *two], '--connect: needs --domain'),
                (['--migrate-flags', '1', *two], '--migrate-flags: needs --domain'),
                (['--downtime', '1', *two], '--downtime: needs --evacuate'),
                (['--exclude-host', 'a', *two], '--exclude-host: needs --evacuate'),
                (['--domain', 'web.xml', '-'], '--domain: is for two hosts'),
                (['--makeable', *two, 'hostc.json'], '--makeable: is for two hosts'),
                (['--evacuate', 'hosta', '--pf', whole_hosts.PF, *two], '--pf: is for two hosts'),
                (['--numa', 'maybe', *two], '--numa: this value'), (['--exclude', 'x', *two], '--exclude: this value'),
                (['--vf', bdf_of(0), *two], 'expected LEFT=RIGHT'),
                (['--vf', f'{bdf_of(0)}=x', *two], '--vf: this value'),
                (['--evacuate', 'hosta', '--downtime', '-1', *two], 'expected a number'),
                (['--domain', 'web.xml', '--migrate-flags', 'live', *two], 'expected a number')):
            with self.subTest(args):
                done = self.run_program(*args, status=3)
                self.assertEqual(done.stdout, '')
                self.assertIn(words, done.stderr)

    def test_files_that_are_not_there(self):
        for args in (['hosta.json', 'missing.json'], ['hosta.json', 'hostb.json', 'missing.json'],
                     ['--domain', 'missing.xml', 'hosta.json', 'hostb.json']):
            self.assertIn('missing.', self.run_program(*args, status=1).stderr)

    def test_help_and_version(self):
        self.assertIn('Exit status', self.run_program('--help', status=0).stdout)
        self.assertIn('mlx5lm-compare ', self.run_program('--version', status=0).stdout)


if __name__ == '__main__':
    if '--renew' in sys.argv:
        sys.argv.remove('--renew')
        Programs.renew = True
    Programs.program = pathlib.Path(sys.argv[1]).resolve()
    tap.main()
