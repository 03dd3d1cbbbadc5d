#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""qmp.py SOCKET ssh-port: ask a host's QEMU on which port of 127.0.0.1 the host's sshd is reached."""
import json
import re
import socket
import sys

DEADLINE_S = 20


def execute(stream, command: str, **arguments):
    """Run one QMP command and return its answer; events in between are skipped."""
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    for line in stream:
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(f"{command}: {reply['error']['desc']}")
        if "return" in reply:
            return reply["return"]
    raise RuntimeError(f"{command}: QEMU closed the connection")


def ssh_port(stream) -> int:
    """QEMU chose the port; only the human monitor tells it."""
    table = execute(stream, "human-monitor-command", **{"command-line": "info usernet"})
    match = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s", table)
    if not match:
        raise RuntimeError("no forwarded port in: " + table)
    return int(match.group(1))


def main() -> int:
    """Connect, leave the capabilities negotiation, answer."""
    if len(sys.argv) != 3 or sys.argv[2] != "ssh-port":
        print(__doc__, file=sys.stderr)
        return 3
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE_S)
        connection.connect(sys.argv[1])
        stream = connection.makefile("rw")
        execute(stream, "qmp_capabilities")
        print(ssh_port(stream))
    return 0


if __name__ == "__main__":
    sys.exit(main())
