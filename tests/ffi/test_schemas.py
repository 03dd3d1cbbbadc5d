#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the library writes is what doc/schema says, and what doc/schema refuses it does not read."""

import copy
import ctypes
import functools
import json
import sys
import unittest

from library import (CONSTANTS, PROJECT, Refused, call, function, new, new_simple, parse, serialize, serialize_as,
                     take_text)
import tap
import whole_hosts

try:
    import jsonschema
except ImportError:
    sys.exit('this test needs jsonschema: apt-get install python3-jsonschema')

VF = {'bdf': '0000:08:00.2', 'index': 0, 'driver': 'mlx5_vfio_pci', 'migratable': 'enable', 'iommu_group': 9,
      'port_index': 1}
VF_1 = {**VF, 'bdf': '0000:08:00.3', 'index': 1}
PF = {'bdf': '0000:08:00.0', 'device_id': 0x1021, 'class': 0x20000, 'psid': 'MT_0000000838', 'fw_running': '28.41.1000',
      'fw_stored': '28.41.1000', 'eswitch_mode': 'switchdev', 'driver': 'mlx5_core', 'sriov_total_vfs': 4,
      'sriov_num_vfs': 1, 'vfs': [VF]}
HOST = {'schema': 'mlx5lm.host', 'schema_version': 1, 'hostname': 'a', 'kernel_release': '6.12.107', 'pfs': [PF]}


@functools.cache
def validator(name):
    schema = json.loads((PROJECT / 'doc/schema' / f'{name}-1.json').read_text('utf-8'))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def closed(schema):
    """A schema that allows no key but those that it lists; "if" and the like only look at some."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    conditions = ('if', 'then', 'else', 'not', 'anyOf', 'oneOf', 'allOf')
    result = {key: value if key in conditions else closed(value) for key, value in schema.items()}
    if schema.get('type') == 'object' and 'properties' in schema:
        result.setdefault('additionalProperties', False)
    return result


@functools.cache
def closed_validator(name):
    """For what this very library writes: a key that the schema does not know is one that was forgotten there."""
    return jsonschema.Draft202012Validator(closed(validator(name).schema))


def known_names():
    names = []
    while name := function('profile_known_name', ctypes.c_char_p)(ctypes.c_size_t(len(names))):
        names.append(name)
    return names


def check(host, profile=None):
    snapshot = parse('host', host)
    findings = new('check', snapshot, profile, None)
    document = serialize('findings', findings)
    function('findings_free', None)(findings)
    function('host_free', None)(snapshot)
    return document


class Profiles(unittest.TestCase):
    def documents(self):
        for name in known_names():
            profile = new('profile_new_from_name', name)
            yield serialize('profile', profile)
            function('profile_free', None)(profile)

    def test_the_known_ones_are_valid_and_are_read_again(self):
        documents = list(self.documents())
        self.assertEqual([document['name'] for document in documents], ['nvidia-doca-2.9', 'rhel-10'])
        for document in documents:
            validator('profile').validate(document)
            profile = parse('profile', document)
            self.assertEqual(serialize('profile', profile), document)
            function('profile_free', None)(profile)

    def test_schema_and_library_refuse_the_same(self):
        def changed(change):
            document = copy.deepcopy(next(self.documents()))
            change(document)
            return document

        for change in (
                lambda it: it.update(kernel_mim='6.7'),
                lambda it: it.pop('name'),
                lambda it: it.pop('adapters'),
                lambda it: it.update(adapters=[]),
                lambda it: it['adapters'][0].update(more=1),
                lambda it: it['adapters'][0].pop('firmware_min'),
                lambda it: it['adapters'][0].update(device='15b3:10211'),
                lambda it: it['adapters'][0].update(firmware_min='28.41.1000-rc'),
                lambda it: it.update(kernel_min='6'),
                lambda it: it.update(kernel_min=6.7),
                lambda it: it.update(name=''),
                lambda it: it.update(source='a\nb'),
                lambda it: it.update(source='x' * 257),
                lambda it: it.update(max_migrating_vfs_per_pf=0),
                lambda it: it.update(max_migrating_vfs_per_pf=70000),
                lambda it: it.update(guest_viommu='yes'),
                lambda it: it.update(severities={'kernel.version': 'pass'}),
                lambda it: it.update(schema_version=2)):
            document = changed(change)
            with self.subTest(json.dumps(document)[:400]):
                self.assertTrue(list(validator('profile').iter_errors(document)))
                with self.assertRaises(OSError):
                    parse('profile', document)


class Findings(unittest.TestCase):
    def test_what_is_found_is_valid(self):
        hosts = [HOST, {**HOST, 'pfs': []}]
        hosts.append({**HOST, 'iommu_active': 'no', 'pfs': [{**PF, 'eswitch_mode': 'legacy', 'fw_stored': '28.99.1'}]})
        hosts.append({**HOST, 'pfs': [{**PF, 'vfs': [{**VF, 'driver': 'vfio-pci'}, VF_1]}]})
        for host in hosts:
            document = check(host)
            with self.subTest(document['status']):
                validator('findings').validate(document)
                self.assertIn('fail' if document['status'] == 'fail' else 'unknown',
                              [finding['status'] for finding in document['findings']])

    def test_a_profile_as_a_document_decides(self):
        document = {'schema': 'mlx5lm.profile', 'schema_version': 1, 'name': 'site', 'adapters': [
            {'device': '15b3:1021', 'model': 'ConnectX-7', 'firmware_min': '28.43.1000'}]}
        profile = parse('profile', document)
        found = {finding['id']: finding['status'] for finding in check(HOST, profile)['findings']}
        self.assertEqual(found['firmware.version'], 'fail')
        self.assertEqual({finding['id']: finding['status'] for finding in check(HOST)['findings']}['firmware.version'],
                         'pass')
        function('profile_free', None)(profile)


CONFIG = {'schema': 'mlx5lm.config', 'schema_version': 1, 'num_vfs': 2, 'eswitch_mode': 'switchdev',
          'nv': {'SRIOV_EN': 1, 'NUM_OF_VFS': 4096, 'VF_MIGRATION_MODE': 2}, 'firmware_reset': True,
          'live_guests': True,
          'all_vfs': {'roce': 'disable', 'migratable': 'enable', 'ipsec_crypto': 'disable', 'ipsec_packet': 'disable',
                      'max_io_eqs': 65535, 'msix_count': 2048, 'driver': 'mlx5_vfio_pci', 'representor_state': 'up'},
          'vfs': [{'index': 0, 'hw_addr': '02:00:00:00:00:01', 'driver': ''},
                  {'index': 1, 'migratable': 'disable', 'driver': 'mlx5_core', 'representor_state': 'down'}]}


class Configs(unittest.TestCase):
    def test_what_is_written_is_valid_and_what_was_read(self):
        for document in (CONFIG, {'schema': 'mlx5lm.config', 'schema_version': 1}):
            config = parse('config', document)
            self.assertEqual(serialize('config', config), document)
            validator('config').validate(document)
            function('config_free', None)(config)

    def test_schema_and_library_refuse_the_same(self):
        for change in (
                lambda it: it.update(num_vf=1),
                lambda it: it.update(num_vfs=-1),
                lambda it: it.update(num_vfs=4097),
                lambda it: it.update(num_vfs='2'),
                lambda it: it.update(eswitch_mode='switchdev_inactive'),
                lambda it: it.update(firmware_reset='yes'),
                lambda it: it.update(live_guests=1),
                lambda it: it['nv'].update(LINK_TYPE_P1=2),
                lambda it: it['nv'].update(SRIOV_EN=2),
                lambda it: it['nv'].update(NUM_OF_VFS=4097),
                lambda it: it['nv'].update(VF_MIGRATION_MODE=3),
                lambda it: it['all_vfs'].update(index=0),
                lambda it: it['all_vfs'].update(hw_addr='02:00:00:00:00:01'),
                lambda it: it['all_vfs'].update(roce='enabled'),
                lambda it: it['all_vfs'].update(max_io_eqs=0),
                lambda it: it['all_vfs'].update(max_io_eqs=65536),
                lambda it: it['all_vfs'].update(msix_count=0),
                lambda it: it['all_vfs'].update(msix_count=2049),
                lambda it: it['all_vfs'].update(driver='vfio-pci'),
                lambda it: it['all_vfs'].update(driver_override=''),
                lambda it: it['all_vfs'].update(representor_state='unknown'),
                lambda it: it['vfs'][0].pop('index'),
                lambda it: it['vfs'][0].update(index=4096),
                lambda it: it['vfs'][0].update(mac='02:00:00:00:00:01'),
                lambda it: it['vfs'][0].update(hw_addr='01:00:5e:00:00:01'),
                lambda it: it['vfs'][0].update(hw_addr='00:00:00:00:00:00'),
                lambda it: it['vfs'][0].update(hw_addr='2:0:0:0:0:1'),
                lambda it: it.update(vfs={}),
                lambda it: it.update(schema='mlx5lm.host'),
                lambda it: it.pop('schema_version'),
                lambda it: it.update(schema_version=2)):
            document = copy.deepcopy(CONFIG)
            change(document)
            with self.subTest(json.dumps(document)[:600]):
                self.assertTrue(list(validator('config').iter_errors(document)))
                with self.assertRaises(OSError):
                    parse('config', document)


class Plans(unittest.TestCase):
    """A plan is written as the schema says, whatever kinds of steps it has."""

    FACTS = {**VF, 'driver': 'mlx5_core', 'driver_override': '', 'hw_addr': '00:00:00:00:00:00', 'roce': 'enable',
             'migratable': 'disable', 'ipsec_crypto': 'disable', 'ipsec_packet': 'disable', 'max_io_eqs': 8,
             'msix_count': 12, 'representor_state': 'down'}
    STATES = ({**PF, 'sriov_autoprobe': 'yes', 'sriov_vf_total_msix': 128, 'vfs': [FACTS]},
              {**PF, 'sriov_autoprobe': 'yes', 'eswitch_mode': 'legacy', 'sriov_num_vfs': 0, 'vfs': []})
    WISHES = ({'num_vfs': 1, 'eswitch_mode': 'switchdev',
               'all_vfs': {'migratable': 'enable', 'roce': 'disable', 'driver': 'mlx5_vfio_pci', 'max_io_eqs': 16,
                           'representor_state': 'up'}, 'vfs': [{'index': 0, 'hw_addr': '02:00:00:00:00:01'}]},
              {'all_vfs': {'msix_count': 16}},
              {'num_vfs': 0, 'eswitch_mode': 'legacy'}, {'num_vfs': 3}, {})

    def documents(self):
        for state in self.STATES:
            for wish in self.WISHES:
                host = parse('host', {**HOST, 'modules': [{'name': 'mlx5_vfio_pci', 'state': 'loadable'}],
                                      'pfs': [state]})
                config = parse('config', {'schema': 'mlx5lm.config', 'schema_version': 1, **wish})
                try:
                    plan = new('plan_new', host, PF['bdf'].encode(), config)
                except Refused:
                    continue  # which wishes are refused is another matter: tests/core/test_plan_*.c
                finally:
                    function('config_free', None)(config)
                    function('host_free', None)(host)
                yield json.loads(take_text(new_simple('plan_serialize', plan, ctypes.c_int(1))))
                function('plan_free', None)(plan)

    def test_what_is_planned_is_valid(self):
        kinds, lengths = set(), set()
        for document in self.documents():
            with self.subTest(json.dumps(document)[:200]):
                validator('plan').validate(document)
                for step in document['steps']:
                    self.assertEqual('vf_index' in step, step['id'] in (
                        'unbind', 'hw-addr', 'port-attr', 'max-io-eqs', 'msix-count', 'driver-override', 'bind',
                        'representor'))
                    self.assertNotIn('state', step)
                kinds |= {step['id'] for step in document['steps']}
                lengths.add(len(document['steps']))
        self.assertIn(0, lengths)
        self.assertLessEqual({'autoprobe', 'eswitch-mode', 'num-vfs', 'load-module', 'unbind', 'hw-addr', 'port-attr',
                              'max-io-eqs', 'msix-count', 'driver-override', 'bind', 'representor'}, kinds)


RECORDED = [json.loads(path.read_text('utf-8'))
            for path in sorted((PROJECT / 'tests/data/hosts').glob('*/snapshot.json'))]
ADAPTERS = [whole_hosts.pf(), whole_hosts.pf(in_use_by=['web', 'db', 'db']), whole_hosts.pf(0),
            whole_hosts.pf(fw_running='28.42.1000'), whole_hosts.pf(psid='MT_0000000891'),
            whole_hosts.pf(eswitch_mode='legacy'), whole_hosts.pf(2, vfs=[whole_hosts.vf(0, driver='mlx5_core')]),
            {key: value for key, value in whole_hosts.pf().items() if key not in ('psid', 'fw_running')}]
WHOLE = [whole_hosts.host(f'host{number}', [adapter]) for number, adapter in enumerate(ADAPTERS)]
WHOLE += [whole_hosts.host('none', []), whole_hosts.host('two', [whole_hosts.pf(), whole_hosts.pf(
    bdf='0000:80:00.0', vfs=[], sriov_num_vfs=0)])]


class Written(unittest.TestCase):
    """What looks at several hosts is written as the schemas say, whatever the hosts; and they refuse something."""

    def setUp(self):
        self.made = []
        self.hosts = [self.own('host', parse('host', document)) for document in WHOLE + RECORDED]

    def tearDown(self):
        for kind, made in reversed(self.made):
            function(kind + '_free', None)(made)

    def own(self, kind, made):
        self.made.append((kind, made))
        return made

    def validate(self, name, documents):
        """Each document is valid, and not without what tells its kind."""
        for document in documents:
            with self.subTest(json.dumps(document)[:200]):
                closed_validator(name).validate(document)
                self.assertEqual((document['schema'], document['schema_version']), (f'mlx5lm.{name}', 1))
        for key in ('schema', 'schema_version'):
            less = {other: value for other, value in documents[0].items() if other != key}
            self.assertFalse(validator(name).is_valid(less), key)
        self.assertFalse(validator(name).is_valid({**documents[0], 'schema': 'mlx5lm.host'}))
        self.assertTrue(validator(name).is_valid({**documents[0], 'newer': 1}))
        self.assertFalse(closed_validator(name).is_valid({**documents[0], 'newer': 1}))

    def fleet(self):
        fleet = self.own('fleet', new_simple('fleet_new'))
        for number, host in enumerate(self.hosts):
            call('fleet_add', fleet, host, f'name{number}'.encode())
        return fleet

    def options(self, *vfs):
        options = self.own('compare_options', new_simple('compare_options_new'))
        if vfs:
            xml = whole_hosts.domain('web', *vfs).encode()
            domain = self.own('domain', new('domain_parse', xml, ctypes.c_size_t(len(xml))))
            self.assertEqual(function('compare_options_set_domain')(options, domain), 0)
            self.assertEqual(function('compare_options_set_makeable')(options, 1), 0)
        return options

    def test_comparisons(self):
        documents = []
        vf = whole_hosts.bdf_of
        for options in (None, self.options(), self.options(vf(0)), self.options(vf(1), vf(2), '0000:00:1f.0')):
            for source in self.hosts:
                for destination in self.hosts:
                    comparison = new('compare', source, destination, options)
                    documents.append(json.loads(serialize_as('comparison', comparison, 'JSON')))
                    function('comparison_free', None)(comparison)
        self.validate('comparison', documents)
        self.assertEqual({document['verdict'] for document in documents}, {'compatible', 'incompatible', 'unknown'})

    def test_findings_of_a_domain_and_of_a_join(self):
        xml = whole_hosts.domain('web', whole_hosts.bdf_of(0), '0000:00:1f.0').encode()
        domain = self.own('domain', new('domain_parse', xml, ctypes.c_size_t(len(xml))))
        fleet = self.fleet()
        for source in (None, self.hosts[0]):
            for destination in (None, self.hosts[3]):
                for flags in (0, 1 << 15):
                    findings = new('domain_check', domain, source, destination, ctypes.c_uint64(flags))
                    document = serialize('findings', self.own('findings', findings))
                    closed_validator('findings').validate(document)
        definitions = closed_validator('fleet').schema
        finding = jsonschema.Draft202012Validator({'$ref': '#/$defs/finding', '$defs': definitions['$defs']})
        length = function('fleet_length_classes', ctypes.c_size_t)(fleet)
        self.assertGreater(length, 4)
        for start in range(length):
            for end in range(length):
                findings = self.own('findings', new('fleet_join', fleet, ctypes.c_size_t(start), ctypes.c_size_t(end)))
                for document in serialize('findings', findings)['findings']:
                    finding.validate(document)

    def test_fleets(self):
        empty = self.own('fleet', new_simple('fleet_new'))
        self.validate('fleet', [json.loads(serialize_as('fleet', fleet, 'JSON')) for fleet in (self.fleet(), empty)])

    def test_evacuations(self):
        documents = []
        for network in (False, True):
            options = self.own('evacuation_options', new_simple('evacuation_options_new'))
            for name, value in (('BANDWIDTH_MIB_PER_S', 100), ('STATE_BYTES_PER_VF', 10 << 20)):
                key = CONSTANTS['EVACUATION_OPTION_' + name]
                function('evacuation_options_set_u64')(options, key, ctypes.c_uint64(value if network else 0))
            for number in range(len(self.hosts)):
                evacuation = new('evacuation_new', self.fleet(), f'name{number}'.encode(), options)
                documents.append(json.loads(serialize_as('evacuation', evacuation, 'JSON')))
                function('evacuation_free', None)(evacuation)
        self.validate('evacuation', documents)
        self.assertEqual({bool(document['waves']) for document in documents}, {True, False})


if __name__ == '__main__':
    tap.main()
