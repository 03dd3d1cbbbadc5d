#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""mlx5lm-agent answers good requests, refuses bad ones by name, and goes on after each; doc/agent.md.

Usage: test_agent.py FOLDER, the one in which the programs were built. The host is a recorded one, which is read
only: what changes VFs is tested in the lab.
"""

import json
import pathlib
import re
import signal
import subprocess
import sys
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / 'tests'))

import tap

ROOT = PROJECT / 'tests/data/hosts/connectx-7-ready/root'
PF, VF = '0000:40:00.0', '0000:40:00.2'
MAX_BYTES = 1 << 20
TIMEOUT = 60


def config(**members):
    return {'schema': 'mlx5lm.config', 'schema_version': 1, **members}


def request(method, number=1, **params):
    return json.dumps({'id': number, 'method': method, 'params': params})


class Agent(unittest.TestCase):
    folder: pathlib.Path

    def command(self, *words):
        return [self.folder / 'mlx5lm-agent', '--root', ROOT, '--libvirt', '', '--journal', '', *words]

    def talk(self, *lines, end='\n'):
        """The answers to lines; the last one ends with end."""
        text = '\n'.join(lines) + end
        done = subprocess.run(self.command(), input=text.encode(), capture_output=True, timeout=TIMEOUT, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b''))
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def ask(self, line, **arguments):
        """The answer to one line, behind which the agent still answers the next one."""
        answers = self.talk(line, request('nothing', 77), **arguments)
        self.assertEqual(len(answers), 2, answers)
        self.assertEqual((answers[1]['id'], answers[1]['error']['code']), (77, 'not-supported'))
        return answers[0]

    def assert_refused(self, line, code, *words, number=1):
        answer = self.ask(line)
        self.assertEqual(set(answer), {'id', 'error'})
        self.assertEqual((answer['id'], answer['error']['code']), (number, code), answer)
        for word in words:
            self.assertIn(word, answer['error']['message'])
        return answer['error']

    def test_a_probe_is_the_snapshot_of_the_host(self):
        answer = self.ask(request('probe', 2 ** 53))
        self.assertEqual((answer['id'], answer['result']['schema']), (2 ** 53, 'mlx5lm.host'))
        self.assertEqual([pf['bdf'] for pf in answer['result']['pfs']], [PF])

    def test_params_may_be_left_out(self):
        self.assertIn('result', self.ask('{"id": 1, "method": "probe"}'))

    def test_what_is_no_request_is_refused_without_an_id(self):
        for line in ('', 'x', '[]', '"probe"', '{"id": 1, "id": 1, "method": "probe"}', '{"id": 1', '\x00', '[' * 5000,
                     '{"id": 1, "method": "\\u0000"}', '{"method": "probe"} {}'):
            with self.subTest(line[:20]):
                self.assert_refused(line, 'invalid-document', number=None)
        for line in ('{"method": "probe"}', '{"id": "1", "method": "probe"}', '{"id": 1.5, "method": "probe"}'):
            with self.subTest(line):
                self.assert_refused(line, 'invalid-argument', 'integer id', number=None)

    def test_bytes_that_are_no_utf_8_are_refused(self):
        done = subprocess.run(self.command(), input=b'{"id": 1, "method": "\xff\xfe"}\n', capture_output=True,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(json.loads(done.stdout)['error']['code'], 'invalid-document')

    def test_what_is_not_known_is_refused_by_name(self):
        self.assert_refused(request('reboot'), 'not-supported', 'reboot')
        self.assert_refused('{"id": 1, "method": "probe", "sudo": true}', 'invalid-argument', 'sudo')
        self.assert_refused(request('probe', root='/'), 'invalid-argument', 'root')
        self.assert_refused(request('apply', pf=PF, config=config(), journal='/etc'), 'invalid-argument', 'journal')
        self.assert_refused(request('commit', vfs=[], pf=PF), 'invalid-argument', 'pf')

    def test_a_long_name_is_cut_between_characters(self):
        error = self.assert_refused(request('\u20ac' * 3000), 'not-supported', '\u20ac\u20ac')
        self.assertLess(len(error['message'].encode()), 512)

    def test_a_request_has_its_members(self):
        for line in ('{"id": 1}', '{"id": 1, "method": 7}', '{"id": 1, "method": "probe", "params": []}'):
            with self.subTest(line):
                self.assert_refused(line, 'invalid-argument')
        for method in ('plan', 'apply'):
            for params in ({}, {'pf': PF}, {'pf': 7, 'config': config()}, {'pf': PF, 'config': 'x'}):
                with self.subTest(params):
                    self.assert_refused(request(method, **params), 'invalid-argument', 'pf')
        for method in ('commit', 'release'):
            for params in ({}, {'vfs': VF}, {'vfs': [7]}, {'vfs': [VF] * 5000}):
                with self.subTest(str(params)[:40]):
                    self.assert_refused(request(method, **params), 'invalid-argument', 'vfs')

    def test_more_than_single_vfs_is_not_for_a_migration_to_change(self):
        for member, value in (('num_vfs', 0), ('eswitch_mode', 'legacy'), ('nv', {'SRIOV_EN': 0}),
                              ('firmware_reset', True), ('live_guests', True), ('all_vfs', {'driver': ''})):
            for method in ('plan', 'apply'):
                with self.subTest(member):
                    self.assert_refused(request(method, pf=PF, config=config(**{member: value})), 'invalid-argument',
                                        member)

    def test_a_wish_that_cannot_be_is_refused_by_the_library(self):
        self.assert_refused(request('plan', pf=PF, config=config(vfs=[{'index': 0, 'hw_addr': '01:00:00:00:00:01'}])),
                            'hw-addr', '01:00:00:00:00:01')
        self.assert_refused(request('plan', pf='0000:ff:00.0', config=config()), 'not-found', '0000:ff:00.0')
        self.assert_refused(request('plan', pf='../../etc', config=config()), 'not-found', '../../etc')

    def test_a_plan_has_no_steps_if_nothing_is_wanted(self):
        plan = self.ask(request('plan', pf=PF, config=config()))['result']
        self.assertEqual((plan['schema'], plan['steps']), ('mlx5lm.plan', []))

    def test_a_host_that_is_another_machines_is_not_changed(self):
        self.assert_refused(request('apply', pf=PF, config=config()), 'read-only-root')

    def test_a_vf_that_is_not_there_is_named_and_nothing_done_to_the_others(self):
        for method in ('commit', 'release'):
            self.assert_refused(request(method, vfs=[VF, '0000:ff:00.1']), 'not-found', '0000:ff:00.1')

    def test_nothing_to_commit_is_no_error(self):
        for method in ('commit', 'release'):
            self.assertEqual(self.ask(request(method, vfs=[]))['result'], {'vfs': []})

    def test_a_line_may_have_a_mebibyte_and_no_more(self):
        line = request('probe')
        for excess, is_answered in ((-1, True), (0, False), (1, False), (3 * MAX_BYTES, False)):
            with self.subTest(excess):
                answer = self.ask(line + ' ' * (MAX_BYTES + excess - len(line)))
                self.assertEqual('result' in answer, is_answered)
                self.assertEqual(answer['id'], 1 if is_answered else None)

    def test_several_requests_at_once_are_answered_in_their_order(self):
        answers = self.talk(*(request('nothing', number) for number in range(500)))
        self.assertEqual([answer['id'] for answer in answers], list(range(500)))

    def test_a_request_that_ends_with_the_connection_is_not_carried_out(self):
        answers = self.talk(request('probe', 1), request('probe', 2), end='')
        self.assertEqual([answer['id'] for answer in answers], [1, None])
        self.assertIn('no end', answers[1]['error']['message'])

    def test_the_end_of_the_connection_or_a_signal_ends_it(self):
        self.assertEqual(self.talk(end=''), [])
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
                agent.stdin.write(request('nothing').encode() + b'\n')
                agent.stdin.flush()
                agent.stdout.readline()
                agent.send_signal(number)
                self.assertEqual(agent.wait(TIMEOUT), 0)

    def test_a_reader_that_has_gone_ends_it(self):
        with subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
            agent.stdout.close()
            agent.stdin.write(request('nothing').encode() + b'\n')
            agent.stdin.flush()
            self.assertEqual(agent.wait(TIMEOUT), 0)

    def test_it_answers_byte_by_byte_as_well(self):
        with subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
            for byte in request('nothing', 5).encode() + b'\n':
                agent.stdin.write(bytes([byte]))
                agent.stdin.flush()
            self.assertEqual(json.loads(agent.stdout.readline())['id'], 5)
            agent.stdin.close()
            self.assertEqual(agent.wait(TIMEOUT), 0)

    def test_its_document_names_every_method_and_no_other(self):
        text = (PROJECT / 'doc/agent.md').read_text('utf-8')
        methods = re.findall(r'^\| `(\w+)` \|', text, re.M)
        self.assertEqual(methods, ['probe', 'plan', 'apply', 'commit', 'release'])
        for method in methods:
            self.assertNotEqual(self.ask(request(method, wrong=1))['error']['code'], 'not-supported', method)


if __name__ == '__main__':
    Agent.folder = pathlib.Path(sys.argv[1])
    tap.main()
