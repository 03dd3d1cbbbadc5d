#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Groups the snapshots of a stream as mlx5lm_fleet_add() does, with json and dict; prints the number of classes."""

import json
import sys


def main():
    path, record_bytes = sys.argv[1], int(sys.argv[2])
    classes = {}
    with open(path, 'rb') as stream:
        while record := stream.read(record_bytes):
            host = json.loads(record)
            for pf in host['pfs']:
                key = (host.get('architecture'), pf.get('device_id'), pf.get('sriov_vf_device_id'),
                       pf.get('class_code'), pf.get('psid'), pf.get('fw_running'))
                classes.setdefault(key, []).append(host['hostname'])
    print(len(classes))


if __name__ == '__main__':
    main()
