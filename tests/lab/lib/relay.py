#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""relay.py SOCKET: carry standard input to a unix socket and back, for QEMU's guestfwd; ends with either side."""
import os
import selectors
import socket
import sys

CHUNK_BYTES = 65536


def main() -> int:
    """Standard input and output are one socket, of which QEMU holds the other end."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 3
    with socket.socket(socket.AF_UNIX) as collector, selectors.DefaultSelector() as selector:
        collector.connect(sys.argv[1])
        targets = {sys.stdin.fileno(): collector.fileno(), collector.fileno(): sys.stdout.fileno()}
        for source in targets:
            selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                data = os.read(key.fd, CHUNK_BYTES)
                if not data:
                    return 0
                while data:
                    data = data[os.write(targets[key.fd], data):]


if __name__ == "__main__":
    sys.exit(main())
