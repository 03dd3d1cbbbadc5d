#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shared library as a binding sees it: by name, with plain signatures, in any order."""

import ctypes
import errno
import itertools
import json
import pathlib
import re
import tempfile
import unittest

from library import (CONSTANTS, HEADERS, LIBRARY, POINTER, PROJECT, Refused, call, free, function, get_str, get_u64,
                     new, new_simple, parse, serialize, take_text)
import tap

NUM_ARGUMENTS = 8
PF = b'0000:08:00.0'
VF_ALL = ctypes.c_uint32(2 ** 32 - 1)
CONFIG = {'schema': 'mlx5lm.config', 'schema_version': 1}
# A callback of this type holds no reference to what it is made of: keep both.
PLAN_FN = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, ctypes.c_size_t, ctypes.c_int, POINTER)
DESTROY_FN = ctypes.CFUNCTYPE(None, POINTER)


def host_document(name, firmware='28.41.1000', **pf_facts):
    vf = {'bdf': '0000:08:00.2', 'index': 0, 'driver': 'mlx5_vfio_pci', 'migratable': 'enable', 'iommu_group': 9}
    pf = {'bdf': PF.decode(), 'device_id': 0x1021, 'class': 0x20000, 'sriov_vf_device_id': 0x101e,
          'psid': 'MT_0000000838', 'fw_running': firmware, 'eswitch_mode': 'switchdev', 'driver': 'mlx5_core',
          'sriov_total_vfs': 4, 'sriov_num_vfs': 1, 'vfs': [vf], **pf_facts}
    return {'schema': 'mlx5lm.host', 'schema_version': 1, 'hostname': name, 'libvirt_uuid': name,
            'architecture': 'x86_64', 'modules': [{'name': 'mlx5_vfio_pci', 'state': 'loadable'}], 'pfs': [pf]}


def parse_host(name, **facts):
    return parse('host', host_document(name, **facts))


class Ctypes(unittest.TestCase):
    def functions(self):
        declared = re.findall(r'^[a-z][\w \t*]*?[ *\n](mlx5lm_\w+)\(', HEADERS, re.M)
        self.assertGreater(len(declared), 100)
        return declared

    def test_every_declared_function_is_found_by_its_name(self):
        for name in self.functions():
            self.assertTrue(getattr(LIBRARY, name), name)

    def test_null_is_refused_or_ignored_everywhere(self):
        nothing = [None] * NUM_ARGUMENTS
        refused = (r'_(new|set_\w+|serialize|parse|probe|apply|rollback|recover|start|run|dispatch|cancel|get_result|'
                   r'get_u64|check|compare|add|join|read|ask_destination|exclude_\w+|get_destination_xml|move_get_vf|attach|'
                   r'next_event|force_switchover|get_fd)$')
        for name in self.functions():
            with self.subTest(name):
                symbol = getattr(LIBRARY, name)
                symbol.restype = ctypes.c_int
                status = symbol(*nothing)
                if re.search(refused, name):
                    self.assertEqual(status, -errno.EINVAL)

    def test_objects_are_released_in_any_order(self):
        for order in itertools.permutations(range(4)):
            source, destination = parse_host('a'), parse_host('b')
            comparison = new('compare', source, destination, None)
            findings = new('check', source, None, None)
            objects = [('host', source), ('host', destination), ('comparison', comparison), ('findings', findings)]
            for index in order:
                free(*objects[index])

    def test_equal_hosts_are_compatible_and_other_firmware_is_not(self):
        for firmware, verdict in (('28.41.1000', 1), ('28.42.1000', 2)):
            source, destination = parse_host('a'), parse_host('b', firmware=firmware)
            comparison = new('compare', source, destination, None)
            self.assertEqual(function('comparison_get_verdict')(comparison), verdict)
            free('comparison', comparison)
            free('host', source, destination)

    def test_a_refused_document_gives_an_error_with_a_message(self):
        error, host = POINTER(), POINTER(1)
        status = function('host_parse')(b'{}', ctypes.c_size_t(2), ctypes.byref(host), ctypes.byref(error))
        self.assertEqual(status, -errno.EBADMSG)
        self.assertEqual(host.value, 1, 'ret was touched')
        self.assertIn(b'schema', function('error_get_message', ctypes.c_char_p)(error))
        free('error', error)

    def test_a_destroy_function_is_called_exactly_once(self):
        calls = []
        destroy = DESTROY_FN(calls.append)
        log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, POINTER)(lambda *_: None)
        ctx = new_simple('ctx_new')
        function('ctx_set_log')(ctx, 4, log, POINTER(1), destroy)
        function('ctx_set_log')(ctx, 4, log, POINTER(2), destroy)
        self.assertEqual(calls, [1])
        function('ctx_unref', POINTER)(ctx)
        self.assertEqual(calls, [1, 2])
        self.assertEqual(function('ctx_set_log')(None, 4, log, POINTER(3), destroy), -errno.EINVAL)
        self.assertEqual(calls, [1, 2, 3])


class Configs(unittest.TestCase):
    def setUp(self):
        self.config = new_simple('config_new')
        self.addCleanup(lambda: free('config', self.config))

    def set(self, name, *values):
        return function('config_set_' + name)(self.config, *values)

    def test_every_setter_is_in_the_document(self):
        zero, one = ctypes.c_uint32(0), ctypes.c_uint32(1)
        for setter, *values in (
                ('num_vfs', ctypes.c_uint32(2)),
                ('eswitch_mode', CONSTANTS['ESWITCH_SWITCHDEV']),
                ('vf_hw_addr', zero, b'02:00:00:00:00:AB'),
                ('vf_attr', VF_ALL, CONSTANTS['PORT_ATTR_MIGRATABLE'], CONSTANTS['PORT_ATTR_STATE_ENABLED']),
                ('vf_attr', one, CONSTANTS['PORT_ATTR_ROCE'], CONSTANTS['PORT_ATTR_STATE_DISABLED']),
                ('vf_driver', VF_ALL, b'mlx5_vfio_pci'),
                ('vf_max_io_eqs', VF_ALL, ctypes.c_uint32(16)),
                ('vf_msix_count', one, ctypes.c_uint32(32)),
                ('vf_representor_state', VF_ALL, CONSTANTS['ADMIN_STATE_UP']),
                ('nv', b'NUM_OF_VFS', ctypes.c_uint64(8)),
                ('firmware_reset', 1),
                ('live_guests', 1)):
            self.assertEqual(self.set(setter, *values), 0, setter)
        document = {**CONFIG, 'num_vfs': 2, 'eswitch_mode': 'switchdev', 'nv': {'NUM_OF_VFS': 8},
                    'firmware_reset': True, 'live_guests': True,
                    'all_vfs': {'migratable': 'enable', 'driver': 'mlx5_vfio_pci', 'max_io_eqs': 16,
                                'representor_state': 'up'},
                    'vfs': [{'index': 0, 'hw_addr': '02:00:00:00:00:ab'},
                            {'index': 1, 'roce': 'disable', 'msix_count': 32}]}
        self.assertEqual(serialize('config', self.config), document)
        again = parse('config', document)
        self.assertEqual(serialize('config', again), document)
        free('config', again)

    def test_a_release_takes_the_place_of_what_was_wanted_before(self):
        self.assertEqual(self.set('vf_driver', ctypes.c_uint32(3), b'mlx5_vfio_pci'), 0)
        self.assertEqual(self.set('vf_release', ctypes.c_uint32(3)), 0)
        self.assertEqual(serialize('config', self.config),
                         {**CONFIG, 'vfs': [{'index': 3, 'migratable': 'disable', 'driver': 'mlx5_core'}]})

    def test_what_cannot_be_wanted_leaves_no_trace(self):
        zero, enabled = ctypes.c_uint32(0), CONSTANTS['PORT_ATTR_STATE_ENABLED']
        for setter, *values in (
                ('num_vfs', ctypes.c_uint32(4097)),
                ('eswitch_mode', CONSTANTS['ESWITCH_SWITCHDEV_INACTIVE']),
                ('vf_hw_addr', VF_ALL, b'02:00:00:00:00:01'),
                ('vf_hw_addr', zero, b'01:00:00:00:00:01'),
                ('vf_attr', zero, CONSTANTS['PORT_ATTR_UNKNOWN'], enabled),
                ('vf_attr', zero, CONSTANTS['PORT_ATTR_ROCE'], CONSTANTS['PORT_ATTR_STATE_UNSUPPORTED']),
                ('vf_driver', zero, b'vfio-pci'),
                ('vf_max_io_eqs', zero, ctypes.c_uint32(0)),
                ('vf_msix_count', zero, ctypes.c_uint32(2049)),
                ('vf_representor_state', zero, CONSTANTS['ADMIN_STATE_UNKNOWN']),
                ('vf_release', ctypes.c_uint32(4096)),
                ('nv', b'LINK_TYPE_P1', ctypes.c_uint64(2)),
                ('nv', b'SRIOV_EN', ctypes.c_uint64(2 ** 32))):
            with self.subTest(setter):
                self.assertEqual(self.set(setter, *values), -errno.EINVAL)
        self.assertEqual(serialize('config', self.config), CONFIG)

    def test_a_document_is_refused_by_what_is_wrong_with_it(self):
        address = '02:00:00:00:00:01'
        for document, status, code in (
                (b'{', errno.EBADMSG, 'INVALID_DOCUMENT'),
                (b' ' * (1024 * 1024 + 1), errno.EFBIG, 'INVALID_DOCUMENT'),
                ({**CONFIG, 'num_vf': 1}, errno.EBADMSG, 'INVALID_DOCUMENT'),
                ({**CONFIG, 'num_vfs': 4097}, errno.ERANGE, 'TOO_MANY_VFS'),
                ({**CONFIG, 'vfs': [{'index': 4096}]}, errno.ERANGE, 'VF_INDEX'),
                ({**CONFIG, 'vfs': [{'index': 0, 'hw_addr': '01:00:00:00:00:01'}]}, errno.EADDRNOTAVAIL, 'HW_ADDR'),
                ({**CONFIG, 'vfs': [{'index': index, 'hw_addr': address} for index in range(2)]}, errno.EEXIST,
                 'HW_ADDR_TAKEN')):
            with self.subTest(str(document)[:80]):
                with self.assertRaises(Refused) as caught:
                    parse('config', document)
                self.assertEqual((caught.exception.errno, caught.exception.code), (status, CONSTANTS['ERROR_' + code]))
                self.assertTrue(caught.exception.message)


def plan_of(host, **wishes):
    """A plan that needs nothing of what it was made of any more."""
    made, config = parse('host', host), parse('config', {**CONFIG, **wishes})
    try:
        return new('plan_new', made, host['pfs'][0]['bdf'].encode(), config)
    finally:
        free('config', config)
        free('host', made)


def step_of(plan, index):
    return POINTER(function('plan_get_step', POINTER)(plan, ctypes.c_size_t(index)))


def ids_of(plan):
    steps = [step_of(plan, index) for index in range(function('plan_length', ctypes.c_size_t)(plan))]
    return [get_str('step', step, 'STEP_ID') for step in steps]


def recorded_host(name):
    return json.loads((PROJECT / 'tests/data/hosts' / name / 'snapshot.json').read_text('utf-8'))


class Plans(unittest.TestCase):
    WISHES = {'num_vfs': 2, 'eswitch_mode': 'switchdev', 'all_vfs': {'migratable': 'enable', 'driver': 'mlx5_vfio_pci'}}

    def make(self, host, **wishes):
        plan = plan_of(host, **wishes)
        self.addCleanup(lambda: free('plan', plan))
        return plan

    def from_nothing(self):
        return self.make(host_document('a', eswitch_mode='legacy', sriov_num_vfs=0, sriov_autoprobe='yes',
                                       sriov_offset=2, sriov_stride=1, vfs=[]), **self.WISHES)

    def new_ctx(self, root=None):
        ctx = new_simple('ctx_new')
        self.addCleanup(lambda: function('ctx_unref', POINTER)(ctx))
        if root:
            call('ctx_set_root', ctx, str(root).encode())
        return ctx

    def test_vfs_of_a_recorded_host_are_given_back(self):
        host = recorded_host('connectx-7-ready')
        plan = self.make(host, all_vfs={'migratable': 'disable', 'driver': 'mlx5_core'})
        vfs = host['pfs'][0]['vfs']
        self.assertEqual(ids_of(plan), [word for word in ('unbind', 'driver-override', 'bind') for _ in vfs])
        for index, vf in enumerate(vfs):
            step = step_of(plan, index)
            self.assertEqual(get_str('step', step, 'STEP_OBJECT'), vf['bdf'])
            self.assertEqual(get_str('step', step, 'STEP_CURRENT'), 'mlx5_vfio_pci')
            self.assertEqual(get_str('step', step, 'STEP_WANTED'), 'none')
            self.assertEqual(get_str('step', step, 'STEP_COMMAND'),
                             f'echo {vf["bdf"]} > /sys/bus/pci/drivers/mlx5_vfio_pci/unbind')
            self.assertTrue(get_str('step', step, 'STEP_REASON'))
            self.assertTrue(get_str('step', step, 'STEP_DISTURBANCE'))
            self.assertEqual(get_u64('step', step, 'STEP_VF_INDEX'), vf['index'])
            self.assertGreater(get_u64('step', step, 'STEP_USUAL_TIME_MS'), 0)
            self.assertEqual(get_u64('step', step, 'STEP_UNDOABLE'), CONSTANTS['ANSWER_YES'])
            self.assertEqual(get_u64('step', step, 'STEP_DISTURBS'), CONSTANTS['DISTURBANCE_VF_TRAFFIC'])

    def test_a_step_of_the_pf_has_no_vf_and_one_that_disturbs_nothing_says_nothing(self):
        plan = self.from_nothing()
        ids = ids_of(plan)
        self.assertIsNone(get_u64('step', step_of(plan, ids.index('num-vfs')), 'STEP_VF_INDEX'))
        self.assertIsNone(get_str('step', step_of(plan, ids.index('bind')), 'STEP_DISTURBANCE'))
        self.assertEqual(get_u64('step', step_of(plan, ids.index('load-module')), 'STEP_UNDOABLE'),
                         CONSTANTS['ANSWER_NO'])
        self.assertIsNone(step_of(plan, len(ids)).value)

    def test_keys_of_another_type_are_refused(self):
        plan = self.from_nothing()
        step = step_of(plan, 0)
        number, text = ctypes.c_uint64(7), ctypes.c_char_p(b'as before')
        for key in ('STEP_UNKNOWN', 'STEP_ID'):
            self.assertEqual(function('step_get_u64')(step, CONSTANTS[key], ctypes.byref(number)), -errno.EINVAL)
        for key in ('STEP_UNKNOWN', 'STEP_VF_INDEX'):
            self.assertEqual(function('step_get_str')(step, CONSTANTS[key], ctypes.byref(text)), -errno.EINVAL)
        for key in (0, 1000):
            self.assertEqual(function('plan_get_u64')(plan, key, ctypes.byref(number)), -errno.EINVAL)
        self.assertEqual((number.value, text.value), (7, b'as before'))

    def test_totals_before_anything_is_done(self):
        plan = self.from_nothing()
        numbers = [get_u64('step', step_of(plan, index), 'STEP_USUAL_TIME_MS') for index in range(len(ids_of(plan)))]
        self.assertTrue(0 < get_u64('plan', plan, 'PLAN_USUAL_TIME_MS') <= sum(numbers))
        self.assertEqual(get_u64('plan', plan, 'PLAN_DISTURBS'), CONSTANTS['DISTURBANCE_PF_TRAFFIC'])
        for key in ('RESTART_NEEDED', 'INCOMPLETE', 'IS_UNDO'):
            self.assertEqual(get_u64('plan', plan, 'PLAN_' + key), CONSTANTS['ANSWER_NO'], key)
        for key in ('WRITES', 'MESSAGES'):
            self.assertEqual(get_u64('plan', plan, 'PLAN_' + key), 0, key)
        self.assertIsNone(get_u64('plan', plan, 'PLAN_TOOK_MS'))

    def test_what_waits_for_a_restart_is_told(self):
        nv = [{'name': name, 'supported': 'yes', 'current': value, 'next_boot': value}
              for name, value in (('SRIOV_EN', 1), ('NUM_OF_VFS', 4))]
        host = host_document('a', eswitch_mode='legacy', sriov_num_vfs=0, vfs=[], nv=nv, nv_source='mstconfig')
        plan = self.make(host, **{**self.WISHES, 'num_vfs': 8, 'nv': {'NUM_OF_VFS': 8}})
        self.assertEqual(ids_of(plan), ['nv'])
        for key in ('RESTART_NEEDED', 'INCOMPLETE'):
            self.assertEqual(get_u64('plan', plan, 'PLAN_' + key), CONSTANTS['ANSWER_YES'], key)

    def test_findings_are_borrowed_and_can_be_written(self):
        plan = self.make(host_document('a'), num_vfs=2)
        findings = POINTER(function('plan_get_findings', POINTER)(plan))
        found = [POINTER(function('findings_get', POINTER)(findings, ctypes.c_size_t(index)))
                 for index in range(function('findings_length', ctypes.c_size_t)(findings))]
        ids = [get_str('finding', finding, 'FINDING_ID') for finding in found]
        self.assertIn('plan.settings_lost', ids)
        self.assertEqual(function('findings_get_status')(findings), CONSTANTS['STATUS_WARN'])
        self.assertEqual([finding['id'] for finding in serialize('findings', findings)['findings']], ids)

    def test_an_empty_wish_and_one_that_is_met_need_no_step(self):
        for wishes in ({}, {'num_vfs': 1, 'eswitch_mode': 'switchdev'}):
            self.assertEqual(ids_of(self.make(host_document('a'), **wishes)), [])

    def test_each_refusal_has_its_code(self):
        host = host_document('a')
        used = host_document('a', vfs=[{**host['pfs'][0]['vfs'][0], 'in_use_by': 'guest'}])
        address = '02:00:00:00:00:01'
        kept = host_document('a', vfs=[{**host['pfs'][0]['vfs'][0], 'hw_addr': address}])
        for snapshot, wishes, status, code in (
                (host, {'num_vfs': 5}, errno.ERANGE, 'TOO_MANY_VFS'),
                (host, {'vfs': [{'index': 1, 'driver': ''}]}, errno.ERANGE, 'VF_INDEX'),
                (host, {'num_vfs': 0, 'all_vfs': {'driver': ''}}, errno.EINVAL, 'CONTRADICTION'),
                (used, {'num_vfs': 0}, errno.EBUSY, 'BUSY'),
                (host_document('a', vfs=[*kept['pfs'][0]['vfs'], {'bdf': '0000:08:00.3', 'index': 1}], sriov_num_vfs=2),
                 {'vfs': [{'index': 1, 'hw_addr': address}]}, errno.EEXIST, 'HW_ADDR_TAKEN'),
                (recorded_host('connectx-7-stock-debian'), self.WISHES, errno.EPERM, 'PERMISSION')):
            with self.subTest(code):
                with self.assertRaises(Refused) as caught:
                    self.make(snapshot, **wishes)
                self.assertEqual((caught.exception.errno, caught.exception.code), (status, CONSTANTS['ERROR_' + code]))

    def test_nothing_is_known_of_steps_before_they_are_taken(self):
        plan = self.from_nothing()
        for index in range(len(ids_of(plan)) + 1):
            self.assertEqual(function('plan_get_step_state')(plan, ctypes.c_size_t(index)), 0)
            self.assertIsNone(function('plan_get_step_error', POINTER)(plan, ctypes.c_size_t(index)))
        self.assertIsNone(function('plan_get_undo', POINTER)(plan))
        names = [function('step_state_str', ctypes.c_char_p)(state) for state in range(6)]
        self.assertEqual(names, [b'unknown', b'started', b'done', b'failed', b'skipped', b'unknown'])

    def test_a_plan_is_written_in_two_forms(self):
        plan = self.from_nothing()
        document = json.loads(take_text(new_simple('plan_serialize', plan, CONSTANTS['PLAN_FORMAT_JSON'])))
        self.assertEqual([step['id'] for step in document['steps']], ids_of(plan))
        script = take_text(new_simple('plan_serialize', plan, CONSTANTS['PLAN_FORMAT_SHELL']))
        self.assertIn(f'devlink dev eswitch set pci/{PF.decode()} mode switchdev', script)
        with self.assertRaises(OSError):
            new_simple('plan_serialize', plan, CONSTANTS['PLAN_FORMAT_UNKNOWN'])

    def test_policies_and_journals_that_make_no_sense_are_refused(self):
        plan = self.from_nothing()
        for policy, status in ((0, -errno.EINVAL), (1, 0), (2, 0), (3, 0), (4, -errno.EINVAL)):
            self.assertEqual(function('plan_set_failure_policy')(plan, policy), status, policy)
        for folder, status in ((b'/var/lib/nowhere', 0), (b'', -errno.EINVAL), (None, 0)):
            self.assertEqual(function('plan_set_journal')(plan, folder), status, folder)

    def test_another_machines_tree_is_neither_changed_nor_recovered(self):
        ctx = self.new_ctx(PROJECT / 'tests/data/hosts/connectx-7-ready/root')
        plan = self.from_nothing()
        with tempfile.TemporaryDirectory() as folder:
            for attempt in (lambda: call('plan_apply', plan, ctx),
                            lambda: new('plan_recover', ctx, folder.encode(), PF, CONSTANTS['RECOVERY_UNDO'])):
                with self.assertRaises(Refused) as caught:
                    attempt()
                self.assertEqual((caught.exception.errno, caught.exception.code),
                                 (errno.EROFS, CONSTANTS['ERROR_READ_ONLY_ROOT']))

    def test_without_a_journal_there_is_nothing_to_recover(self):
        # any function will do; where there is none at all, it is that which is not found
        devices = sorted(path.name for path in pathlib.Path('/sys/bus/pci/devices').glob('*'))
        bdf = devices[0].encode() if devices else PF
        with tempfile.TemporaryDirectory() as folder:
            for way in ('FINISH', 'UNDO'):
                with self.assertRaises(Refused) as caught:
                    new('plan_recover', self.new_ctx(), folder.encode(), bdf, CONSTANTS['RECOVERY_' + way])
                self.assertEqual((caught.exception.errno, caught.exception.code),
                                 (errno.ENOENT, CONSTANTS['ERROR_NOT_FOUND']))
                self.assertIn('journal' if devices else bdf.decode(), caught.exception.message)
            with self.assertRaises(Refused) as caught:
                new('plan_recover', self.new_ctx(), folder.encode(), PF, CONSTANTS['RECOVERY_UNKNOWN'])
            self.assertEqual(caught.exception.errno, errno.EINVAL)

    def test_what_was_not_applied_cannot_be_rolled_back(self):
        with self.assertRaises(Refused) as caught:
            call('plan_rollback', self.from_nothing(), self.new_ctx())
        self.assertEqual(caught.exception.errno, errno.ENODATA)

    def test_a_callback_is_kept_and_its_data_released_once(self):
        seen, released = [], []
        show = PLAN_FN(lambda plan, index, state, data: seen.append((index, state)) or 0)
        destroy = DESTROY_FN(released.append)
        plan = plan_of(host_document('a'), num_vfs=0)
        for data in (1, 2):
            self.assertEqual(function('plan_set_progress')(plan, show, POINTER(data), destroy), 0)
        self.assertEqual(released, [1])
        with self.assertRaises(Refused):
            call('plan_apply', plan, self.new_ctx(PROJECT / 'tests/data/hosts/connectx-7-ready/root'))
        self.assertEqual(seen, [], 'nothing was begun')
        free('plan', plan)
        self.assertEqual(released, [1, 2])
        self.assertEqual(function('plan_set_progress')(None, show, POINTER(3), destroy), -errno.EINVAL)
        self.assertEqual(released, [1, 2, 3])


if __name__ == '__main__':
    tap.main()
