#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Comparisons, domains, fleets and evacuations as a binding sees them: by name, with plain signatures."""

import ctypes
import errno
import json
import unittest

from library import (CONSTANTS, POINTER, Refused, call, free, function, get_finding_texts, get_str, get_u64, new,
                     new_simple, parse, serialize, serialize_as)
import tap
import whole_hosts
from whole_hosts import bdf_of

HOSTA = whole_hosts.host('hosta', [whole_hosts.pf(in_use_by=['guest'])])
HOSTB = whole_hosts.host('hostb')
NEWER = whole_hosts.host('hostc', [whole_hosts.pf(fw_running='28.42.1000', fw_stored='28.42.1000')])
YES, NO = CONSTANTS['ANSWER_YES'], CONSTANTS['ANSWER_NO']
VERDICTS = {CONSTANTS['VERDICT_' + name.upper()]: name for name in ('unknown', 'compatible', 'incompatible')}


def size(number):
    return ctypes.c_size_t(number)


def borrowed(name, owner, index):
    return POINTER(function(name, POINTER)(owner, size(index)))


class Case(unittest.TestCase):
    def own(self, kind, made):
        self.addCleanup(lambda: free(kind, made))
        return made

    def refused(self, status, name, *arguments, code=None):
        with self.assertRaises(Refused) as caught:
            new(name, *arguments)
        self.assertEqual(caught.exception.errno, status)
        self.assertTrue(caught.exception.message)
        if code:
            self.assertEqual(caught.exception.code, CONSTANTS['ERROR_' + code])


class Comparisons(Case):
    def compare(self, source, destination, options=None):
        """A comparison that needs nothing of what it was made of any more."""
        hosts = parse('host', source), parse('host', destination)
        comparison = self.own('comparison', new('compare', *hosts, options))
        free('host', *hosts)
        return comparison

    def options(self, **settings):
        options = self.own('compare_options', new_simple('compare_options_new'))
        for name, value in settings.items():
            arguments = value if isinstance(value, tuple) else (value,)
            self.assertEqual(function(f'compare_options_set_{name}')(options, *arguments), 0, name)
        return options

    def domain(self, *vfs):
        xml = whole_hosts.domain('guest', *vfs).encode()
        return self.own('domain', new('domain_parse', xml, size(len(xml))))

    def verdict(self, comparison):
        return VERDICTS[function('comparison_get_verdict')(comparison)]

    def pairs(self, comparison):
        length = function('comparison_length_pairs', ctypes.c_size_t)(comparison)
        pairs = [borrowed('comparison_get_pair', comparison, index) for index in range(length)]
        self.assertIsNone(borrowed('comparison_get_pair', comparison, length).value)
        return [(get_str('pair', pair, 'PAIR_SOURCE'), get_str('pair', pair, 'PAIR_DESTINATION')) for pair in pairs]

    def test_a_pair_tells_both_sides(self):
        comparison = self.compare(HOSTA, HOSTB)
        self.assertEqual(self.verdict(comparison), 'compatible')
        pair = borrowed('comparison_get_pair', comparison, 0)
        facts = [get_str('pair', pair, 'PAIR_' + key) for key in ('SOURCE', 'DESTINATION', 'SOURCE_PF',
                                                                 'DESTINATION_PF', 'REMEDY')]
        self.assertEqual(facts, [bdf_of(0), bdf_of(0), whole_hosts.PF, whole_hosts.PF, None])
        self.assertEqual(get_u64('pair', pair, 'PAIR_READY'), YES)
        number, text = ctypes.c_uint64(7), ctypes.c_char_p(b'as before')
        for key in ('PAIR_UNKNOWN', 'PAIR_SOURCE'):
            self.assertEqual(function('pair_get_u64')(pair, CONSTANTS[key], ctypes.byref(number)), -errno.EINVAL)
        for key in ('PAIR_UNKNOWN', 'PAIR_READY'):
            self.assertEqual(function('pair_get_str')(pair, CONSTANTS[key], ctypes.byref(text)), -errno.EINVAL)
        self.assertEqual((number.value, text.value), (7, b'as before'))

    def test_a_difference_names_the_side_that_should_change(self):
        for source, destination, side in ((HOSTA, NEWER, 'source'), (NEWER, HOSTB, 'destination')):
            comparison = self.compare(source, destination)
            self.assertEqual(self.verdict(comparison), 'incompatible')
            findings = POINTER(function('comparison_get_findings', POINTER)(comparison))
            ids = get_finding_texts(findings, 'FINDING_ID')
            self.assertEqual(get_finding_texts(findings, 'FINDING_SIDE')[ids.index('firmware.version')], side)
            self.assertTrue(get_finding_texts(findings, 'FINDING_REMEDY')[ids.index('firmware.version')])

    def test_a_domain_gets_its_xml_for_the_destination(self):
        domain = self.domain(bdf_of(0))
        options = self.options(domain=domain, vf=(bdf_of(0).encode(), bdf_of(2).encode()))
        comparison = self.compare(HOSTA, HOSTB, options)
        self.assertEqual(self.pairs(comparison), [(bdf_of(0), bdf_of(2))])
        xml = ctypes.c_char_p()
        self.assertEqual(function('comparison_get_destination_xml')(comparison, ctypes.byref(xml)), 0)
        self.assertEqual(xml.value.decode(), whole_hosts.domain('guest', bdf_of(2)))

    def test_without_a_domain_or_a_pair_there_is_no_xml(self):
        xml = ctypes.c_char_p(b'as before')
        options = self.options(domain=self.domain(bdf_of(0)))
        for comparison in (self.compare(HOSTA, HOSTB), self.compare(HOSTA, whole_hosts.host('hostb', []), options)):
            status = function('comparison_get_destination_xml')(comparison, ctypes.byref(xml))
            self.assertEqual((status, xml.value), (-errno.ENODATA, b'as before'))

    def test_constraints_are_kept(self):
        options = self.options(domain=self.domain(bdf_of(0)))
        for index in (0, 1):
            self.assertEqual(function('compare_options_exclude_vf')(options, bdf_of(index).encode()), 0)
        self.assertEqual(self.pairs(self.compare(HOSTA, HOSTB, options)), [(bdf_of(0), bdf_of(2))])
        self.assertEqual(function('compare_options_set_destination_pf')(options, b'0000:99:00.0'), 0)
        self.assertEqual(self.pairs(self.compare(HOSTA, HOSTB, options)), [])
        self.assertEqual(function('compare_options_set_destination_pf')(options, None), 0)
        self.assertEqual(self.pairs(self.compare(HOSTA, HOSTB, options)), [(bdf_of(0), bdf_of(2))])

    def test_a_vf_that_is_not_ready_is_taken_only_if_that_is_allowed(self):
        unbound = whole_hosts.vf(0, driver='mlx5_core', driver_override='', bind_state='bad')
        host = whole_hosts.host('hostb', [whole_hosts.pf(1, vfs=[unbound])])
        for allowed, pairs in ((0, []), (1, [(bdf_of(0), bdf_of(0))])):
            options = self.options(domain=self.domain(bdf_of(0)), makeable=allowed)
            comparison = self.compare(HOSTA, host, options)
            self.assertEqual(self.pairs(comparison), pairs)
        pair = borrowed('comparison_get_pair', comparison, 0)
        self.assertEqual(get_u64('pair', pair, 'PAIR_READY'), NO)
        self.assertIn('mlx5lm-configure', get_str('pair', pair, 'PAIR_REMEDY'))

    def test_options_that_make_no_sense_are_refused(self):
        options = self.options(vf=(bdf_of(0).encode(), bdf_of(1).encode()))
        for name, *arguments in (('set_vf', b'8.2', b'0000:08:00.2'), ('set_vf', b'0000:08:00.2', b'x'),
                                 ('set_vf', bdf_of(3).encode(), bdf_of(1).encode()), ('exclude_vf', b'0000'),
                                 ('set_destination_pf', b'40.0'), ('set_numa_policy', 0), ('set_numa_policy', 99)):
            with self.subTest(name, arguments=arguments):
                self.assertEqual(function('compare_options_' + name)(options, *arguments), -errno.EINVAL)

    def test_it_is_written_in_two_forms(self):
        comparison = self.compare(HOSTA, NEWER)
        self.assertEqual(json.loads(serialize_as('comparison', comparison, 'JSON'))['verdict'], 'incompatible')
        text = serialize_as('comparison', comparison, 'TEXT')
        for word in ('hosta', 'hostc', '28.42.1000'):
            self.assertIn(word, text)
        with self.assertRaises(OSError):
            serialize_as('comparison', comparison, 'UNKNOWN')


class Domains(Case):
    def parse(self, xml):
        return self.own('domain', new('domain_parse', xml, size(len(xml))))

    def test_what_a_domain_tells(self):
        xml = whole_hosts.domain('guest', bdf_of(0), bdf_of(1), memory_mib=2048).encode()
        domain = self.parse(xml)
        self.assertEqual(get_str('domain', domain, 'DOMAIN_NAME'), 'guest')
        self.assertIn(get_str('domain', domain, 'DOMAIN_UUID').encode(), xml)
        self.assertEqual(get_str('domain', domain, 'DOMAIN_XML').encode(), xml)
        self.assertEqual(get_u64('domain', domain, 'DOMAIN_MEMORY_BYTES'), 2 << 30)
        self.assertIn(get_u64('domain', domain, 'DOMAIN_CPU'), (None, 0))
        length = function('domain_length_hostdevs', ctypes.c_size_t)(domain)
        hostdevs = [function('domain_get_hostdev', ctypes.c_char_p)(domain, size(i)) for i in range(length + 1)]
        self.assertEqual(hostdevs, [bdf_of(0).encode(), bdf_of(1).encode(), None])

    def test_a_document_that_is_refused(self):
        for xml in (b'', b'<domain', b'<a/>', b'<!DOCTYPE a [<!ENTITY x "y">]><domain><name>&x;</name></domain>',
                    b'<domain><name>a</name>' + b'<x>' * 100 + b'</x>' * 100 + b'</domain>',
                    b'<domain><name>a</name></domain>' + b' ' * (10 << 20)):
            with self.subTest(xml[:60]):
                self.refused(errno.EBADMSG, 'domain_parse', xml, size(len(xml)))

    def test_a_check_knows_the_hosts_or_does_without(self):
        domain = self.parse(whole_hosts.domain('guest', bdf_of(0)).encode())
        source, destination = self.own('host', parse('host', HOSTA)), self.own('host', parse('host', HOSTB))
        for hosts, statuses in (((source, destination), ('PASS', 'WARN')), ((None, None), ('UNKNOWN', 'WARN', 'FAIL'))):
            findings = self.own('findings', new('domain_check', domain, *hosts, ctypes.c_uint64(0)))
            ids = get_finding_texts(findings, 'FINDING_ID')
            self.assertTrue(all(name.startswith('domain.') for name in ids), ids)
            self.assertIn('domain.vfs', ids)
            self.assertIn(function('findings_get_status')(findings),
                          [CONSTANTS['STATUS_' + status] for status in statuses])

    def test_a_daemon_that_cannot_be_reached_is_an_error(self):
        ctx = new_simple('ctx_new')
        self.addCleanup(lambda: function('ctx_unref', POINTER)(ctx))
        nowhere = b'test+unix:///nowhere?socket=/nonexistent'
        with self.assertRaises(Refused) as caught:
            new('domain_read', ctx, nowhere, b'guest', ctypes.c_uint32(2000))
        self.assertTrue(caught.exception.message)
        cpu = "  <cpu mode='custom' match='exact'><model>Skylake-Server</model></cpu>\n  <devices>"
        xml = whole_hosts.domain('guest', bdf_of(0)).replace('  <devices>', cpu, 1).encode()
        with self.assertRaises(Refused) as caught:
            call('domain_ask_destination', self.parse(xml), ctx, nowhere, ctypes.c_uint32(2000))
        self.assertTrue(caught.exception.message)


class FleetCase(Case):
    def fleet(self, *hosts):
        fleet = self.own('fleet', new_simple('fleet_new'))
        for document in hosts:
            host = parse('host', document)
            call('fleet_add', fleet, host, None)
            free('host', host)
        return fleet


class Fleets(FleetCase):
    def classes(self, fleet):
        length = function('fleet_length_classes', ctypes.c_size_t)(fleet)
        self.assertIsNone(borrowed('fleet_get_class', fleet, length).value)
        return [borrowed('fleet_get_class', fleet, index) for index in range(length)]

    def names(self, cls):
        length = function('class_length_hosts', ctypes.c_size_t)(cls)
        self.assertIsNone(function('class_get_host', ctypes.c_char_p)(cls, size(length)))
        return [function('class_get_host', ctypes.c_char_p)(cls, size(index)).decode() for index in range(length)]

    def test_hosts_that_can_exchange_vfs_are_in_one_class(self):
        fleet = self.fleet(HOSTB, NEWER, HOSTA)
        self.assertEqual(function('fleet_length_hosts', ctypes.c_size_t)(fleet), 3)
        classes = self.classes(fleet)
        self.assertEqual([self.names(cls) for cls in classes], [['hosta', 'hostb'], ['hostc']])
        self.assertEqual([get_str('class', cls, 'CLASS_FIRMWARE') for cls in classes], ['28.41.1000', '28.42.1000'])
        self.assertEqual({get_str('class', cls, 'CLASS_PSID') for cls in classes}, {'MT_0000000838'})
        self.assertEqual([get_u64('class', cls, 'CLASS_KNOWN') for cls in classes], [YES, YES])
        self.assertEqual(get_u64('class', classes[1], 'CLASS_NEAREST'), 0)

    def test_what_joins_two_classes_is_asked_both_ways(self):
        fleet = self.fleet(HOSTA, HOSTB, NEWER)
        for start, end in ((0, 1), (1, 0)):
            findings = self.own('findings', new('fleet_join', fleet, size(start), size(end)))
            self.assertEqual(get_finding_texts(findings, 'FINDING_ID'), ['firmware.version'])
            self.assertEqual(function('findings_get_status')(findings), CONSTANTS['STATUS_WARN'])
            self.assertEqual(serialize('findings', findings)['status'], 'warn')
        self.refused(errno.ENOENT, 'fleet_join', fleet, size(0), size(2))

    def test_other_hardware_is_never_joined(self):
        other = whole_hosts.host('hostd', [whole_hosts.pf(psid='MT_0000000001')])
        fleet = self.fleet(HOSTA, HOSTB, other)
        findings = self.own('findings', new('fleet_join', fleet, size(1), size(0)))
        self.assertEqual(function('findings_get_status')(findings), CONSTANTS['STATUS_FAIL'])

    def test_a_host_without_psid_is_not_told(self):
        adapter = whole_hosts.pf()
        del adapter['psid']
        classes = self.classes(self.fleet(HOSTA, HOSTB, whole_hosts.host('hostd', [adapter])))
        self.assertEqual([get_u64('class', cls, 'CLASS_KNOWN') for cls in classes], [YES, NO])

    def test_names_are_there_once(self):
        fleet = self.fleet(HOSTA)
        host = self.own('host', parse('host', HOSTA))
        for name, status in ((None, errno.EEXIST), (b'hosta', errno.EEXIST), (b'x' * 256, errno.EINVAL)):
            with self.assertRaises(Refused) as caught:
                call('fleet_add', fleet, host, name)
            self.assertEqual(caught.exception.errno, status)
        call('fleet_add', fleet, host, b'another')
        self.assertEqual(self.names(self.classes(fleet)[0]), ['another', 'hosta'])

    def test_an_empty_fleet_has_no_class(self):
        fleet = self.fleet()
        self.assertEqual(self.classes(fleet), [])
        self.assertEqual(json.loads(serialize_as('fleet', fleet, 'JSON'))['schema'], 'mlx5lm.fleet')
        with self.assertRaises(OSError):
            serialize_as('fleet', fleet, 'UNKNOWN')


class Evacuations(FleetCase):
    def evacuation(self, fleet, host=b'hosta', **bounds):
        options = self.own('evacuation_options', new_simple('evacuation_options_new'))
        for name, value in bounds.items():
            key = CONSTANTS['EVACUATION_OPTION_' + name.upper()]
            self.assertEqual(function('evacuation_options_set_u64')(options, key, ctypes.c_uint64(value)), 0, name)
        return self.own('evacuation', new('evacuation_new', fleet, host, options))

    def moves(self, evacuation):
        length = function('evacuation_length_moves', ctypes.c_size_t)(evacuation)
        self.assertIsNone(borrowed('evacuation_get_move', evacuation, length).value)
        return [borrowed('evacuation_get_move', evacuation, index) for index in range(length)]

    def test_each_domain_moves_in_its_wave(self):
        full = whole_hosts.host('hosta', [whole_hosts.pf(4, ['a', 'b', 'c', 'c'])])
        evacuation = self.evacuation(self.fleet(full, HOSTB, NEWER), max_vfs_per_pf=2)
        moves = self.moves(evacuation)
        self.assertEqual(sorted(get_str('move', move, 'MOVE_DOMAIN') for move in moves), ['a', 'b', 'c'])
        self.assertEqual({get_str('move', move, 'MOVE_DESTINATION') for move in moves}, {'hostb'})
        self.assertEqual(get_u64('evacuation', evacuation, 'EVACUATION_NUM_WAVES'), 2)
        self.assertEqual(get_u64('evacuation', evacuation, 'EVACUATION_NUM_LEFT'), 0)
        self.assertEqual(get_u64('evacuation', evacuation, 'EVACUATION_OPTIMAL'), YES)
        source, destination, taken = ctypes.c_char_p(), ctypes.c_char_p(), []
        for move in moves:
            count = get_u64('move', move, 'MOVE_NUM_VFS')
            for index in range(count):
                self.assertEqual(function('move_get_vf')(move, size(index), ctypes.byref(source),
                                                         ctypes.byref(destination)), 0)
                taken.append((source.value.decode(), destination.value.decode()))
            self.assertEqual(function('move_get_vf')(move, size(count), ctypes.byref(source),
                                                     ctypes.byref(destination)), -errno.ENOENT)
            self.assertIsNone(get_u64('move', move, 'MOVE_DOWNTIME_MS'))
        every = [bdf_of(index) for index in range(4)]
        self.assertEqual([sorted(side) for side in zip(*taken)], [every, every])

    def test_the_network_bounds_a_wave(self):
        full = whole_hosts.host('hosta', [whole_hosts.pf(2, ['a', 'b'])])
        fleet = self.fleet(full, HOSTB)
        network = {'bandwidth_mib_per_s': 1000, 'state_bytes_per_vf': 100 << 20}
        for limit, waves, downtime in ((0, 1, 200), (150, 2, 100)):
            evacuation = self.evacuation(fleet, downtime_limit_ms=limit, **network)
            self.assertEqual(get_u64('evacuation', evacuation, 'EVACUATION_NUM_WAVES'), waves)
            self.assertEqual({get_u64('move', move, 'MOVE_DOWNTIME_MS') for move in self.moves(evacuation)}, {downtime})

    def test_who_stays_is_a_finding(self):
        evacuation = self.evacuation(self.fleet(HOSTA, NEWER))
        self.assertEqual(self.moves(evacuation), [])
        self.assertEqual(get_u64('evacuation', evacuation, 'EVACUATION_NUM_LEFT'), 1)
        findings = POINTER(function('evacuation_get_findings', POINTER)(evacuation))
        self.assertEqual(get_finding_texts(findings, 'FINDING_OBJECT'), ['guest'])
        self.assertTrue(get_finding_texts(findings, 'FINDING_MESSAGE')[0])

    def test_a_host_can_be_spared(self):
        options = self.own('evacuation_options', new_simple('evacuation_options_new'))
        self.assertEqual(function('evacuation_options_exclude_host')(options, b'hostb'), 0)
        other = whole_hosts.host('hostd')
        evacuation = self.own('evacuation', new('evacuation_new', self.fleet(HOSTA, HOSTB, other), b'hosta', options))
        self.assertEqual([get_str('move', move, 'MOVE_DESTINATION') for move in self.moves(evacuation)], ['hostd'])

    def test_a_host_that_is_not_there(self):
        self.refused(errno.ENOENT, 'evacuation_new', self.fleet(HOSTA), b'hostz', None)


if __name__ == '__main__':
    tap.main()
