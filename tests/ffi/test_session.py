#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions as a binding sees them: options by their keys, events without a callback, any number in one loop.

There is no libvirt daemon here, so that all of them end by not reaching it.
"""

import ctypes
import errno
import gc
import json
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from library import (CONSTANTS, HEADERS, POINTER, PROJECT, Refused, call, free, function, new, new_simple, parse,
                     serialize_as)
import tap
import whole_hosts

NOWHERE = b'test+unix:///nowhere?socket=/nonexistent'
FOREVER = ctypes.c_uint32(2 ** 32 - 1)
SECONDS = 60
PROGRESS_FN = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER)
HOOK_FN = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, ctypes.c_int, POINTER)
DESTROY_FN = ctypes.CFUNCTYPE(None, POINTER)
TEXTS = ('DOMAIN', 'SOURCE_URI', 'DESTINATION_URI', 'PEER_URI', 'DATA_URI', 'TLS_DESTINATION', 'JOURNAL_DIR')
# what a number may be, and what it is until it is set; None: not known
NUMBERS = {
    'CONTROL': (1, 2, 1),
    'PERSISTENT': (0, 1, 1),
    'BANDWIDTH_MIB_PER_S': (0, None, 0),
    'SWITCHOVER_BANDWIDTH_MIB_PER_S': (0, None, 0),
    'CHANNELS': (0, 255, None),
    'TLS': (0, 1, 0),
    'INTERVAL_MS': (50, 60000, 200),
    'DOWNTIME_LIMIT_MS': (0, 2000000, 0),
    'DOWNTIME_CEILING_MS': (0, 2000000, 0),
    'DOWNTIME_STEPS': (1, 100, 5),
    'STALL_ITERATIONS': (1, 1000, 3),
    'STALL_ACTION': (1, 4, None),
    'STALL_DEADLINE_MS': (0, None, 0),
    'CONNECT_DEADLINE_MS': (None, None, 30000),
    'SETUP_DEADLINE_MS': (0, None, 0),
    'TOTAL_DEADLINE_MS': (0, None, 0),
    'ANSWER_DEADLINE_MS': (1000, 3600000, 30000),
    'DEADLINE_ACTION': (3, 4, 4),
    'VF_STATE_BYTES': (None, None, None),
    'LINK_MIB_PER_S': (None, None, None),
    'MAKEABLE': (0, 1, 0),
}


def key_of(name):
    return CONSTANTS['SESSION_' + name]


class Case(unittest.TestCase):
    def new_options(self, **texts):
        options = new_simple('session_options_new')
        self.addCleanup(lambda: free('session_options', options))
        for name, value in texts.items():
            self.assertEqual(function('session_options_set_str')(options, key_of(name), value), 0, name)
        return options

    def new_session(self, **texts):
        options = self.new_options(**{'DOMAIN': b'guest', 'SOURCE_URI': NOWHERE, 'DESTINATION_URI': NOWHERE, **texts})
        source, destination = (parse('host', whole_hosts.host(name)) for name in ('a', 'b'))
        self.assertEqual(function('session_options_set_hosts')(options, source, destination), 0)
        free('host', source, destination)
        ctx = new_simple('ctx_new')
        session = new('session_new', ctx, options)
        function('ctx_unref', POINTER)(ctx)
        self.addCleanup(lambda: function('session_unref', POINTER)(session))
        return session

    def get_u64(self, options, name):
        value = ctypes.c_uint64()
        status = function('session_options_get_u64')(options, key_of(name), ctypes.byref(value))
        self.assertIn(status, (0, -errno.ENODATA), name)
        return value.value if status == 0 else None

    def get_str(self, options, name):
        value = ctypes.c_char_p()
        status = function('session_options_get_str')(options, key_of(name), ctypes.byref(value))
        self.assertIn(status, (0, -errno.ENODATA), name)
        return value.value if status == 0 else None


class Options(Case):
    def set_u64(self, options, name, value):
        return function('session_options_set_u64')(options, key_of(name), ctypes.c_uint64(value))

    def test_every_key_is_tested_here(self):
        # None of the enumerators of other enums begins with SESSION_
        keys = {name.removeprefix('SESSION_') for name in CONSTANTS if name.startswith('SESSION_')}
        self.assertEqual(keys, {'UNKNOWN', *TEXTS, *NUMBERS})

    def test_a_text_is_kept_and_taken_back(self):
        options = self.new_options()
        for name in TEXTS:
            text = ctypes.create_string_buffer(b'x-' + name.encode())
            self.assertEqual(function('session_options_set_str')(options, key_of(name), text), 0, name)
            text.value = b'changed'
            self.assertEqual(self.get_str(options, name), b'x-' + name.encode())
            self.assertEqual(function('session_options_set_str')(options, key_of(name), b''), -errno.EINVAL)
            self.assertEqual(self.get_str(options, name), b'x-' + name.encode())
            self.assertEqual(function('session_options_set_str')(options, key_of(name), None), 0)
            self.assertIn(self.get_str(options, name), (None, b'qemu:///system'))

    def test_a_number_has_its_bounds_and_what_it_is_until_it_is_set(self):
        options = self.new_options()
        for name, (least, most, before) in NUMBERS.items():
            with self.subTest(name):
                self.assertEqual(self.get_u64(options, name), before)
                for value in {least, most} - {None}:
                    self.assertEqual(self.set_u64(options, name, value), 0)
                    self.assertEqual(self.get_u64(options, name), value)
                kept = self.get_u64(options, name)
                for value in ([most + 1] if most is not None else []) + ([least - 1] if least else []):
                    self.assertEqual(self.set_u64(options, name, value), -errno.ERANGE, value)
                self.assertEqual(self.get_u64(options, name), kept)

    def test_a_key_of_another_type_is_refused(self):
        options = self.new_options()
        number, text = ctypes.c_uint64(7), ctypes.c_char_p(b'as before')
        for name in (*TEXTS, 'UNKNOWN'):
            self.assertEqual(self.set_u64(options, name, 1), -errno.EINVAL, name)
            self.assertEqual(function('session_options_get_u64')(options, key_of(name), ctypes.byref(number)),
                             -errno.EINVAL)
        for name in (*NUMBERS, 'UNKNOWN'):
            self.assertEqual(function('session_options_set_str')(options, key_of(name), b'1'), -errno.EINVAL, name)
            self.assertEqual(function('session_options_get_str')(options, key_of(name), ctypes.byref(text)),
                             -errno.EINVAL)
        for key in (1000, 2 ** 31 - 1):
            self.assertEqual(function('session_options_set_u64')(options, key, ctypes.c_uint64(1)), -errno.EINVAL)
        self.assertEqual((number.value, text.value), (7, b'as before'))

    def test_what_must_be_set_is_named(self):
        ctx = new_simple('ctx_new')
        for texts in ({}, {'DOMAIN': b'guest'}, {'DESTINATION_URI': NOWHERE}):
            with self.assertRaises(Refused) as caught:
                new('session_new', ctx, self.new_options(**texts))
            self.assertEqual(caught.exception.errno, errno.EINVAL)
        function('ctx_unref', POINTER)(ctx)


class Words(unittest.TestCase):
    def test_every_value_has_a_word_of_its_own(self):
        for enum in ('phase', 'event', 'reason', 'hook'):
            body = re.search(rf'^enum mlx5lm_{enum} {{(.*?)^}};', HEADERS, re.M | re.S).group(1)
            values = [int(value) for value in re.findall(r'= (\d+)', body)]
            to_word = function(enum + '_str', ctypes.c_char_p)
            words = [to_word(value).decode() for value in values]
            self.assertEqual(len(set(words)), len(values), words)
            self.assertEqual(words[0], 'unknown')
            for word in words:
                self.assertRegex(word, r'^[a-z0-9]+(-[a-z0-9]+)*$')
            for value in (1000, 2 ** 31 - 1):
                self.assertEqual(to_word(value), b'unknown')


class Sessions(Case):
    def next_event(self, session, timeout=ctypes.c_uint32(0)):
        """The event and the phase, or None if there was none in time."""
        progress = POINTER()
        if call('session_next_event', session, timeout, ctypes.byref(progress)) == 0:
            return None
        return (function('progress_get_event')(progress), function('progress_get_phase')(progress))

    def assert_failed_by_the_source(self, session):
        with self.assertRaises(Refused) as caught:
            call('session_get_result', session)
        self.assertIn(NOWHERE.decode(), caught.exception.message)
        self.assertEqual(function('session_get_reason')(session), CONSTANTS['REASON_SOURCE_UNREACHABLE'])

    def test_events_are_pulled_until_the_last_one(self):
        session = self.new_session()
        with self.assertRaises(Refused) as caught:
            self.next_event(session)
        self.assertEqual(caught.exception.errno, errno.EINVAL)
        call('session_start', session)
        seen = []
        while not seen or seen[-1][0] != CONSTANTS['EVENT_DONE']:
            seen.append(self.next_event(session, FOREVER))
        self.assertEqual(seen[0], (CONSTANTS['EVENT_PHASE'], CONSTANTS['PHASE_PREFLIGHT']))
        self.assertEqual(seen[-1], (CONSTANTS['EVENT_DONE'], CONSTANTS['PHASE_FAILED']))
        self.assertEqual([event for event, _ in seen].count(CONSTANTS['EVENT_DONE']), 1)
        with self.assertRaises(Refused) as caught:
            self.next_event(session)
        self.assertEqual(caught.exception.errno, errno.ENODATA)
        self.assert_failed_by_the_source(session)

    def test_several_sessions_are_in_one_loop(self):
        sessions = {}
        poller = select.poll()
        for _ in range(4):
            session = self.new_session()
            call('session_start', session)
            descriptor = function('session_get_fd')(session)
            sessions[descriptor] = session
            poller.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + SECONDS
        running = dict(sessions)
        while running and time.monotonic() < deadline:
            for descriptor, _ in poller.poll(1000):
                event = self.next_event(running[descriptor])
                while event and event[0] != CONSTANTS['EVENT_DONE']:
                    event = self.next_event(running[descriptor])
                if event:
                    poller.unregister(descriptor)
                    del running[descriptor]
        self.assertEqual(running, {})
        for session in sessions.values():
            self.assert_failed_by_the_source(session)

    def test_nothing_to_wait_for_costs_no_time(self):
        session = self.new_session()
        call('session_start', session)
        deadline = time.monotonic() + SECONDS
        while self.next_event(session, ctypes.c_uint32(10)) is None and time.monotonic() < deadline:
            pass
        self.assertLess(time.monotonic(), deadline)

    def test_a_callback_in_python_runs_on_the_callers_thread_and_not_for_who_pulls(self):
        for pull in (False, True):
            session, seen = self.new_session(), []

            def show(progress, _, seen=seen):
                gc.collect()
                seen.append(function('progress_get_phase')(POINTER(progress)))
                return 0

            callback = PROGRESS_FN(show)
            self.assertEqual(function('session_set_progress')(session, callback, None, None), 0)
            if pull:
                call('session_start', session)
                while self.next_event(session, FOREVER)[0] != CONSTANTS['EVENT_DONE']:
                    pass
                self.assertEqual(seen, [])
            else:
                with self.assertRaises(Refused) as caught:
                    call('session_run', session)
                self.assertTrue(caught.exception.message)
                self.assertEqual(seen[-1], CONSTANTS['PHASE_FAILED'])

    def test_a_hook_is_not_called_for_what_was_not_prepared_and_its_data_is_released_once(self):
        session, called, released = self.new_session(), [], []
        hook = HOOK_FN(lambda _, what, data: called.append(what) or 0)
        destroy = DESTROY_FN(released.append)
        # they are called when the session goes, which is behind this test
        self.kept = (hook, destroy)
        for data in (1, 2):
            self.assertEqual(function('session_set_hook')(session, hook, POINTER(data), destroy), 0)
        self.assertEqual(released, [1])
        with self.assertRaises(Refused):
            call('session_run', session)
        self.assertEqual(called, [])
        self.assertEqual(function('session_set_hook')(session, hook, POINTER(3), destroy), -errno.EALREADY)
        self.assertEqual(released[1:], [3] if 2 not in released else [2, 3])
        again = self.new_session()
        self.assertEqual(function('session_set_hook')(again, hook, POINTER(4), destroy), 0)
        self.assertEqual(function('session_set_hook')(again, None, None, None), 0)
        self.assertIn(4, released)

    def test_what_belongs_into_a_hook_is_refused_outside(self):
        session = self.new_session()
        host = parse('host', whole_hosts.host('b'))
        self.assertEqual(function('session_set_hook_error')(session, b'no', None), -errno.EINVAL)
        self.assertEqual(function('session_set_destination')(session, host), -errno.EINVAL)
        free('host', host)

    def test_a_session_that_was_not_started_knows_nothing(self):
        session = self.new_session()
        self.assertEqual(function('session_get_reason')(session), CONSTANTS['REASON_UNKNOWN'])
        self.assertEqual(function('session_get_result')(session, None), -errno.EINPROGRESS)
        self.assertEqual(function('session_length_pairs', ctypes.c_size_t)(session), 0)
        for name, *index in (('session_get_comparison',), ('session_get_pair', ctypes.c_size_t(0))):
            self.assertIsNone(function(name, POINTER)(session, *index))
        self.assertEqual(function('findings_length', ctypes.c_size_t)(
            POINTER(function('session_get_findings', POINTER)(session))), 0)

    def test_it_may_be_released_and_cancelled_whenever(self):
        for started in (False, True):
            session = self.new_session()
            self.assertEqual(function('session_force_switchover')(session), 0)
            if started:
                call('session_start', session)
            self.assertEqual(function('session_cancel')(session), 0)
            # the references of Case.new_session are released behind each test
            self.assertEqual(function('session_ref', POINTER)(session), session.value)
            self.assertIsNone(function('session_unref', POINTER)(session))

    def test_what_it_did_can_be_written(self):
        session = self.new_session()
        with self.assertRaises(Refused):
            call('session_run', session)
        self.assertIn('"source-unreachable"', serialize_as('session', session, 'JSON'))
        text = serialize_as('session', session, 'TEXT')
        self.assertIn('guest', text)
        with self.assertRaises(OSError):
            serialize_as('session', session, 'UNKNOWN')


class Attach(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.uuid = str(uuid.uuid4())
        self.ctx = new_simple('ctx_new')
        self.addCleanup(lambda: function('ctx_unref', POINTER)(self.ctx))

    def assert_refused(self, number):
        with self.assertRaises(Refused) as caught:
            new('session_attach', self.ctx, str(self.folder).encode(), self.uuid.encode())
        self.assertEqual(caught.exception.errno, number, caught.exception.message)
        self.assertTrue(caught.exception.message)

    def write(self, text, mode=0o600):
        path = self.folder / f'mlx5lm-{self.uuid}.session'
        path.write_text(text, 'utf-8')
        path.chmod(mode)

    def test_without_a_journal_there_is_nothing_to_take_over(self):
        self.assert_refused(errno.ENOENT)

    def test_a_damaged_journal_is_refused(self):
        for text in ('', '{', '[]', '{"schema": "mlx5lm.host"}', 'x' * 2 ** 21):
            self.write(text)
            self.assert_refused(errno.EBADMSG)

    def test_a_journal_that_others_could_have_written_is_refused(self):
        self.write('{}', 0o666)
        self.assert_refused(errno.EPERM)


class Asyncio(unittest.TestCase):
    def test_the_example_ends_by_what_the_library_says(self):
        with tempfile.NamedTemporaryFile('w') as snapshot:
            json.dump(whole_hosts.host('b'), snapshot)
            snapshot.flush()
            for words in ((), ('--snapshot', snapshot.name)):
                done = subprocess.run([sys.executable, '-B', PROJECT / 'examples/migrate.py', '--library', sys.argv[1],
                                       '--source', NOWHERE.decode(), *words, 'guest', NOWHERE.decode()],
                                      capture_output=True, text=True, timeout=SECONDS, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(NOWHERE.decode(), done.stderr)
                self.assertNotIn('Traceback', done.stderr)
                self.assertEqual([line.split()[0] for line in done.stdout.splitlines()],
                                 ['preflight', 'clean-up', 'failed'])


if __name__ == '__main__':
    tap.main()
