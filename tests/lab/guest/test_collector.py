# SPDX-License-Identifier: LGPL-2.1-or-later
"""collector.py keeps lines whole, in order and apart by connection, and reaches the guests."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DEADLINE_S = 30


class Collecting(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.log = os.path.join(directory.name, "log")
        self.socket = os.path.join(directory.name, "serial")
        self.control = os.path.join(directory.name, "control")
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "collector.py"), "--listen", "unix:" + self.socket,
             "--listen", "tcp:127.0.0.1:0", "--log", self.log, "--control", self.control],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        self.assertEqual(self.process.stdout.readline(), f"listening unix:{self.socket}\n")
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        self.assertEqual(self.process.stdout.readline(), "ready\n")
        self.expected = []

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(DEADLINE_S)
        self.process.stdout.close()

    def connect_unix(self):
        sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(sock.close)
        sock.connect(self.socket)
        return sock

    def connect_tcp(self):
        sock = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(sock.close)
        return sock

    def texts(self):
        with open(self.log, encoding="utf-8") as log:
            return [line.rstrip("\n").split(" ", 1)[1] for line in log]

    def wait_for(self, *expected):
        """The log grows by exactly these entries."""
        self.expected += expected
        end = time.monotonic() + DEADLINE_S
        while len(self.texts()) < len(self.expected) and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(self.texts(), self.expected)

    def test_lines_of_two_connections(self):
        first = self.connect_unix()
        self.wait_for(f"c0 <connected unix:{self.socket}>")
        first.sendall(b"HB 0\r\nHB 1\r\nHB")
        self.wait_for("c0 HB 0", "c0 HB 1")
        second = self.connect_tcp()
        self.wait_for("c1 <connected tcp:127.0.0.1:%d>" % second.getsockname()[1])
        second.sendall(b" 2\r\nHB 3\r\n")
        self.wait_for("c0 <partial> HB", "c1  2", "c1 HB 3")
        first.sendall(b"x")
        first.close()
        self.wait_for("c0 <partial> x", "c0 <closed>")

    def test_stamps_do_not_go_back(self):
        first = self.connect_unix()
        self.wait_for(f"c0 <connected unix:{self.socket}>")
        for number in range(5):
            first.sendall(b"HB %d\n" % number)
            self.wait_for(f"c0 HB {number}")
        with open(self.log, encoding="utf-8") as log:
            stamps = [float(line.split()[0]) for line in log]
        self.assertEqual(stamps, sorted(stamps))
        self.assertLess(abs(stamps[-1] - time.monotonic() * 1000), DEADLINE_S * 1000)

    def test_bytes_that_are_no_text(self):
        first = self.connect_unix()
        first.sendall(b"\xff\x00ok\n")
        self.wait_for(f"c0 <connected unix:{self.socket}>", "c0 \\xff\x00ok")

    def test_control_reaches_all_or_one(self):
        first, second = self.connect_unix(), None
        self.wait_for(f"c0 <connected unix:{self.socket}>")
        second = self.connect_tcp()
        self.wait_for("c1 <connected tcp:127.0.0.1:%d>" % second.getsockname()[1])
        with open(self.control, "w", encoding="ascii") as control:
            control.write("rate=8\n@1 verify\n@7 off\n@0 hb=100\n")
        for sock, wanted in ((first, b"rate=8\nhb=100\n"), (second, b"rate=8\nverify\n")):
            sock.settimeout(DEADLINE_S)
            got = b""
            while len(got) < len(wanted):
                got += sock.recv(4096)
            self.assertEqual(got, wanted)

    def test_end_keeps_the_log_and_removes_the_rest(self):
        first = self.connect_unix()
        first.sendall(b"half")
        self.wait_for(f"c0 <connected unix:{self.socket}>")
        self.stop()
        self.assertEqual(self.process.returncode, 0)
        self.assertEqual(self.texts()[-1], "c0 <closed>")
        self.assertFalse(os.path.exists(self.socket) or os.path.exists(self.control))

    def test_restart_replaces_what_a_killed_one_left(self):
        self.process.kill()
        self.process.wait(DEADLINE_S)
        again = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "collector.py"), "--listen", "unix:" + self.socket,
             "--log", self.log, "--control", self.control], stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(again.stdout.readline(), f"listening unix:{self.socket}\n")
            self.assertEqual(again.stdout.readline(), "ready\n")
        finally:
            again.terminate()
            again.wait(DEADLINE_S)
            again.stdout.close()

    def test_address_in_use_by_something_else_is_not_removed(self):
        path = os.path.join(os.path.dirname(self.log), "file")
        with open(path, "w", encoding="ascii") as other:
            other.write("precious")
        result = subprocess.run(
            [sys.executable, os.path.join(HERE, "collector.py"), "--listen", "unix:" + path,
             "--log", self.log], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertTrue(os.path.exists(path))


if __name__ == "__main__":
    unittest.main()
