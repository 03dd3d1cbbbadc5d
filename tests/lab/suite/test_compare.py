#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two real snapshots compared: equal, other firmware, other PSID, a host that is not ready."""

import json

import lab


def compare(source, destination):
    """Exit status and result of comparing the hosts as they are now."""
    done = lab.program('hosta', 'compare', '--json', lab.snapshot(source), lab.snapshot(destination))
    return done.returncode, json.loads(done.stdout)


def finding(result, wanted):
    return next(entry for entry in result['findings'] if entry['id'] == wanted)


class Compare(lab.Case):
    @classmethod
    def setUpClass(cls):
        lab.reset()
        for host in lab.HOSTS:
            lab.configure(host)

    def test_equal_hosts_are_compatible_with_a_pair_for_each_vf(self):
        status, result = compare('hosta', 'hostb')
        self.assertEqual(status, lab.READY, result)
        self.assertEqual(result['pairs'], [{'source': vf, 'destination': vf} for vf in lab.VFS])

    def test_other_firmware_is_incompatible_and_the_remedy_names_the_side(self):
        try:
            lab.lab_command('reload', 'hostb', 'fw_running=28.39.2048')
            lab.configure('hostb')
            status, result = compare('hosta', 'hostb')
            self.assertEqual(status, lab.NOT_READY)
            self.assertEqual(finding(result, 'firmware.version')['status'], 'fail')
            self.assertIn('update the destination', finding(result, 'firmware.version')['remedy'])
            self.assertEqual(finding(result, 'firmware.psid')['status'], 'pass')
            status, result = compare('hostb', 'hosta')
            self.assertEqual(status, lab.NOT_READY)
            self.assertIn('update the source', finding(result, 'firmware.version')['remedy'])
        finally:
            lab.reset('hostb')
            lab.configure('hostb')

    def test_another_psid_is_incompatible(self):
        try:
            lab.lab_command('reload', 'hostb', 'psid=MT_0000000999')
            lab.configure('hostb')
            status, result = compare('hosta', 'hostb')
            self.assertEqual(status, lab.NOT_READY)
            psid = finding(result, 'firmware.psid')
            self.assertEqual((psid['status'], psid['source'], psid['destination']),
                             ('fail', 'MT_0000000838', 'MT_0000000999'))
        finally:
            lab.reset('hostb')
            lab.configure('hostb')

    def test_a_source_without_vfs_is_told(self):
        try:
            lab.reset('hosta')
            status, result = compare('hosta', 'hostb')
            self.assertEqual(status, lab.NOT_READY)
            self.assertEqual(finding(result, 'vf.ready')['status'], 'fail')
        finally:
            lab.configure('hosta')

    def test_a_snapshot_that_was_tampered_with_is_refused(self):
        (lab.share() / 'bad.json').write_text('{"schema": "mlx5lm.host", "schema_version": 1, "pfs": 3}', 'utf-8')
        done = lab.program('hosta', 'compare', '/share/bad.json', '/share/bad.json')
        self.assert_fails(done, 'pfs', 'invalid-document')


if __name__ == '__main__':
    lab.main()
