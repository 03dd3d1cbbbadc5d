#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Collect the serial lines of one guest from every QEMU it lives in, all stamped by one clock.

Each QEMU connects to one of the listening addresses; connections are numbered from 0 in the order
they arrive, so after a migration the source is c0 and the destination c1. Each line of the log is

    MS cN TEXT              a line from connection N, MS milliseconds on the host's monotonic clock
    MS cN <connected ADDRESS>
    MS cN <partial> TEXT    a line's beginning: the connection closed, or another spoke, before
                            its end
    MS cN <closed>

A guest may be stopped in the middle of a line: its end then comes from the next connection.
`<partial>` keeps the halves in their order, and continuity.py joins them. Use one collector for
each guest.

Lines written to the control fifo go to every connected QEMU; a line that starts with `@N ` goes to
connection N only. Standard output says `listening ADDRESS` for each address (port 0 becomes the
port chosen) and then `ready`. SIGTERM and SIGINT end the collector; it removes what it made, except
the log.
"""
import argparse
import os
import selectors
import signal
import socket
import stat
import sys
import time

LONGEST_LINE_BYTES = 65536
LONGEST_BACKLOG_BYTES = 65536


class Connection:
    def __init__(self, number, sock):
        self.number = number
        self.sock = sock
        self.received = b""
        self.to_send = b""


class Collector:
    def __init__(self, log):
        self.log = log
        self.selector = selectors.DefaultSelector()
        self.connections = {}
        self.next_number = 0
        self.control_received = b""
        self.cleanup_paths = []

    def write(self, now_ms, number, text):
        self.log.write(f"{now_ms:.1f} c{number} {text}\n")

    # addresses and control

    def listen(self, address):
        """Listen on tcp:HOST:PORT or unix:PATH; returns the address with the port really used."""
        kind, _, rest = address.partition(":")
        if kind == "unix" and rest:
            remove_stale(rest, stat.S_ISSOCK)
            server = socket.socket(socket.AF_UNIX)
            server.bind(rest)
            self.cleanup_paths.append(rest)
            os.chmod(rest, 0o666)  # libvirt may run QEMU as another user
            shown = address
        elif kind == "tcp" and ":" in rest:
            host, _, port = rest.rpartition(":")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            server = socket.create_server((host.strip("[]"), int(port)), family=family)
            shown = f"tcp:{host}:{server.getsockname()[1]}"
        else:
            raise ValueError(f"{address}: neither tcp:HOST:PORT nor unix:PATH")
        server.listen(16)
        server.setblocking(False)
        self.selector.register(server, selectors.EVENT_READ, self.accept)
        return shown

    def open_control(self, path):
        remove_stale(path, stat.S_ISFIFO)
        os.mkfifo(path, 0o666)
        self.cleanup_paths.append(path)
        # Opened for writing too, so that it does not end with its first writer.
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.selector.register(descriptor, selectors.EVENT_READ, self.read_control)

    def read_control(self, key, _events, _now_ms):
        data = self.control_received + os.read(key.fd, 4096)
        *lines, self.control_received = data.split(b"\n")
        for line in lines:
            number = None
            if line.startswith(b"@"):
                target, _, line = line[1:].partition(b" ")
                number = int(target) if target.isdigit() else -1
            for connection in self.connections.values():
                if number is None or number == connection.number:
                    self.send(connection, line + b"\n")

    # connections

    def accept(self, key, _events, now_ms):
        try:
            sock, peer = key.fileobj.accept()
        except OSError:  # gone again before we came to it
            return
        sock.setblocking(False)
        connection = Connection(self.next_number, sock)
        self.next_number += 1
        self.connections[connection.number] = connection
        self.selector.register(sock, selectors.EVENT_READ, connection)
        if isinstance(peer, tuple):
            shown = f"tcp:{peer[0]}:{peer[1]}"
        else:
            shown = f"unix:{key.fileobj.getsockname()}"
        self.write(now_ms, connection.number, f"<connected {shown}>")

    def send(self, connection, data):
        if len(connection.to_send) + len(data) <= LONGEST_BACKLOG_BYTES:
            connection.to_send += data
        events = selectors.EVENT_READ | selectors.EVENT_WRITE
        self.selector.modify(connection.sock, events, connection)

    def flush(self, connection):
        try:
            connection.to_send = connection.to_send[connection.sock.send(connection.to_send):]
        except BlockingIOError:
            return
        except OSError:
            connection.to_send = b""  # the read side will see the end
        if not connection.to_send:
            self.selector.modify(connection.sock, selectors.EVENT_READ, connection)

    def receive(self, connection, now_ms):
        try:
            data = connection.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close(connection, now_ms)
            return
        for other in self.connections.values():
            if other is not connection:
                self.write_partial(other, now_ms)
        *lines, connection.received = (connection.received + data).split(b"\n")
        for line in lines:
            self.write(now_ms, connection.number, printable(line))
        if len(connection.received) > LONGEST_LINE_BYTES:
            self.write_partial(connection, now_ms)

    def write_partial(self, connection, now_ms):
        if connection.received:
            self.write(now_ms, connection.number, "<partial> " + printable(connection.received))
            connection.received = b""

    def close(self, connection, now_ms):
        self.write_partial(connection, now_ms)
        self.write(now_ms, connection.number, "<closed>")
        self.selector.unregister(connection.sock)
        connection.sock.close()
        del self.connections[connection.number]

    # life

    def turn(self):
        ready = self.selector.select()
        now_ms = time.monotonic() * 1000
        # What an older connection still says was said before a newer one took over.
        streams = [(key, events) for key, events in ready if isinstance(key.data, Connection)]
        for key, events in sorted(streams, key=lambda entry: entry[0].data.number):
            if events & selectors.EVENT_WRITE:
                self.flush(key.data)
            if events & selectors.EVENT_READ:
                self.receive(key.data, now_ms)
        for key, events in ready:
            if not isinstance(key.data, Connection):
                key.data(key, events, now_ms)

    def end(self):
        now_ms = time.monotonic() * 1000
        for connection in list(self.connections.values()):
            self.close(connection, now_ms)
        for path in self.cleanup_paths:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


def remove_stale(path, is_ours):
    """Remove what a killed collector left, but nothing else that happens to be there."""
    try:
        if is_ours(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass


def printable(line):
    return line.rstrip(b"\r").decode("utf-8", errors="backslashreplace")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", action="append", required=True, metavar="ADDRESS",
                        help="tcp:HOST:PORT or unix:PATH; may be given several times")
    parser.add_argument("--log", required=True, metavar="FILE",
                        help="the log, emptied at the start")
    parser.add_argument("--control", metavar="FIFO",
                        help="make this fifo; lines written to it go to the guests")
    arguments = parser.parse_args()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        with open(arguments.log, "w", buffering=1, encoding="utf-8") as log:
            collector = Collector(log)
            try:
                for address in arguments.listen:
                    print("listening", collector.listen(address), flush=True)
                if arguments.control:
                    collector.open_control(arguments.control)
                print("ready", flush=True)
                while True:
                    collector.turn()
            finally:
                collector.end()
    except (OSError, ValueError) as error:
        sys.exit(f"collector.py: {error}")


if __name__ == "__main__":
    main()
