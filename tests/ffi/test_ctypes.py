#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shared library as a binding sees it: by name, with plain signatures, in any order."""

import ctypes
import errno
import gc
import itertools
import json
import pathlib
import re
import sys
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / 'tests'))
import tap  # noqa: E402

LIBRARY = ctypes.CDLL(sys.argv[1])
POINTER = ctypes.c_void_p
NUM_ARGUMENTS = 8


def host_json(name, firmware='28.41.1000'):
    vf = {'bdf': '0000:08:00.2', 'index': 0, 'driver': 'mlx5_vfio_pci', 'migratable': 'enable', 'iommu_group': 9}
    pf = {'bdf': '0000:08:00.0', 'device_id': 0x1021, 'class': 0x20000, 'sriov_vf_device_id': 0x101e,
          'psid': 'MT_0000000838', 'fw_running': firmware, 'eswitch_mode': 'switchdev', 'driver': 'mlx5_core',
          'sriov_total_vfs': 4, 'sriov_num_vfs': 1, 'vfs': [vf]}
    return json.dumps({'schema': 'mlx5lm.host', 'schema_version': 1, 'hostname': name, 'libvirt_uuid': name,
                       'pfs': [pf]}).encode()


def function(name, result=ctypes.c_int):
    symbol = getattr(LIBRARY, 'mlx5lm_' + name)
    symbol.restype = result
    return symbol


def new(name, *arguments):
    """Calls a function whose next argument is where to put a new object."""
    made = POINTER()
    status = function(name)(*arguments, ctypes.byref(made), None)
    if status < 0:
        raise OSError(-status, name)
    return made


def parse(name, **options):
    text = host_json(name, **options)
    return new('host_parse', text, ctypes.c_size_t(len(text)))


class Ctypes(unittest.TestCase):
    def functions(self):
        headers = '\n'.join(path.read_text('utf-8') for path in sorted((PROJECT / 'include/mlx5lm').glob('*.h')))
        declared = re.findall(r'^[a-z][\w \t*]*?[ *\n](mlx5lm_\w+)\(', headers, re.M)
        self.assertGreater(len(declared), 100)
        return declared

    def test_every_declared_function_is_found_by_its_name(self):
        for name in self.functions():
            self.assertTrue(getattr(LIBRARY, name), name)

    def test_null_is_refused_or_ignored_everywhere(self):
        nothing = [None] * NUM_ARGUMENTS
        for name in self.functions():
            with self.subTest(name):
                symbol = getattr(LIBRARY, name)
                symbol.restype = ctypes.c_int
                status = symbol(*nothing)
                if re.search(r'_(new|set_\w+|serialize|parse|probe|apply|start|run|dispatch|cancel|get_result)$', name):
                    self.assertEqual(status, -errno.EINVAL)

    def test_objects_are_released_in_any_order(self):
        for order in itertools.permutations(range(4)):
            source, destination = parse('a'), parse('b')
            comparison = new('compare', source, destination)
            findings = new('check', source, None, None)
            objects = [('host_free', source), ('host_free', destination), ('comparison_free', comparison),
                       ('findings_free', findings)]
            for index in order:
                function(objects[index][0], None)(objects[index][1])

    def test_equal_hosts_are_compatible_and_other_firmware_is_not(self):
        for firmware, verdict in (('28.41.1000', 1), ('28.42.1000', 2)):
            source, destination = parse('a'), parse('b', firmware=firmware)
            comparison = new('compare', source, destination)
            self.assertEqual(function('comparison_get_verdict')(comparison), verdict)
            function('comparison_free', None)(comparison)
            function('host_free', None)(source)
            function('host_free', None)(destination)

    def test_a_refused_document_gives_an_error_with_a_message(self):
        error, host = POINTER(), POINTER(1)
        status = function('host_parse')(b'{}', ctypes.c_size_t(2), ctypes.byref(host), ctypes.byref(error))
        self.assertEqual(status, -errno.EBADMSG)
        self.assertEqual(host.value, 1, 'ret was touched')
        self.assertIn(b'schema', function('error_get_message', ctypes.c_char_p)(error))
        function('error_free', None)(error)

    def test_a_destroy_function_is_called_exactly_once(self):
        calls = []
        destroy = ctypes.CFUNCTYPE(None, POINTER)(calls.append)
        log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, POINTER)(lambda *_: None)
        ctx = new('ctx_new')
        function('ctx_set_log')(ctx, 4, log, POINTER(1), destroy)
        function('ctx_set_log')(ctx, 4, log, POINTER(2), destroy)
        self.assertEqual(calls, [1])
        function('ctx_unref', POINTER)(ctx)
        self.assertEqual(calls, [1, 2])
        self.assertEqual(function('ctx_set_log')(None, 4, log, POINTER(3), destroy), -errno.EINVAL)
        self.assertEqual(calls, [1, 2, 3])

    def test_a_session_fails_on_the_callers_thread_with_a_python_callback(self):
        options = new('session_options_new')
        for setter, value in (('domain', b'guest'), ('source_uri', b'test+unix:///nowhere?socket=/nonexistent'),
                              ('destination_uri', b'test+unix:///nowhere?socket=/nonexistent')):
            self.assertEqual(function('session_options_set_' + setter)(options, value), 0)
        source, destination = parse('a'), parse('b')
        self.assertEqual(function('session_options_set_hosts')(options, source, destination), 0)
        ctx = new('ctx_new')
        session = new('session_new', ctx, options)
        function('ctx_unref', POINTER)(ctx)
        function('session_options_free', None)(options)
        function('host_free', None)(source)
        function('host_free', None)(destination)
        seen = []

        def show(progress, _):
            gc.collect()
            seen.append(function('progress_get_phase')(POINTER(progress)))
            return 0

        callback = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER)(show)
        self.assertEqual(function('session_set_progress')(session, callback, None, None), 0)
        error = POINTER()
        self.assertLess(function('session_run')(session, ctypes.byref(error)), 0)
        self.assertTrue(function('error_get_message', ctypes.c_char_p)(error))
        function('error_free', None)(error)
        self.assertEqual(seen[-1], 10, 'FAILED')
        function('session_unref', POINTER)(session)


if __name__ == '__main__':
    tap.main()
