#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ABI checks notice what they are there for: each seeded fault makes the right ones fail.

A library of empty functions is made from a copy of the public headers, recorded, changed and checked.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import register
import skeleton

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent
sys.path.insert(0, str(PROJECT / 'tests'))

import tap


def project_version():
    return re.search(r"version: '([\d.]+)'", (PROJECT / 'meson.build').read_text('utf-8'))[1]


class Copy:
    """The headers and records in a temporary folder, with a library built from them."""

    def __init__(self, folder):
        self.folder = folder
        self.include = folder / 'include'
        self.abi = folder / 'abi'
        self.library = folder / 'libmlx5lm.so.1'

    @classmethod
    def of_project(cls, folder):
        copy = cls(folder)
        shutil.copytree(PROJECT / 'include', copy.include)
        shutil.copy(PROJECT / 'meson.build', folder)
        copy.abi.mkdir()
        for name in ('HISTORY.md', 'suppressions.abignore'):
            shutil.copy(HERE / name, copy.abi)
        return copy

    def edit(self, name, old, new):
        path = self.folder / name
        text = path.read_text('utf-8')
        if text.count(old) != 1:
            raise AssertionError(f'{name} has "{old}" {text.count(old)} times, not once: choose another seed')
        path.write_text(text.replace(old, new), 'utf-8')

    def build(self, **how):
        self.library = skeleton.build(self.include, self.abi / 'libmlx5lm.map', self.folder, **how)

    def script(self, name, *args, **environment):
        return subprocess.run([sys.executable, HERE / name, '--abi', self.abi, '--include', self.include, *args],
                              capture_output=True, text=True, check=False, env={**os.environ, **environment})

    def record(self):
        self.script('update.py').check_returncode()
        self.build()

    def failing(self):
        checks = {
            'symbols': ('check_symbols.py', self.library),
            'constants': ('check_constants.py',),
            'types': ('check_types.py', '--require', self.library),
        }
        with concurrent.futures.ThreadPoolExecutor() as pool:
            results = dict(zip(checks, pool.map(lambda command: self.script(*command), checks.values())))
        for name, result in results.items():
            if result.returncode != 0 and 'FAIL: ' not in result.stdout:
                raise AssertionError(f'{name} broke instead of failing: {result.stderr}')
        return {name for name, result in results.items() if result.returncode != 0}


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.recorded = Copy.of_project(pathlib.Path(cls.temporary.name) / 'recorded')
        cls.recorded.record()

    def setUp(self):
        folder = pathlib.Path(self.temporary.name) / self.id()
        shutil.copytree(self.recorded.folder, folder)
        self.copy = Copy(folder)

    def change(self, header, old, new):
        self.copy.edit(f'include/mlx5lm/{header}', old, new)
        self.copy.build()

    def test_an_unchanged_library_passes(self):
        self.assertEqual(self.copy.failing(), set())

    def test_a_changed_parameter(self):
        self.change('config.h', 'uint32_t num_vfs', 'uint64_t num_vfs')
        self.assertEqual(self.copy.failing(), {'types'})

    def test_a_changed_callback(self):
        self.change('types.h', '(*mlx5lm_destroy_fn)(void *userdata)', '(*mlx5lm_destroy_fn)(void *userdata, int why)')
        self.assertEqual(self.copy.failing(), {'types'})

    def test_a_changed_parameter_of_a_stripped_library(self):
        self.change('config.h', 'uint32_t num_vfs', 'uint64_t num_vfs')
        subprocess.run(['strip', '--strip-debug', self.copy.library], check=True)
        self.assertEqual(self.copy.failing(), {'types'})

    def test_a_removed_function(self):
        self.change('version.h', 'uint32_t mlx5lm_version_number(void);', '')
        self.assertEqual(self.copy.failing(), {'symbols', 'types'})

    def test_an_added_function(self):
        self.copy.edit('abi/libmlx5lm.map', 'mlx5lm_version_str;', 'mlx5lm_version_str; mlx5lm_version_name;')
        self.change('version.h', 'uint32_t mlx5lm_version_number(void);',
                    'uint32_t mlx5lm_version_number(void); const char *mlx5lm_version_name(void);')
        self.assertEqual(self.copy.failing(), {'symbols'})

    def test_a_declared_function_that_is_not_exported(self):
        self.change('version.h', 'uint32_t mlx5lm_version_number(void);',
                    'uint32_t mlx5lm_version_number(void); const char *mlx5lm_version_name(void);')
        self.assertEqual(self.copy.failing(), {'symbols'})

    def test_a_symbol_moved_to_another_node(self):
        self.copy.edit('abi/libmlx5lm.map', '\tmlx5lm_version_str;\n', '')
        with (self.copy.abi / 'libmlx5lm.map').open('a', encoding='utf-8') as file:
            file.write('MLX5LM_1.1 { global: mlx5lm_version_str; } MLX5LM_1.0;\n')
        self.copy.build()
        self.assertEqual(self.copy.failing(), {'symbols', 'types'})

    def test_an_internal_symbol_that_gets_out(self):
        self.copy.edit('abi/libmlx5lm.map', 'mlx5lm_version_str;', 'mlx5lm_version_str; error_set;')
        self.copy.build(more=['int error_set(void) { return 0; }'])
        self.assertEqual(self.copy.failing(), {'symbols'})

    def test_another_soname(self):
        self.copy.build(soname='libmlx5lm.so.2')
        self.assertIn('symbols', self.copy.failing())

    def test_a_renumbered_enumerator(self):
        self.change('check.h', 'MLX5LM_STATUS_FAIL = 4', 'MLX5LM_STATUS_FAIL = 5')
        self.assertEqual(self.copy.failing(), {'constants', 'types'})

    def test_an_appended_enumerator(self):
        self.change('check.h', 'MLX5LM_STATUS_FAIL = 4', 'MLX5LM_STATUS_FAIL = 4, MLX5LM_STATUS_SKIP = 5')
        self.assertEqual(self.copy.failing(), {'constants'})

    def test_a_changed_constant(self):
        self.change('config.h', 'MLX5LM_VF_ALL UINT32_MAX', 'MLX5LM_VF_ALL UINT16_MAX')
        self.assertEqual(self.copy.failing(), {'constants'})

    def test_a_missing_abidiff_skips_only_where_it_may(self):
        nowhere = {'PATH': str(self.copy.folder)}
        self.assertEqual(self.copy.script('check_types.py', self.copy.library, **nowhere).returncode,
                         register.SKIPPED)
        self.assertEqual(self.copy.script('check_types.py', '--require', self.copy.library, **nowhere).returncode, 1)

    def test_an_update_tells_what_it_records_and_settles_it(self):
        self.change('check.h', 'MLX5LM_STATUS_FAIL = 4', 'MLX5LM_STATUS_FAIL = 4, MLX5LM_STATUS_SKIP = 5')
        result = self.copy.script('update.py')
        self.assertIn('+ MLX5LM_STATUS_SKIP 5 ', result.stdout)
        self.assertEqual(self.copy.failing(), set())

    def test_a_released_node_is_frozen(self):
        self.copy.edit('abi/HISTORY.md', '## MLX5LM_1.0 (open)', '## MLX5LM_1.0 (released 2030-01-01)')
        self.copy.edit('meson.build', f"version: '{project_version()}'", "version: '1.1.0'")
        self.copy.edit('include/mlx5lm/version.h', 'uint32_t mlx5lm_version_number(void);',
                       'uint32_t mlx5lm_version_number(void); int mlx5lm_version_major(void);')
        self.assertIn('need a new node', self.copy.script('update.py').stderr)
        with (self.copy.abi / 'HISTORY.md').open('a', encoding='utf-8') as file:
            file.write('\n## MLX5LM_1.1 (open)\n')
        self.copy.record()
        self.assertEqual(self.copy.failing(), set())
        self.assertIn('mlx5lm_version_major@@MLX5LM_1.1', register.read_symbols(self.copy.abi / 'symbols.txt'))
        self.copy.edit('include/mlx5lm/version.h', 'uint32_t mlx5lm_version_number(void);', '')
        self.assertIn('cannot lose mlx5lm_version_number', self.copy.script('update.py').stderr)


def main():
    required = sys.argv[1:] == ['--require']
    if not shutil.which('abidiff') or os.uname().machine != 'x86_64':
        print('1..0 # SKIP needs abidiff on x86-64')
        sys.exit(1 if required else 0)
    tap.main()


if __name__ == '__main__':
    main()
