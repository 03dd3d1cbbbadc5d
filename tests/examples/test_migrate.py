#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""mlx5lm-migrate without a libvirt daemon: its command line, its ssh, and how it ends; the rest is tested in the lab.

Usage: test_migrate.py FOLDER, the one in which the programs were built. In place of ssh stands a script that is the
first in PATH.
"""

import json
import os
import pathlib
import pty
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / 'tests'))

import tap
import whole_hosts

ROOT = PROJECT / 'tests/data/hosts/connectx-7-ready/root'
NOWHERE = 'test+unix:///nowhere?socket=/nonexistent'
TIMEOUT = 60
NOT_READY, UNKNOWN, USAGE = 1, 2, 3


class Program(unittest.TestCase):
    folder: pathlib.Path

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.path = pathlib.Path(temporary.name)
        self.environment = {**os.environ, 'PATH': f'{self.path}:{os.environ["PATH"]}'}
        self.journal = self.path / 'journal'
        self.journal.mkdir(0o700)

    def make_ssh(self, script):
        ssh = self.path / 'ssh'
        ssh.write_text(f'#!/bin/sh\n{script}\n', 'ascii')
        ssh.chmod(0o755)

    def make_ssh_to_a_recorded_host(self):
        agent = shlex.join(map(str, (self.folder / 'mlx5lm-agent', '--root', ROOT, '--libvirt', '', '--journal', '')))
        self.make_ssh(f'exec {agent}')

    def run_program(self, *words):
        return subprocess.run([self.folder / 'mlx5lm-migrate', *words], env=self.environment, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)

    def assert_ends(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class CommandLine(Program):
    def test_its_help_fits_a_terminal_and_names_every_option(self):
        text = self.run_program('--help').stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        for option in ('attach', 'direct', 'parallel', 'tls', 'downtime-ceiling', 'stall', 'on-deadline', 'report',
                       'switchover-bandwidth', 'vf-state', 'journal', 'peer-uri', 'setup-deadline'):
            self.assertIn(f'--{option}', text)

    def test_what_makes_no_sense_is_refused_and_named(self):
        to = ('--to', NOWHERE)
        for words, named in (
                ((), 'VM'), (('vm',), 'vm'), (('vm', *to, 'other'), 'other'), (('vm', *to, '--stall', 'hope'), 'hope'),
                (('vm', *to, '--on-deadline', 'raise'), 'raise'), (('vm', *to, '--parallel', '256'), '256'),
                (('vm', *to, '--downtime', '-1'), '-1'), (('vm', *to, '--downtime', '3000000'), '3000000'),
                (('vm', *to, '--interval', '1'), '1'), (('vm', *to, '--stall-iterations', '0'), '0'),
                (('vm', *to, '--vf', 'x'), 'x'), (('vm', *to, '--vf', 'a=b'), 'a'),
                (('vm', *to, '--attach', '--journal', ''), '--attach'), (('vm', *to, '--nonsense'), 'nonsense'),
                (('vm', 'ssh://a', '--destination', 'x', '--journal', ''), '--destination')):
            with self.subTest(words):
                self.assert_ends(self.run_program(*words), USAGE, named)

    def test_a_target_that_ssh_could_take_for_something_else_is_refused(self):
        self.make_ssh('echo started >&2')
        for target in ('ssh://', 'ssh://-oProxyCommand=x', 'ssh://a b', 'ssh://a;b', 'ssh://-l@b', 'ssh://a:x',
                       'ssh://a/b', 'ssh://a:123456', 'ssh://[::1', 'ssh://[::1]x', 'ssh://@b', 'ssh://a@',
                       'ssh://$(x)', 'http://a'):
            with self.subTest(target):
                done = self.run_program('vm', target, '--journal', '')
                self.assert_ends(done, USAGE, target)
                self.assertNotIn('started', done.stderr)

    def test_ssh_gets_user_port_and_host(self):
        for target, expected in (('ssh://b', ['--', 'b']), ('ssh://b/', ['--', 'b']),
                                 ('ssh://me@b:2222', ['-l', 'me', '-p', '2222', '--', 'b']),
                                 ('ssh://[fe80::1%eth0]:22', ['-p', '22', '--', 'fe80::1%eth0'])):
            with self.subTest(target):
                self.make_ssh(f'printf "%s\\n" "$@" > {self.path}/words')
                done = self.run_program('vm', target, '--journal', '', '--agent', 'exec my-agent')
                self.assert_ends(done, NOT_READY, 'the agent at')
                words = (self.path / 'words').read_text('ascii').splitlines()
                self.assertEqual([word for word in words if not word.startswith(('-o', '-T'))],
                                 [*expected, 'exec my-agent'])


class Ends(Program):
    def test_an_agent_that_is_none(self):
        for script, said in (('exit 255', 'has ended'), ('read line; echo hello', 'no answer'),
                             ('read line; echo "{\\"id\\": 7, \\"result\\": {}}"', 'no answer'),
                             ('read line; echo "{\\"id\\": 1, \\"result\\": {}}"', 'snapshot'),
                             (r'read line; echo "{\"id\": 1, \"error\": {\"message\": \"\\u001b[2Jno\"}}"',
                              ' [2Jno')):
            with self.subTest(script):
                self.make_ssh(script)
                done = self.run_program('vm', 'ssh://b', '--journal', '')
                self.assert_ends(done, NOT_READY, said)
                self.assertNotIn('\033', done.stderr)

    def test_ctrl_c_before_anything_has_begun_ends_it_at_once(self):
        self.make_ssh(f'touch {self.path}/started; exec cat > /dev/null')
        with subprocess.Popen([self.folder / 'mlx5lm-migrate', 'vm', 'ssh://b', '--journal', ''], env=self.environment,
                              stdout=subprocess.PIPE) as program:
            deadline = time.monotonic() + TIMEOUT
            while not (self.path / 'started').exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            program.send_signal(signal.SIGINT)
            self.assertEqual(program.wait(TIMEOUT), NOT_READY)

    def migrate(self, *words):
        self.make_ssh_to_a_recorded_host()
        return self.run_program('vm', 'ssh://b', '--from', NOWHERE, '--journal', self.journal, *words)

    def test_a_source_that_does_not_answer_is_named(self):
        done = self.migrate()
        self.assert_ends(done, NOT_READY, NOWHERE)
        self.assertIn('failed', done.stdout)

    def test_each_event_is_a_line_of_json_and_the_report_is_a_file(self):
        report = self.path / 'report.json'
        done = self.migrate('--json', '--report', report)
        self.assert_ends(done, NOT_READY, NOWHERE)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((events[0]['phase'], events[-1]['phase']), ('preflight', 'failed'))
        self.assertEqual(json.loads(report.read_text('utf-8'))['reason'], 'source-unreachable')
        self.assertEqual(list(self.journal.iterdir()), [])

    def test_the_form_without_an_agent(self):
        for words in (('--domain', 'vm', '--to', NOWHERE), ('vm', '--to', NOWHERE)):
            self.assert_ends(self.run_program(*words, '--from', NOWHERE), NOT_READY, NOWHERE)

    def test_a_terminal_is_drawn_on(self):
        master, slave = pty.openpty()
        done = subprocess.run([self.folder / 'mlx5lm-migrate', 'vm', '--to', NOWHERE, '--from', NOWHERE],
                              stdout=slave, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        os.close(slave)
        text = os.read(master, 65536).decode()
        os.close(master)
        self.assertEqual(done.returncode, NOT_READY)
        self.assertRegex(text, r'\r\x1b\[K +[0-9.]+ s  failed +\[[# ]{30}\]')

    def test_without_a_journal_there_is_nothing_to_take_over(self):
        self.assert_ends(self.run_program('--attach', 'vm', '--journal', self.journal), NOT_READY, 'vm')

    def test_a_report_that_cannot_be_written_is_a_warning(self):
        self.assert_ends(self.migrate('--report', '/nonexistent/report'), NOT_READY, '/nonexistent/report', NOWHERE)


class Signals(Program):
    """A source whose daemon takes the connection and says nothing, so that a cancel takes long."""

    def setUp(self):
        super().setUp()
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(str(self.path / 'mute'))
        server.listen()

    def start(self, *words):
        program = subprocess.Popen([self.folder / 'mlx5lm-migrate', 'vm', '--to', NOWHERE, '--from',
                                    f'qemu+unix:///system?socket={self.path}/mute', *words],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.stderr.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        self.assertIn('preflight', program.stdout.readline())
        return program

    def assert_leaves(self, program, *said):
        self.assertEqual(program.wait(TIMEOUT), UNKNOWN)
        text = program.stderr.read()
        for words in said:
            self.assertIn(words, text)

    def test_the_second_one_says_that_it_is_being_cancelled_and_the_third_leaves(self):
        program = self.start()
        program.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.assertIsNone(program.poll())
        program.send_signal(signal.SIGINT)
        self.assertIn('once more leaves at once', program.stderr.readline())
        self.assertIsNone(program.poll())
        program.send_signal(signal.SIGINT)
        self.assert_leaves(program, 'virsh domjobabort vm')

    def test_quit_leaves_at_once_and_says_how_to_take_it_over(self):
        for words, said in (((), 'virsh domjobabort vm'),
                            (('--journal', self.journal), f'--attach vm --journal {self.journal}'),
                            (('--direct',), 'stays at the source')):
            with self.subTest(words):
                program = self.start(*words)
                program.send_signal(signal.SIGQUIT)
                self.assert_leaves(program, said)

    def test_a_daemon_that_says_nothing_costs_its_deadline(self):
        program = self.start('--connect-deadline', '1')
        self.assertEqual(program.wait(TIMEOUT), NOT_READY)
        self.assertIn('connect-deadline', program.stdout.read())


class Loops(Program):
    def test_several_migrations_in_one_epoll_loop(self):
        snapshot = self.path / 'host.json'
        snapshot.write_text(json.dumps(whole_hosts.host('b')), 'utf-8')
        done = subprocess.run([self.folder / 'watch-epoll', NOWHERE, snapshot, 'one', 'two', 'three'],
                              env={**os.environ, 'LIBVIRT_DEFAULT_URI': NOWHERE}, capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        for name in ('one', 'two', 'three'):
            self.assertIn(f'{name}: done: failed', done.stdout)


if __name__ == '__main__':
    Program.folder = pathlib.Path(sys.argv[1])
    tap.main()
