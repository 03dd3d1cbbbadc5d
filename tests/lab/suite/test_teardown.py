#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Last of the suite: what the kernels of the hosts have to say, then the lab goes down."""

import re

import lab


class Teardown(lab.Case):
    @classmethod
    def tearDownClass(cls):
        lab.lab_command('down')

    def test_the_real_drivers_never_complained_of_a_bug(self):
        for host in lab.HOSTS:
            with self.subTest(host):
                log = lab.text(host, 'dmesg')
                bad = [line for line in log.splitlines()
                       if re.search(r'WARNING: |BUG: |DMAR: .*fault|Oops|Call Trace', line)]
                self.assertEqual(bad, [])

    def test_the_hosts_can_be_brought_back_to_the_start(self):
        lab.reset()
        for host in lab.HOSTS:
            with self.subTest(host):
                self.assertEqual(lab.probe(host)['pfs'][0]['sriov_num_vfs'], 0)


if __name__ == '__main__':
    lab.main()
