#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the library writes is what doc/schema says, and what doc/schema refuses it does not read."""

import copy
import ctypes
import json
import pathlib
import sys
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / 'tests'))
import tap  # noqa: E402

try:
    import jsonschema
except ImportError:
    sys.exit('this test needs jsonschema: apt-get install python3-jsonschema')

LIBRARY = ctypes.CDLL(sys.argv[1])
POINTER = ctypes.c_void_p

VF = {'bdf': '0000:08:00.2', 'index': 0, 'driver': 'mlx5_vfio_pci', 'migratable': 'enable', 'iommu_group': 9,
      'port_index': 1}
VF_1 = {**VF, 'bdf': '0000:08:00.3', 'index': 1}
PF = {'bdf': '0000:08:00.0', 'device_id': 0x1021, 'class': 0x20000, 'psid': 'MT_0000000838', 'fw_running': '28.41.1000',
      'fw_stored': '28.41.1000', 'eswitch_mode': 'switchdev', 'driver': 'mlx5_core', 'sriov_total_vfs': 4,
      'sriov_num_vfs': 1, 'vfs': [VF]}
HOST = {'schema': 'mlx5lm.host', 'schema_version': 1, 'hostname': 'a', 'kernel_release': '6.12.107', 'pfs': [PF]}


def function(name, result=ctypes.c_int):
    symbol = getattr(LIBRARY, 'mlx5lm_' + name)
    symbol.restype = result
    return symbol


def new(name, *arguments):
    """Calls a function whose last but one argument is where to put a new object."""
    made = POINTER()
    status = function(name)(*arguments, ctypes.byref(made), None)
    if status < 0:
        raise OSError(-status, name)
    return made


def parse(kind, document):
    text = json.dumps(document).encode()
    return new(f'{kind}_parse', text, ctypes.c_size_t(len(text)))


def serialize(kind, made):
    text = POINTER()
    assert function(f'{kind}_serialize')(made, ctypes.byref(text)) == 0
    document = json.loads(function('text_get_str', ctypes.c_char_p)(text))
    function('text_free', None)(text)
    return document


def validator(name):
    schema = json.loads((PROJECT / 'doc/schema' / f'{name}-1.json').read_text('utf-8'))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


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


if __name__ == '__main__':
    tap.main()
