#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make-dmar.py FILE: write an ACPI DMAR table for the initrd, overriding the one of QEMU.

QEMU's own table lists the devices that exist at its start and lacks INCLUDE_ALL, so a device on a bus that
the simulator adds later would get no IOMMU group.
"""
import struct
import sys

IOMMU_BASE = 0xFED90000
DRHD_INCLUDE_ALL = 1
DMAR_INTR_REMAP = 1
HOST_ADDRESS_WIDTH_BITS = 39
SCOPE_IOAPIC = 3

# QEMU's I/O APIC has id 0 and is known to the IOMMU as bus 0xff, device 0
IOAPIC = struct.pack("<BBHBBBB", SCOPE_IOAPIC, 8, 0, 0, 0xFF, 0, 0)
DRHD = struct.pack("<HHBBHQ", 0, 16 + len(IOAPIC), DRHD_INCLUDE_ALL, 0, 0, IOMMU_BASE) + IOAPIC
BODY = struct.pack("<BB10x", HOST_ADDRESS_WIDTH_BITS - 1, DMAR_INTR_REMAP) + DRHD


def table(checksum: int) -> bytes:
    """The whole table; its OEM revision 2 is higher than QEMU's, or the kernel would not take it."""
    return struct.pack("<4sIBB6s8sI4sI", b"DMAR", 36 + len(BODY), 1, checksum,
                       b"BOCHS ", b"BXPC    ", 2, b"BXPC", 1) + BODY


def main() -> int:
    """Write the table with the checksum that makes the sum of its bytes zero."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 3
    with open(sys.argv[1], "wb") as file:
        file.write(table(-sum(table(0)) & 0xFF))
    return 0


if __name__ == "__main__":
    sys.exit(main())
