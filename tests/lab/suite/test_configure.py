#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configurations that go wrong, are killed, undone and recovered, on the real mlx5_core."""

import json
import re
import shutil
import time

import lab
from conditions import NOBODY

HOST = 'hostb'
FIRST, SECOND = lab.VFS
WISH = ('--vfs', '2', '--mac', f'0={lab.MACS[0]}', '--mac', f'1={lab.MACS[1]}')
# the same for mlx5lm_config_parse()
WISH_JSON = {'schema': 'mlx5lm.config', 'schema_version': 1, 'num_vfs': 2, 'eswitch_mode': 'switchdev',
             'all_vfs': {'migratable': 'enable', 'driver': 'mlx5_vfio_pci'},
             'vfs': [{'index': index, 'hw_addr': mac} for index, mac in enumerate(lab.MACS)]}
RELEASE_JSON = {'schema': 'mlx5lm.config', 'schema_version': 1,
                'vfs': [{'index': 0, 'migratable': 'disable', 'driver': 'mlx5_core'}]}
NOT_DONE = 'nothing to do'


def on_host(task, *arguments, timeout=300, prefix=()):
    """A task of on_host.py."""
    shutil.copy(lab.HERE / 'on_host.py', lab.share())
    words = [json.dumps(argument) for argument in arguments]
    return json.loads(lab.run(HOST, *prefix, 'python3', '-B', '/share/on_host.py', task, *words,
                              timeout=timeout).stdout)


def look():
    return on_host('look')


def configure(*words, **options):
    """mlx5lm-configure, with --apply."""
    return lab.program(HOST, 'configure', '--pf', lab.PF, '--apply', *words, **options)


def timed(what, *words, **options):
    begin = time.monotonic()
    done = configure(*words, check=True, **options)
    print(f'# {what}: {done.stdout.splitlines()[-1]}; {time.monotonic() - begin:.1f} s with ssh and probe')
    return done


class Configure(lab.Case):
    @classmethod
    def setUpClass(cls):
        lab.reset(HOST)

    @classmethod
    def tearDownClass(cls):
        lab.reset(HOST)

    def setUp(self):
        on_host('rebase')

    def assert_ready(self, state, *indices):
        for index in indices:
            vf = state['vfs'][index]
            self.assertEqual((vf['driver'], vf['function']['migratable']), ('mlx5_vfio_pci', 'enable'), state)


class Undo(Configure):
    def test_eight_vfs_and_back(self):
        before, snapshot = look(), lab.probe(HOST)['pfs'][0]
        timed('8 VFs', '--vfs', '8')
        state = look()
        self.assertEqual((state['num_vfs'], state['mode'], state['autoprobe']), (8, 'switchdev', '1'))
        self.assert_ready(state, *range(8))
        timed('back', '--undo')
        self.assertEqual(look(), before)
        self.assertEqual(lab.probe(HOST)['pfs'][0], snapshot)
        self.assertIn(NOT_DONE, configure('--undo', check=True).stdout)

    def test_vfs_that_somebody_else_made_in_legacy_mode_stay_and_come_back(self):
        before = on_host('rebase', 2)
        self.assertEqual([vf['driver'] for vf in before['vfs']], ['mlx5_core'] * 2)
        done = configure(*WISH, check=True)
        self.assertNotIn('num-vfs', lab.planned(done.stdout))
        self.assert_ready(look(), 0, 1)
        configure('--undo', check=True)
        self.assertEqual(look(), before)

    def test_the_module_is_loaded_and_stays(self):
        lab.run(HOST, 'rmmod mlx5_vfio_pci')
        self.assertIn('load-module', lab.applied(configure(*WISH, check=True).stdout))
        self.assert_ready(look(), 0, 1)
        configure('--undo', check=True)
        self.assertEqual(look()['num_vfs'], 0)
        self.assertEqual(lab.text(HOST, 'cat /sys/module/mlx5_vfio_pci/initstate'), 'live')

    def test_the_other_order_is_tried_if_the_kernel_refuses_the_mode(self):
        lab.fault(HOST, 'fail op=CREATE_FLOW_TABLE status=0x3')
        done = configure(*WISH, '--json', check=True)
        self.assertIn('hit=1', lab.text(HOST, 'cat /sys/module/mlx5sim/parameters/fault'))
        plan = json.loads(done.stdout)
        kinds = [step['id'] for step in plan['steps']]
        self.assertLess(kinds.index('num-vfs'), kinds.index('eswitch-mode'))
        reason = plan['steps'][kinds.index('eswitch-mode')]['reason']
        self.assertIn('the usual order was refused: ', reason)
        self.assert_ready(look(), 0, 1)


class Failures(Configure):
    # Each of the kernel's ways to fail: at the mode, at the VFs, at one VF's settings; and what it only logs.
    RULES = (
        'fail op=CREATE_FLOW_TABLE nth=2',
        'fail op=CREATE_FLOW_GROUP status=0xf',
        'fail op=change nth=25',
        'fail op=change nth=90',
        'fail op=ENABLE_HCA fn=1 status=0x3',
        'fail op=ENABLE_HCA fn=2 count=0',
        'fail op=change nth=130',
        'fail op=change nth=170',
        'fail op=change nth=200',
        'fail op=MODIFY_NIC_VPORT_CONTEXT fn=1 count=0',
        'fail op=MODIFY_NIC_VPORT_CONTEXT fn=2 count=0 status=0x3',
        'fail op=SET_HCA_CAP fn=1 status=0x3',
        'fail op=SET_HCA_CAP fn=2 status=0x9',
    )

    def assert_all_or_nothing(self, results):
        for result in results:
            with self.subTest(result['rule']):
                self.assertTrue(result['hit'], result)
                if result['status'] == lab.READY:
                    self.assertTrue(result['reached'], result)
                else:
                    self.assertEqual(result['status'], lab.NOT_READY, result)
                    self.assertTrue(result['undone'], result)
                    self.assertRegex(result['errors'], r'error: step \d+ of \d+ \(')
                    self.assertIn('all is undone', result['errors'])
        failed = [result for result in results if result['status']]
        print(f'# {len(results)} faults, {len(failed)} failed and undone, the longest in '
              f'{max(result["took_s"] for result in results)} s')
        return failed

    def test_whatever_fails_the_wish_is_reached_or_all_is_as_before(self):
        failed = self.assert_all_or_nothing(on_host('faults', {}, WISH, self.RULES))
        kinds = {re.search(r'\(([a-z-]+) of', result['errors'])[1] for result in failed}
        self.assertLessEqual({'eswitch-mode', 'num-vfs', 'hw-addr', 'port-attr'}, kinds)

    def test_so_it_is_with_vfs_of_somebody_else(self):
        self.assert_all_or_nothing(on_host('faults', {'num_vfs': 2}, WISH, [
            'fail op=change nth=60', 'fail op=MODIFY_NIC_VPORT_CONTEXT fn=2 count=0', 'fail op=SET_HCA_CAP fn=2']))

    def test_a_driver_that_does_not_bind_is_undone(self):
        configure(*WISH, check=True)
        before = look()
        lab.fault(HOST, 'fail op=INIT_HCA fn=2 count=0')
        done = configure('--release', 'all')
        self.assert_fails(done, 'bind of 0000:40:00.3', 'all is undone')
        lab.fault(HOST, 'clear')
        self.assertEqual(look(), before)

    def test_an_undo_that_fails_too_tells_what_is_left_and_can_be_recovered(self):
        result = on_host('undo_fails', ['--vf', 'all:roce=disable'], 'fail op=SET_HCA_CAP nth=2 count=0 status=0x3')
        self.assertEqual(result['status'], lab.NOT_READY)
        self.assertTrue(result['left'], result)
        for words in ('undo-failed', 'devlink port function set', 'roce'):
            self.assertIn(words, result['errors'])
        self.assertIn('--recover undo', result['refused'])
        self.assertEqual((result['recovered'], result['undone']), (lab.READY, True), result)

    def test_good_vfs_are_kept_if_that_is_wanted(self):
        lab.fault(HOST, 'fail op=SET_HCA_CAP fn=2 count=0 status=0x3')
        done = configure('--vfs', '4', '--keep-good')
        self.assertEqual(done.returncode, lab.NOT_READY, done.stdout + done.stderr)
        self.assertIn('done, but for 1 VF', done.stdout)
        self.assertIn(SECOND, done.stderr)
        state = look()
        self.assert_ready(state, 0, 2, 3)
        self.assertEqual((state['vfs'][1]['driver'], state['vfs'][1]['function']['migratable']), (None, 'disable'))
        self.assertEqual(state['autoprobe'], '1')
        lab.fault(HOST, 'clear')
        configure('--vfs', '4', check=True)
        self.assert_ready(look(), 0, 1, 2, 3)

    def test_all_is_left_for_a_recovery_if_that_is_wanted(self):
        before = look()
        lab.fault(HOST, 'fail op=SET_HCA_CAP fn=2 status=0x3')
        self.assertEqual(configure(*WISH, '--stop').returncode, lab.NOT_READY)
        state = look()
        self.assertEqual((state['num_vfs'], state['autoprobe']), (2, '1'))
        self.assertIn('--recover undo', configure(*WISH).stderr)
        configure('--recover', 'finish', check=True)
        self.assert_ready(look(), 0, 1)
        configure('--undo', check=True)
        self.assertEqual(look(), before)


class Kills(Configure):
    def assert_recovered(self, results, key):
        for result in results:
            with self.subTest(result[key]):
                self.assertEqual(result['status'], lab.READY, result)
                self.assertTrue(result['right'], result)

    def test_killed_at_any_event_it_is_finished_or_undone(self):
        results = on_host('kills', {}, WISH, WISH_JSON, timeout=600)
        self.assert_recovered(results, 'event')
        # each of 12 steps is begun and done
        self.assertGreaterEqual(len(results), 24)
        self.assertTrue(any(result['moved'] for result in results))
        for result in results:
            if result['refused'] is not None:
                self.assertIn('--recover undo', result['refused'])
            self.assertIsNot(result['undone_later'], False, result)

    def test_so_it_is_when_killed_as_it_writes_the_journal(self):
        calls = [('fsync', 1), ('renameat', 1), ('fsync', 2), ('fdatasync', 1), ('fdatasync', 3), ('fdatasync', 4),
                 ('fdatasync', 6), ('fdatasync', 8)]
        results = on_host('kills_at_calls', {}, WISH, calls, timeout=600)
        for result in results:
            with self.subTest(result['call']):
                self.assertTrue(result['killed'], result)
                # without a journal nothing had been changed
                self.assertTrue(result['journal'] or not result['moved'], result)
                self.assertEqual(result['status'], lab.READY if result['journal'] else None, result)
                self.assertTrue(result['right'], result)
        self.assertEqual([result['journal'] for result in results], [False] * 2 + [True] * 6)
        self.assertTrue(results[-1]['moved'])


class Others(Configure):
    def test_of_two_at_once_the_second_is_told_who_is_first(self):
        result = on_host('two_at_once', WISH, WISH_JSON)
        busy, busy_too, interrupted, recovered = result['errors']
        for errors in (busy, busy_too):
            self.assertIn(f'process {result["pid"]} (python3)', errors)
            self.assertIn('(busy, ', errors)
        self.assertIn('--recover undo', interrupted)
        self.assertEqual(result['statuses'], [lab.NOT_READY] * 3 + [lab.READY], recovered)
        self.assertTrue(result['undone'], result)

    def assert_holder_told(self, when):
        configure(*WISH, check=True)
        result = on_host('held_later', FIRST, RELEASE_JSON, when)
        self.assertLess(result['r'], 0, result)
        self.assertIn(str(result['pid']), ' '.join(result['error'].values()))
        # The deadline, and that of the look behind it: driver_override is read under the same lock.
        self.assertLess(result['took_s'], 30 if when == 'plan' else 75)
        self.assertTrue(result['undone'], result)
        return result

    def test_a_vf_taken_behind_the_plan_is_not_waited_for(self):
        self.assertIsNone(self.assert_holder_told('plan')['recovered'])

    def test_nor_is_one_that_is_taken_in_the_middle_of_it(self):
        self.assert_holder_told('unbind')

    def test_nothing_takes_a_vf_from_a_guest(self):
        configure(*WISH, check=True)
        lab.start_guest(HOST)
        try:
            before = look()
            for words in (('--vfs', '1'), ('--vfs', '4'), ('--vfs', '0'), ('--release', '0'), ('--mode', 'legacy'),
                          ('--vf', '0:driver='), ('--undo',)):
                with self.subTest(words):
                    self.assert_fails(configure(*words), FIRST)
                    self.assertEqual(look(), before)
            configure('--release', '1', check=True)
            self.assertEqual(look()['vfs'][1]['driver'], 'mlx5_core')
            self.assertEqual(lab.domain_state(HOST), 'running')
            self.assertGreater(lab.continuity(0)['beats'], 0)
        finally:
            lab.lab_command('guest-stop', HOST, lab.GUEST)

    def test_an_unprivileged_user_gets_the_whole_list_and_changes_nothing(self):
        before = look()
        done = lab.run(HOST, *NOBODY, '/mlx5lm/bin/mlx5lm-configure', '--pf', lab.PF, '--apply', *WISH, check=False)
        self.assertEqual(done.returncode, lab.UNKNOWN, done.stdout + done.stderr)
        for right in ('eswitch-mode', 'num-vfs', 'port-attr', 'hw-addr', 'bind', 'driver-override'):
            self.assertRegex(done.stderr, rf'(?m){right}: ')
        path = lab.snapshot(HOST)
        told = on_host('apply_of_snapshot', path, WISH_JSON, prefix=NOBODY)
        self.assertEqual(told['error']['code'], 'permission', told)
        for right in ('autoprobe', 'eswitch-mode', 'num-vfs', 'port-attr', 'hw-addr', 'bind', 'driver-override'):
            self.assertRegex(told['error']['detail'], rf'(?m)^{right}: ')
        self.assertEqual(look(), before)


class Settings(Configure):
    WORDS = ('--vf', 'all:msix_count=20', '--vf', '1:msix_count=30', '--vf', 'all:max_io_eqs=12',
             '--vf', 'all:representor=up', '--vf', '0:roce=disable')

    @classmethod
    def setUpClass(cls):
        lab.lab_command('reload', HOST, 'dynamic_msix=200')

    def assert_set(self, state):
        self.assert_ready(state, 0, 1)
        self.assertEqual([vf['msix'] for vf in state['vfs']], [20, 30])
        self.assertEqual([vf['function']['max_io_eqs'] for vf in state['vfs']], [12, 12])
        self.assertEqual([vf['representor_up'] for vf in state['vfs']], [True, True])
        self.assertEqual([vf['function']['roce'] for vf in state['vfs']], ['disable', 'enable'])

    def test_every_setting_is_made_kept_and_undone(self):
        before = on_host('rebase', 2, 'switchdev')
        configure(*WISH, *self.WORDS, check=True)
        self.assert_set(look())
        self.assertIn(NOT_DONE, configure(*WISH, *self.WORDS, check=True).stdout)
        configure('--undo', check=True)
        self.assertEqual(look(), before)

    def test_the_shell_form_makes_them_too_and_releases_vfs(self):
        def by_shell(*words):
            script = lab.program(HOST, 'configure', '--pf', lab.PF, *words, '--shell', check=True).stdout
            lab.run_script(HOST, script)
            self.assertIn(NOT_DONE, configure(*words, check=True).stdout)
        by_shell(*WISH, *self.WORDS)
        self.assert_set(look())
        by_shell('--release', 'all')
        self.assertEqual([vf['driver'] for vf in look()['vfs']], ['mlx5_core'] * 2)

    def test_one_vf_is_released_then_all(self):
        configure(*WISH, check=True)
        configure('--release', '1', check=True)
        state = look()
        self.assert_ready(state, 0)
        self.assertEqual((state['vfs'][1]['driver'], state['vfs'][1]['function']['migratable']),
                         ('mlx5_core', 'disable'))
        configure('--release', 'all', check=True)
        state = look()
        self.assertEqual([vf['driver'] for vf in state['vfs']], ['mlx5_core'] * 2)
        self.assertEqual({vf['override'] for vf in state['vfs']}, {'(null)'})
        self.assertEqual(state['mode'], 'switchdev')


class NvConfiguration(Configure):
    WORDS = ('--nv', 'NUM_OF_VFS=16', '--nv', 'VF_MIGRATION_MODE=2')
    TOOL = '/usr/local/bin/mstconfig'

    def setUp(self):
        super().setUp()
        shutil.copy(lab.HERE / 'nv_tool.py', lab.share())
        lab.run(HOST, f'install -m 755 /share/nv_tool.py {self.TOOL}; rm -f /run/nv-calls')
        self.addCleanup(lab.run, HOST, f'rm -f {self.TOOL}')
        self.store(NUM_OF_VFS=[0, 8, 8], VF_MIGRATION_MODE=[0, 0, 0])

    def store(self, **values):
        values = {'SRIOV_EN': [0, 1, 1], 'LINK_TYPE_P1': [2, 2, 2], 'LINK_TYPE_P2': [2, 2, 2], **values}
        lab.run(HOST, f"echo '{json.dumps(values)}' > /run/nv-values.json")

    def sets(self):
        """Calls that changed something."""
        calls = [json.loads(line) for line in lab.text(HOST, 'cat /run/nv-calls').splitlines()]
        return [call for call in calls if 'set' in call]

    def reboot(self):
        """As far as the record can tell: it was written in another boot."""
        lab.run(HOST, f"sed -i 's/\"boot_id\": \"[^\"]*\"/\"boot_id\": \"01234567-89ab-cdef-0123-456789abcdef\"/' "
                      f'{lab.JOURNAL}/*nv* && grep -q 01234567-89ab {lab.JOURNAL}/*nv*')

    def test_it_is_set_in_one_call_once_and_a_restart_is_asked_for(self):
        done = configure(*self.WORDS, check=True)
        self.assertEqual(lab.applied(done.stdout), ['nv', 'nv'])
        self.assertIn('holds only after a boot', done.stdout)
        self.assertEqual([call[-2:] for call in self.sets()], [['NUM_OF_VFS=16', 'VF_MIGRATION_MODE=2']])
        self.assertIn(NOT_DONE, configure(*self.WORDS, check=True).stdout)
        self.assertEqual(len(self.sets()), 1)

    def test_what_the_adapter_did_not_take_over_is_not_set_again_and_again(self):
        configure(*self.WORDS, check=True)
        self.reboot()
        self.store(NUM_OF_VFS=[0, 8, 8], VF_MIGRATION_MODE=[0, 2, 2])
        self.assert_fails(configure(*self.WORDS), 'nv-not-applied', 'NUM_OF_VFS was set to 16 before the host booted')
        self.assertEqual(len(self.sets()), 1)

    def test_after_the_boot_there_is_nothing_to_do(self):
        configure(*self.WORDS, check=True)
        self.reboot()
        self.store(NUM_OF_VFS=[0, 16, 16], VF_MIGRATION_MODE=[0, 2, 2])
        self.assertIn(NOT_DONE, configure(*self.WORDS, check=True).stdout)
        self.assertEqual(len(self.sets()), 1)


if __name__ == '__main__':
    lab.main(HOST)
