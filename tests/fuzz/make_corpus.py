#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write the seeds that are bytes: those of devlink, msix and vpd; and those of xml that are domains of tests/data.

The other corpora, and the other seeds of xml, are text, and edited as such.

Attribute numbers and the shape of messages are those of Linux 6.12; devlink.c here tells the form of a file.
"""

import itertools
import pathlib
import re
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / 'corpus'
DOMAINS = CORPUS.parent.parent / 'data' / 'domains'

# questions of devlink.c
INFO, ESWITCH, PORTS, WINDOW, SET_ESWITCH, PARAMS, FAMILY = range(7)
DEVLINK, GENL_CTRL = 0x1d, 0x10
ERROR, DONE = 2, 3
MULTI, DUMP_INTR, CAPPED, ACK_TLVS = 0x2, 0x10, 0x100, 0x200
EPERM, ENOENT, ENODEV, EINVAL, EOPNOTSUPP = 1, 2, 19, 22, 95


def attribute(kind, value):
    if isinstance(value, str):
        value = value.encode() + b'\0'
    elif isinstance(value, list):
        value = b''.join(value)
    return struct.pack('=HH', 4 + len(value), kind) + value + b'\0' * (-len(value) % 4)


def u8(kind, value):
    return attribute(kind, bytes([value]))


def u16(kind, value):
    return attribute(kind, struct.pack('=H', value))


def u32(kind, value):
    return attribute(kind, struct.pack('=I', value))


def message(kind, payload, flags=0, sequence=2):
    return struct.pack('=IHHII', 16 + len(payload), kind, flags, sequence, 0x1f2e) + payload


def devlink(command, *attributes, **how):
    return message(DEVLINK, struct.pack('=BBH', command, 1, 0) + b''.join(attributes), **how)


def ack(error=0, words=None, echo=b'', flags=CAPPED, sequence=2):
    """The end of a request. Of one that is not capped, the kernel sends the request back."""
    payload = struct.pack('=iIHHII', -error, 0x20 if flags & CAPPED else 16 + len(echo), DEVLINK, 5, sequence, 0x1f2e)
    if words:
        flags |= ACK_TLVS
        echo += attribute(1, words)
    return message(ERROR, payload + echo, flags, sequence)


def done(error=0, words=None, flags=0, sequence=2):
    payload = struct.pack('=i', -error)
    if words:
        flags |= ACK_TLVS
        payload += attribute(1, words)
    return message(DONE, payload, MULTI | flags, sequence)


def handle(device='0000:08:00.0'):
    return attribute(1, 'pci') + attribute(2, device)


def version(kind, name, value):
    return attribute(kind, [attribute(103, name), attribute(104, value)])


def info(**how):
    return devlink(51, handle(), attribute(98, 'mlx5_core'), attribute(99, '6c5b7f0300a0b0c0'),
                   attribute(146, 'MT2306X00001'), version(100, 'fw.psid', 'MT_0000000838'),
                   version(101, 'fw.version', '28.41.1000'), version(101, 'fw', '28.41.1000'),
                   version(102, 'fw.version', '28.43.1014'), version(102, 'fw', '28.43.1014'), **how)


def port(index, vf, device='0000:08:00.0', flavour=4, controller=0, external=0, caps=(1, 3), netdev=None, **how):
    function = [attribute(1, bytes([2, 0, 0, 0, 0, 0x10 + vf]))]
    if caps:
        function.append(attribute(4, struct.pack('=II', *caps)))
    function.append(u32(6, 32))
    names = [attribute(7, netdev)] if netdev else []
    return devlink(3, handle(device), u32(3, index), u16(4, 2), u32(6, 7), *names, u16(77, flavour),
                   u32(150, controller), u16(127, 0), u16(128, vf), u8(149, external), attribute(145, function),
                   **({'flags': MULTI} | how))


def uplink(**how):
    return devlink(3, handle(), u32(3, 0xffff), u16(4, 2), u32(6, 2), attribute(7, 'enp8s0f0np0'), u16(77, 0),
                   u32(78, 0), **({'flags': MULTI} | how))


def family(number=DEVLINK, flags=0, sequence=1):
    return message(GENL_CTRL, struct.pack('=BBH', 1, 2, 0) + attribute(2, 'devlink') + u16(1, number) + u32(3, 1)
                   + u32(4, 0) + u32(5, 186), flags, sequence)


def eswitch(mode, **how):
    return devlink(29, handle(), u16(25, mode), u8(26, 0), u8(62, 0), **how)


# types and modes of a parameter's values
U8, U16, U32, U64, STRING, FLAG = range(1, 7)
RUNTIME, DRIVERINIT, PERMANENT = range(3)


def param(name, kind, *values, device='0000:08:00.0', **how):
    listed = [attribute(85, [data, u8(87, mode)]) for mode, data in values]
    about = [attribute(81, name), attribute(82, b''), u8(83, kind), attribute(84, listed)]
    return devlink(38, handle(device), attribute(80, about), **({'flags': MULTI} | how))


PARAMS_OF_MLX5 = (
    param('enable_roce', FLAG, (DRIVERINIT, attribute(86, b''))),
    param('enable_remote_dev_reset', FLAG, (RUNTIME, b'')),
    param('flow_steering_mode', STRING, (RUNTIME, attribute(86, 'smfs'))),
    param('io_eq_size', U32, (DRIVERINIT, u32(86, 1024))),
    param('max_macs', U16, (RUNTIME, u16(86, 128)), (DRIVERINIT, u16(86, 64)), (PERMANENT, u16(86, 1))),
    param('total_vfs', U8, (PERMANENT, u8(86, 16))),
    param('large', U64, (PERMANENT, attribute(86, b'\xff' * 8))),
)

REPLIES = {
    'good-info': (INFO, info(), ack()),
    'good-info-in-one-datagram': (INFO, info() + ack()),
    'good-info-without-board': (INFO, devlink(51, handle(), attribute(99, 'S1')), ack()),
    'good-info-late-reply-first': (INFO, info(sequence=1), info(), ack()),
    'good-info-warning': (INFO, info(), ack(words='firmware is being reset')),
    'good-info-echo': (INFO, info(), ack(echo=handle(), flags=0)),
    'bad-info-no-device': (INFO, ack(ENODEV)),
    'bad-info-no-end': (INFO, info()),
    'bad-info-nested-too-long': (INFO, info()[:-8] + b'\xff\xff\x68\x00' + b'\0' * 4),
    'bad-info-short-message': (INFO, message(DEVLINK, b'')),
    'good-eswitch-legacy': (ESWITCH, eswitch(0), ack()),
    'good-eswitch-switchdev': (ESWITCH, eswitch(1), ack()),
    'good-eswitch-inactive': (ESWITCH, eswitch(2), ack()),
    'good-eswitch-of-a-newer-kernel': (ESWITCH, eswitch(7), ack()),
    'good-eswitch-interrupted': (ESWITCH, eswitch(1, flags=DUMP_INTR), ack(), eswitch(0, sequence=3), ack(sequence=3)),
    'bad-eswitch-no-mode': (ESWITCH, devlink(29, handle()), ack()),
    'bad-eswitch-rights': (ESWITCH, ack(EPERM)),
    'bad-eswitch-words': (ESWITCH, ack(EOPNOTSUPP, 'Eswitch is not supported')),
    'good-ports': (PORTS, uplink() + port(0x2ffff, 3, netdev='enp8s0f0npf0vf3') + port(0x1ffff, 1, caps=None),
                   port(5, 2), done()),
    'good-ports-of-others': (PORTS, port(1, 0, device='0000:08:00.1'), port(2, 1, controller=1), port(3, 2, external=1),
                             port(4, 3, flavour=3), done()),
    'good-ports-none': (PORTS, done()),
    'good-ports-interrupted': (PORTS, port(1, 0), done(flags=DUMP_INTR),
                               port(1, 0, sequence=3) + port(2, 1, sequence=3), done(sequence=3)),
    'bad-ports-always-interrupted': (PORTS, *itertools.chain.from_iterable(
        (port(1, 0, flags=MULTI | DUMP_INTR, sequence=i), done(sequence=i)) for i in range(2, 8))),
    'bad-ports-error-at-end': (PORTS, port(1, 0), done(EINVAL, 'words at the end')),
    'bad-ports-overrun': (PORTS, message(4, b'')),
    'good-ports-noop': (PORTS, message(1, b''), done()),
    'good-window': (WINDOW, ack(), ack(sequence=3), ack(sequence=4)),
    'good-window-out-of-order': (WINDOW, ack(sequence=4), ack(EINVAL, 'words of the first'), ack(sequence=3)),
    'bad-window-no-end': (WINDOW, ack(), ack(sequence=3)),
    'bad-window-overrun': (WINDOW, ack(), message(4, b'', sequence=3), ack(sequence=4)),
    'good-params': (PARAMS, b''.join(PARAMS_OF_MLX5), done()),
    'good-params-of-others': (PARAMS, param('total_vfs', U8, device='0000:08:00.1'), param('', U8),
                              param('odd', 200, (RUNTIME, u8(86, 1))), param('short', U64, (RUNTIME, u32(86, 1))),
                              param('mode', U8, (9, u8(86, 1))), done()),
    'good-params-interrupted': (PARAMS, PARAMS_OF_MLX5[0], done(flags=DUMP_INTR), done(sequence=3)),
    'bad-params-rights': (PARAMS, ack(EPERM)),
    'good-set': (SET_ESWITCH, ack()),
    'bad-set-words': (SET_ESWITCH, ack(EINVAL, 'Can\'t change mode while VFs are bound')),
    'bad-set-words-uncapped': (SET_ESWITCH, ack(EINVAL, 'words', echo=handle() + u16(25, 1), flags=0)),
    'bad-set-positive-error': (SET_ESWITCH, ack(-5)),
    'good-family': (FAMILY, family(), ack(sequence=1)),
    'good-family-interrupted': (FAMILY, family(flags=DUMP_INTR), ack(sequence=1), family(sequence=2), ack()),
    'bad-port-without-index': (PORTS, devlink(3, handle(), u16(77, 4), u16(128, 1), flags=MULTI), done()),
    'bad-family-reserved-number': (FAMILY, family(3), ack(sequence=1)),
    'bad-family-unknown': (FAMILY, ack(ENOENT, sequence=1)),
    'bad-family-no-number': (FAMILY, message(GENL_CTRL, struct.pack('=BBH', 1, 2, 0), sequence=1), ack(sequence=1)),
}


def keyword(name, value):
    return name.encode() + bytes([len(value)]) + value


def large(tag, content):
    return struct.pack('<BH', 0x80 | tag, len(content)) + content


READ_ONLY, IDENTIFIER = 0x10, 0x02
CARD = large(IDENTIFIER, b'NVIDIA ConnectX-7 Ethernet adapter card')
PART = keyword('PN', b'MCX755106AS-HEAT') + keyword('EC', b'A7')
VPDS = {
    'good-card': CARD + large(READ_ONLY, PART + keyword('SN', b'MT2306X00001 \0') + keyword('RV', b'\x5c')) + b'\x78',
    'good-cut-behind-the-number': large(READ_ONLY, keyword('SN', b'MT1') + keyword('V0', b'PCIeGen5 x16'))[:9],
    'good-small-tag-first': b'\x22ab' + large(READ_ONLY, keyword('SN', b'X')),
    'bad-no-number': CARD + large(READ_ONLY, PART) + b'\x78',
    'bad-end-first': b'\x78' + large(READ_ONLY, keyword('SN', b'X')),
    'bad-not-printable': large(READ_ONLY, keyword('SN', b'\x01X')),
    'bad-only-padding': large(READ_ONLY, keyword('SN', b' \0 ')),
    'bad-cut-in-the-number': large(READ_ONLY, keyword('SN', b'MT2306'))[:8],
}


def config_space(first, *capabilities, size=256):
    space = bytearray(256)
    space[:4] = struct.pack('<HH', 0x15b3, 0x101e)
    space[0x34] = first
    for at, number, following, control in capabilities:
        space[at:at + 4] = struct.pack('<BBH', number, following, control)
    return bytes(space[:size])


EXPRESS, MSIX, POWER = 0x10, 0x11, 0x01
SPACES = {
    'good-vf': config_space(0x60, (0x60, EXPRESS, 0x9c, 2), (0x9c, MSIX, 0, 10)),
    'good-largest-table': config_space(0x40, (0x40, MSIX, 0, 0xffff)),
    'good-not-aligned': config_space(0x63, (0x60, POWER, 0x9d, 0), (0x9c, MSIX, 0, 3)),
    'bad-none': config_space(0x60, (0x60, EXPRESS, 0, 2)),
    'bad-circle': config_space(0x60, (0x60, EXPRESS, 0x9c, 2), (0x9c, POWER, 0x60, 0)),
    'bad-into-the-header': config_space(0x60, (0x60, EXPRESS, 0x10, 2)),
    'bad-without-rights': config_space(0x60, (0x60, EXPRESS, 0x9c, 2), (0x9c, MSIX, 0, 10), size=64),
    'bad-cut': config_space(0x60, size=0x30),
}


def shorter(text):
    """The XML without what no parser here looks at, so that a fuzzer spends its time on the rest."""
    text = re.sub(r'\n *<(controller|alias|seclabel|metadata|on_\w+)\b[^>]*?(/>|>.*?</\1>)', '', text, flags=re.S)
    return re.sub(r'\n\s+', '\n', text)


def main():
    for path in sorted(DOMAINS.glob('*.xml')):
        (CORPUS / 'xml' / f'good-{path.stem}').write_text(shorter(path.read_text('utf-8')), 'utf-8')
    for name, content in SPACES.items():
        (CORPUS / 'msix' / name).write_bytes(content)
    for name, (question, *datagrams) in REPLIES.items():
        content = bytes([question]) + b''.join(struct.pack('<H', len(datagram)) + datagram for datagram in datagrams)
        (CORPUS / 'devlink' / name).write_bytes(content)
    for name, content in VPDS.items():
        (CORPUS / 'vpd' / name).write_bytes(content)


if __name__ == '__main__':
    main()
