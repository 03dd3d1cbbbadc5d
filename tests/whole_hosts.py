# SPDX-License-Identifier: LGPL-2.1-or-later
"""Snapshots of hosts of which everything is known, and domains on them, for tests of what looks at several of them.

They are the recorded host connectx-7-ready (tests/data/README.md) with what only a running kernel, an adapter and
libvirt tell.
"""

import copy
import json
import pathlib
import uuid

PROJECT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = json.loads((PROJECT / 'tests/data/hosts/connectx-7-ready/snapshot.json').read_text('utf-8'))
PF = '0000:40:00.0'
HOST = {'page_size_bytes': 4096, 'memlock_limit_bytes': 2 ** 63 - 1, 'memory_total_bytes': 270 * 10 ** 9,
        'libvirt_uri': 'qemu:///system', 'libvirt_client_version': 11003000, 'libvirt_daemon_version': 11003000,
        'qemu_version': 10000002, 'libvirt_live_migration': 'yes', 'libvirt_migration_transports': 'rdma tcp',
        'cpu_model': 'SapphireRapids', 'cpu_vendor': 'Intel'}
ADAPTER = {'psid': 'MT_0000000838', 'fw_running': '28.41.1000', 'fw_stored': '28.41.1000', 'eswitch_mode': 'switchdev',
           'eswitch_manager': 'yes', 'devlink_driver': 'mlx5_core', 'numa_node': 0, 'link_state': 'up',
           'link_speed_mbps': 200000, 'nv_source': 'mstconfig', 'nv_pending': 'no',
           'nv': [{'name': name, 'supported': 'yes', 'read_only': 'no', 'default': 0, 'current': value,
                   'next_boot': value} for name, value in (('SRIOV_EN', 1), ('NUM_OF_VFS', 8),
                                                           ('VF_MIGRATION_MODE', 2), ('LINK_TYPE_P1', 2))]}


def bdf_of(index):
    """Address of a VF of the first PF."""
    return f'0000:40:{(index + 2) // 8:02x}.{(index + 2) % 8}'


def vf(index, **facts):
    return {**copy.deepcopy(RECORDED['pfs'][0]['vfs'][0]), 'bdf': bdf_of(index), 'index': index,
            'iommu_group': 8 + index, 'msix_count': 12, 'vfio_device': f'vfio{index}',
            'hw_addr': f'02:4d:4c:58:35:{index:02x}', 'representor': f'eth{index + 1}', 'representor_state': 'up',
            'roce': 'enable', 'migratable': 'enable', 'ipsec_crypto': 'disable', 'ipsec_packet': 'disable',
            'max_io_eqs': 8, 'port_index': index + 1, **facts}


def pf(num_vfs=4, in_use_by=(), **facts):
    """A PF; its first VFs are those of domains with these names."""
    users = [{'in_use_by': name} for name in in_use_by]
    return {**copy.deepcopy(RECORDED['pfs'][0]), **copy.deepcopy(ADAPTER), 'sriov_num_vfs': num_vfs,
            'vfs': [vf(index, **(users[index] if index < len(users) else {})) for index in range(num_vfs)], **facts}


def host(name, pfs=None, **facts):
    """A host; its identity follows from its name."""
    identity = {'hostname': name, 'boot_id': str(uuid.uuid5(uuid.NAMESPACE_DNS, name + '.boot')),
                'libvirt_uuid': str(uuid.uuid5(uuid.NAMESPACE_DNS, name))}
    privileges = [{'name': privilege['name'], 'granted': 'yes'} for privilege in RECORDED['privileges']]
    return {**copy.deepcopy(RECORDED), **HOST, **identity, 'privileges': privileges, 'notes': [],
            'pfs': [pf()] if pfs is None else pfs, **facts}


def hostdev(bdf, managed='yes', driver=''):
    domain, bus, rest = bdf.split(':')
    slot, function = rest.split('.')
    return (f"    <hostdev mode='subsystem' type='pci' managed='{managed}'>\n{driver}      <source>\n"
            f"        <address domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/>\n"
            f"      </source>\n      <alias name='hostdev0'/>\n    </hostdev>\n")


def domain(name, *vfs, devices='', memory_mib=8192):
    """Live XML of a domain with these VFs."""
    return (f"<domain type='kvm' id='3'>\n  <name>{name}</name>\n"
            f"  <uuid>{uuid.uuid5(uuid.NAMESPACE_DNS, name)}</uuid>\n  <memory unit='MiB'>{memory_mib}</memory>\n"
            "  <vcpu placement='static'>4</vcpu>\n  <os>\n    <type arch='x86_64' machine='pc-q35-9.2'>hvm</type>\n"
            "  </os>\n  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n"
            "    <disk type='network' device='disk'>\n      <driver name='qemu' type='raw' cache='none'/>\n"
            f"      <source protocol='rbd' name='vms/{name}'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>\n"
            f"{devices}{''.join(hostdev(bdf) for bdf in vfs)}    <memballoon model='virtio'/>\n"
            "  </devices>\n</domain>\n")
