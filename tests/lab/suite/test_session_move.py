#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions that succeed: every way a guest can go, with one VF, with four and with none."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

import lab
import session
from session import HERE, THERE


@contextlib.contextmanager
def daemons_from_outside():
    """Unix sockets on this machine that lead to libvirtd of each host, which are not to be reached otherwise."""
    with tempfile.TemporaryDirectory(prefix='mlx5lm-') as directory, contextlib.ExitStack() as stack:
        sockets = {}
        for host in lab.HOSTS:
            sockets[host] = f'{directory}/{host}'
            forward = ['-L', f'{sockets[host]}:/run/libvirt/libvirt-sock', host]

            def ssh(command, host=host, forward=forward):
                subprocess.run(['ssh', '-F', 'ssh_config', '-O', command, *forward], check=True, capture_output=True,
                               cwd=lab.run_dir(lab.NAME) / host)
            ssh('forward')
            stack.callback(ssh, 'cancel')
        yield {host: f'qemu+unix:///system?socket={path}' for host, path in sockets.items()}


class OneVf(session.Case):
    def move(self, *words, **options):
        source = self.at
        moved = session.migrate(*words, source=source, **options)
        return moved, self.assert_moved(moved, session.other(source))

    def test_by_the_daemons_alone(self):
        moved, _ = self.move('--bandwidth', '32')
        for phase in ('preflight', 'setup', 'pre-copy', 'completed'):
            self.assertIn(phase, moved.phases())
        # the image of a VF is 1 MiB
        self.assertGreater(moved.last['vfio_transferred_bytes'], 1 << 20)
        self.assertGreater(moved.last['data_processed_bytes'], moved.last['vfio_transferred_bytes'])
        self.assertGreater(moved.last['downtime_ms'], 0)

    @lab.long
    def test_by_this_program(self):
        self.move('--direct', '--bandwidth', '32')

    @lab.long
    def test_encrypted(self):
        self.move('--tls', '--bandwidth', '32')

    @lab.long
    def test_over_parallel_connections(self):
        self.move('--parallel', '2', '--bandwidth', '32')

    def test_with_an_agent_at_the_other_side(self):
        source = self.at
        moved = session.Session(lab.GUEST, f'ssh://{session.other(source)}', '--bandwidth', '32', host=source)
        moved.end()
        self.assert_moved(moved, session.other(source))

    def test_the_agent_makes_the_vf_ready(self):
        source, there = self.at, session.other(self.at)
        lab.run(there, f'for vf in {" ".join(lab.VFS)}; do echo $vf > /sys/bus/pci/drivers/mlx5_vfio_pci/unbind; done')
        moved = session.Session(lab.GUEST, f'ssh://{there}', '--bandwidth', '32', host=source)
        moved.end()
        # only the one that was needed
        drivers = sorted(lab.driver_of(there, vf) for vf in lab.VFS)
        lab.configure(there)
        self.assert_moved(moved, there)
        self.assertEqual(drivers, ['', 'mlx5_vfio_pci'])

    def move_from_outside(self, source, destination, uris, *words):
        snapshots = dict(zip(lab.HOSTS, lab.on_each(lab.snapshot)))
        files = {host: str(lab.share() / pathlib.Path(path).name) for host, path in snapshots.items()}
        with tempfile.TemporaryDirectory() as journal:
            moved = session.Session('--domain', lab.GUEST, '--from', uris[source], '--to', uris[destination],
                                    '--source', files[source], '--destination', files[destination],
                                    '--bandwidth', '32', *words, host=source, outside=True, journal=journal)
            moved.end()
            self.assertEqual(os.listdir(journal), [], moved.story())
        self.assert_moved(moved, destination)

    @lab.long
    def test_from_outside_with_the_libvirt_client_of_this_machine(self):
        source, destination = self.at, session.other(self.at)
        with daemons_from_outside() as uris:
            self.move_from_outside(source, destination, uris, '--peer-uri', session.uri(destination))
            self.move_from_outside(destination, source, uris, '--direct')

    @lab.long
    def test_there_and_back_five_times(self):
        for _ in range(10):
            source = self.at
            moved = session.migrate('--bandwidth', '64', source=source)
            self.assertEqual(moved.process.returncode, lab.READY, moved.story())
            type(self).moves += 1
            lab.continuity(self.moves)
        (lab.share() / f'{lab.GUEST}.control').write_text('verify\n', 'utf-8')
        proof = lab.continuity(self.moves, whole_memory=True)
        self.assertEqual((proof['bad_pages'], proof['bad_vf_words']), (0, 0))
        self.assert_place(session.other(source))


class FourVfs(session.Case):
    guest_vfs = session.VFS
    num_vfs = 4

    def test_there_by_the_daemons_and_back_by_this_program(self):
        for source, control in ((HERE, ()), (THERE, ('--direct',))):
            moved = session.migrate('--bandwidth', '64', *control, source=source)
            self.assert_moved(moved, session.other(source))
            self.assertEqual(len(moved.report['pairs']), 4)
            # the images of four VFs
            self.assertGreater(moved.last['vfio_transferred_bytes'], 4 << 20)
        (lab.share() / f'{lab.GUEST}.control').write_text('verify\n', 'utf-8')
        proof = lab.continuity(self.moves, whole_memory=True)
        self.assertEqual((proof['bad_pages'], proof['bad_vf_words'], len(proof['vf'].split(','))), (0, 0, 4))


class NoVf(session.Case):
    guest_vfs = ()

    def move(self, *words):
        source = self.at
        moved = session.migrate('--bandwidth', '32', *words, source=source, snapshot=False)
        self.assert_moved(moved, session.other(source))
        self.assertNotIn('vfio_transferred_bytes', moved.last)
        self.assertEqual(moved.report['pairs'], [])

    def test_by_the_daemons_alone(self):
        self.move()

    def test_by_this_program(self):
        self.move('--direct')


@lab.long
class NoAdapter(NoVf):
    """The same on hosts that have no adapter, and none of its drivers."""
    num_vfs = 0

    @classmethod
    def prepare(cls, host):
        lab.run(host, '/lab/guest-stop; /lab/simulator unload')

    @classmethod
    def tearDownClass(cls):
        lab.on_each(lambda host: lab.run(host, '/lab/guest-stop'))
        lab.reset()


if __name__ == '__main__':
    lab.main()
