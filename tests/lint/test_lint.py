#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lint checks notice what they are there for: a small tree passes each, a fault seeded in it fails."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import tap

SPDX = 'SPDX-License-Identifier: '

HEADER = f'''/* {SPDX}LGPL-2.1-or-later */
#ifndef MLX5LM_THING_H
#define MLX5LM_THING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

struct mlx5lm_thing;

/* All of them. */
#define MLX5LM_ALL UINT32_MAX

/**
 * enum mlx5lm_key - what to ask for
 * @MLX5LM_KEY_UNKNOWN: nothing
 * @MLX5LM_KEY_SIZE: the size
 *
 * Since: 0.1
 */
enum mlx5lm_key {{
	MLX5LM_KEY_UNKNOWN = 0,
	MLX5LM_KEY_SIZE = 1
}};

/**
 * mlx5lm_fn - called back
 * @userdata: as registered
 *
 * Return: 0.
 */
typedef int (*mlx5lm_fn)(void *userdata);

/**
 * mlx5lm_thing_get() - ask for a number
 * @thing: a thing
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -EINVAL.
 * Thread: any. Since: 0.1
 */
int mlx5lm_thing_get(const struct mlx5lm_thing *thing, enum mlx5lm_key key, uint32_t *ret);

/**
 * mlx5lm_thing_free() - release a thing
 * @thing: a thing, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_thing_free(struct mlx5lm_thing *thing);

#ifdef __cplusplus
}}
#endif

#endif
'''

TREE = {
    'include/mlx5lm/thing.h': HEADER,
    'src/core/bdf.c': f'// {SPDX}LGPL-2.1-or-later\n#include "core/bdf.h"\n\n#include <jansson.h>\n\n'
                      '#include "base/str.h"\n#include "facts.h"\n\nint bdf(void)\n{\n\treturn 0;\n}\n',
    'src/sys/libvirt.c': f'// {SPDX}LGPL-2.1-or-later\n#include <libvirt/libvirt.h>\n',
    'src/api/bdf.c': f'// {SPDX}LGPL-2.1-or-later\n#include "core/bdf.h"\n#include "export.h"\n#include "sys/root.h"\n',
    'tests/lab/sim/main.c': f'// {SPDX}GPL-2.0-only\n',
    'tests/lint/size-exceptions.txt': f'# {SPDX}LGPL-2.1-or-later\n',
    'examples/run': f'#!/bin/sh\n# {SPDX}MIT-0\necho "$1"\n',
}


class Lint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name, text in TREE.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, 'utf-8')

    def check(self, check, *args, **environment):
        # the tree must not be taken for a part of a git work tree around it
        env = {**os.environ, 'GIT_CEILING_DIRECTORIES': str(self.root.parent), **environment}
        result = subprocess.run([sys.executable, '-B', HERE / f'check_{check}.py', '--root', self.root, *args],
                                capture_output=True, text=True, check=False, env=env)
        self.assertNotIn('Traceback', result.stderr)
        return result

    def passes(self, check, *args):
        result = self.check(check, *args)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def fails(self, check, *words, args=()):
        result = self.check(check, *args)
        self.assertEqual(result.returncode, 1, 'the fault was not noticed')
        for word in words:
            self.assertIn(word, result.stdout + result.stderr)


class Headers(Lint):
    def seed(self, old, new, *words):
        with self.subTest(new):
            self.assertEqual(HEADER.count(old), 1)
            self.write('include/mlx5lm/thing.h', HEADER.replace(old, new))
            self.fails('headers', *words)

    def test_a_clean_header(self):
        self.passes('headers')

    def test_what_is_no_signature(self):
        self.seed('struct mlx5lm_thing;', 'struct mlx5lm_thing { int size; };', 'body')
        self.seed('struct mlx5lm_thing;', 'struct mlx5lm_thing { int size : 3; };')
        self.seed('struct mlx5lm_thing;', 'union mlx5lm_u { int size; };', 'body')
        self.seed('struct mlx5lm_thing;', 'struct mlx5lm_thing; extern int mlx5lm_level;', 'variable')
        self.seed('struct mlx5lm_thing;', 'struct mlx5lm_thing; typedef int mlx5lm_number;', 'typedef')
        self.seed('void mlx5lm_thing_free(struct mlx5lm_thing *thing);',
                  'static inline void mlx5lm_thing_free(struct mlx5lm_thing *thing) { (void)thing; }', 'inline')
        self.seed('uint32_t *ret);', 'uint32_t *ret, ...);', 'variadic')

    def test_types_that_are_not_the_same_for_everybody(self):
        for kind in ('long', 'unsigned long', 'unsigned', 'off_t', 'time_t', 'FILE', 'bool', 'double', 'short'):
            self.seed('uint32_t *ret', f'{kind} *ret', 'size')
        self.seed('const struct mlx5lm_thing *thing,', 'struct mlx5lm_thing thing,', 'by value')
        self.seed('const struct mlx5lm_thing *thing,', 'const struct mlx5lm_other *thing,', 'declares')

    def test_macros_and_includes(self):
        self.seed('#define MLX5LM_ALL UINT32_MAX', '#define MLX5LM_ALL(x) (x)', 'function-like')
        self.seed('#define MLX5LM_ALL UINT32_MAX', '#define MLX5LM_ALL sizeof(int)', 'plain number')
        self.seed('#define MLX5LM_ALL UINT32_MAX', '#define ALL UINT32_MAX', 'belong')
        self.seed('#include <stdint.h>', '#include <stdint.h>\n#include <stdio.h>', 'stdio')
        self.seed('#include <stdint.h>', '#include <stdint.h>\n#if 1\n#endif', '#if 1')

    def test_enumerators(self):
        self.seed('KEY_SIZE = 1', 'KEY_SIZE', 'no written value')
        self.seed('KEY_SIZE = 1', 'KEY_SIZE = 0', 'again')
        self.seed('KEY_UNKNOWN = 0', 'KEY_UNKNOWN = 2', '_UNKNOWN = 0')
        self.seed('MLX5LM_KEY_UNKNOWN = 0', 'MLX5LM_KEY_NONE = 0', '_UNKNOWN = 0')
        self.seed('KEY_SIZE = 1', 'KEY_SIZE = 1, MLX5LM_KEY_MAX = 2', 'MLX5LM_KEY_MAX')
        self.seed('KEY_SIZE = 1', 'KEY_SIZE = 1, KEY_LENGTH = 2', 'MLX5LM_')

    def test_names_of_others(self):
        self.seed('int mlx5lm_thing_get(', 'int thing_get(', 'begin with mlx5lm_')

    def test_a_header_that_does_not_compile_alone(self):
        self.seed('#include <stdint.h>', '', 'alone as c99', 'alone as c++17')
        self.seed('MLX5LM_KEY_SIZE = 1\n', 'MLX5LM_KEY_SIZE = 1,\n\tMLX5LM_KEY_BIG = 4294967295\n', 'alone as c99')


class Readme(Lint):
    EXAMPLE = '```c\n#include <mlx5lm/thing.h>\n\nvoid f(void)\n{\n\tmlx5lm_thing_free(0);\n}\n```\n'

    def test_an_example_that_compiles(self):
        self.write('README.md', self.EXAMPLE)
        self.passes('readme')

    def test_one_that_does_not_or_is_long_or_missing(self):
        self.write('README.md', self.EXAMPLE.replace('_free(0)', '_free(0, 1)'))
        self.fails('readme', 'does not compile')
        self.write('README.md', self.EXAMPLE.replace('\n\n', '\n' * 40))
        self.fails('readme', 'lines')
        self.write('README.md', 'nothing\n')
        self.fails('readme', 'no C example')


class Docs(Lint):
    def seed(self, old, new, *words):
        with self.subTest(old):
            self.assertEqual(HEADER.count(old), 1)
            self.write('include/mlx5lm/thing.h', HEADER.replace(old, new))
            self.fails('docs', *words)

    def test_complete_comments(self):
        self.passes('docs')

    def test_comments_that_do_not_fit(self):
        self.seed(' * @key: which\n', '', 'declared are')
        self.seed(' * @key: which\n', ' * @name: which\n', '@name')
        self.seed(' * @key: which\n', ' * @key:\n', 'nothing is said of @key')
        self.seed(' * Return: 0; -EINVAL.\n', '', 'Return')
        self.seed(' * Return: 0.\n', '', 'Return')
        self.seed(' * Return: 0; -EINVAL.\n * Thread: any. ', ' * Return: 0.\n * ', 'Thread')
        self.seed(' * Return: 0; -EINVAL.\n * Thread: any. Since: 0.1\n', ' * Return: 0.\n * Thread: any.\n', 'Since')
        self.seed('may be NULL\n *\n', 'may be NULL\n *\n * Return: nothing.\n', 'returns nothing')
        self.seed('mlx5lm_thing_get() - ask for a number', 'mlx5lm_thing_ask() - ask', 'first line')
        self.seed('mlx5lm_thing_get() - ask for a number', 'mlx5lm_thing_get()', 'first line')
        self.seed(' * @MLX5LM_KEY_SIZE: the size\n', '', 'MLX5LM_KEY_SIZE')
        self.seed('void mlx5lm_thing_free', 'int mlx5lm_other(void);\nvoid mlx5lm_thing_free', 'no comment block')


class Findings(Lint):
    ENTRY = '#### `{}`\n\n(fail, or pass) What.\n\n* Why: so.\n* Source: there.\n* Remedy: do.\n\n'

    def tree(self, entries, listed=('a.one', 'b.two'), used=('a.one', 'b.two')):
        self.write('doc/findings.md', '## mlx5lm_check()\n\n' + ''.join(entries) + '## mlx5lm_compare()\n')
        self.write('src/core/check_ids.c', ''.join(f'\t"{name}",\n' for name in listed))
        self.write('src/core/check.c', ''.join(f'point("{name}");\n' for name in used))
        self.write('src/core/vf_ready.c', '')

    def test_a_document_that_fits(self):
        self.tree([self.ENTRY.format('a.one'), self.ENTRY.format('b.two')])
        self.passes('findings')

    def test_documents_that_do_not_fit(self):
        one, two = self.ENTRY.format('a.one'), self.ENTRY.format('b.two')
        for entries, words in (([one], 'no entry for b.two'),
                               ([one, two, self.ENTRY.format('c.three')], 'c.three is not in'),
                               ([two, one], 'not in the order'),
                               ([one, two, two], 'has two entries'),
                               ([one, two.replace('* Source: there.\n', '')], 'has no "Source:"'),
                               ([one, two.replace('(fail, or pass) ', '')], 'does not begin with its statuses')):
            with self.subTest(words):
                self.tree(entries)
                self.fails('findings', words)

    def test_rules_that_do_not_fit(self):
        both = [self.ENTRY.format('a.one'), self.ENTRY.format('b.two')]
        self.tree(both, used=('a.one',))
        self.fails('findings', 'no rule makes b.two')
        self.tree(both, used=('a.one', 'b.two', 'b.twoo'))
        self.fails('findings', 'b.twoo is not in')


class Words(Lint):
    FILES = {
        'src/facts.c': 'const char *const step_ids[NUM] = {\n\t[STEP_A] = "a",\n\t[STEP_B] = "b-c",\n};\n',
        'src/sys/privileges.c': '\t{ "a", NONE },\n\t{ "b-c", NONE },\n\t{ "read", NONE },\n',
        'src/core/plan_findings.c': 'add(planner, "plan.one");\n',
        'src/core/compare_rules.c': '{ "firmware.psid" }, { "adapter.class" }, "mlx5lm.comparison", "domain.vfs"',
        'src/core/domain_check.c': 'add(findings, "domain.vfs"); open("x.y")',
        'src/core/evacuation.c': 'add(findings, "evacuation.no_room");\n',
        'src/api/session.c': 'add(findings, "session.hook");\n',
        'src/core/failure.c': 'const char *const reason_texts[] = {\n\t[MLX5LM_REASON_UNKNOWN] = "unknown",\n'
                              '\t[MLX5LM_REASON_DISK] = "disk",\n};\nconst char *const remedies[] = {\n'
                              '\t[MLX5LM_REASON_DISK] =\n\t\t"share it "\n\t\t"(a | b)",\n};\n',
        'doc/findings.md': '## mlx5lm_check()\n\n## mlx5lm_compare()\n\n| `firmware.psid`, `adapter.class` | `x.y` |\n\n'
                           '## mlx5lm_domain_check()\n\n#### `domain.vfs`\n\n'
                           '## mlx5lm_evacuation_new()\n\n| `evacuation.no_room` | fail |\n\n'
                           '## Sessions\n\n#### `session.hook`\n',
        'src/api/error.c': 'const char *const code_names[] = {\n\t[X] = "unknown",\n\t[Y] = "odd",\n};\n',
        'doc/schema/plan-1.json': '{"$defs": {"step": {"properties": {"id": {"enum": ["a", "b-c"]}}}}}',
        'doc/plan.md': '## Steps\n\n| `a` | x |\n| `b-c`: `d` | x |\n\n## Findings\n\n| `plan.one` | `x` |\n',
        'doc/errors.md': '# Errors\n\n| `odd` | EIO |\n\n## Reasons\n\n| `disk` | x |\n',
        'doc/session.md': '| reason | what to do |\n|---|---|\n| `disk` | share it (`a` \\| b) |\n\nMore.\n',
    }

    def tree(self, name='doc/errors.md', old='', new=''):
        for path, text in self.FILES.items():
            self.write(path, text)
        self.assertIn(old, self.FILES[name])
        self.write(name, self.FILES[name].replace(old, new))

    def test_documents_that_fit(self):
        self.tree()
        self.passes('words')

    def test_words_that_are_nowhere_else(self):
        for name, old, new, words in (
                ('doc/plan.md', '| `a` | x |\n', '', 'doc/plan.md, steps: a is missing'),
                ('doc/plan.md', '`b-c`: `d`', '`b-c`, `d`', 'doc/plan.md, steps: d is not in the source'),
                ('doc/plan.md', 'plan.one', 'plan.two', 'doc/plan.md, findings: plan.one is missing'),
                ('doc/schema/plan-1.json', '"a", ', '', 'plan-1.json, steps: a is missing'),
                ('doc/errors.md', 'odd', 'even', 'doc/errors.md: odd is missing'),
                ('doc/findings.md', 'adapter.class', 'adapter.kind', 'mlx5lm_compare(): adapter.class is missing'),
                ('doc/findings.md', 'domain.vfs', 'domain.pfs', 'mlx5lm_domain_check(): domain.pfs is not in the source'),
                ('doc/findings.md', '## mlx5lm_evacuation_new()', '', 'evacuation.no_room is missing'),
                ('doc/findings.md', 'session.hook', 'session.look', 'Sessions: session.hook is missing'),
                ('doc/errors.md', '`disk`', '`disc`', 'doc/errors.md, reasons: disk is missing'),
                ('doc/session.md', 'share it', 'mount it', 'remedies: disk: share it (a | b) is missing'),
                ('src/core/failure.c', 'reason_texts', 'texts', 'no reason_texts'),
                ('src/core/evacuation.c', 'evacuation.', '', 'src/core/evacuation*.c: no ids'),
                ('src/sys/privileges.c', '"a"', '"z"', 'no right for the step a'),
                ('src/facts.c', 'step_ids', 'ids', 'no step_ids'),
                ('src/core/plan_findings.c', 'plan.', '', 'no ids'),
                ('src/api/error.c', 'code_names', 'names', 'no code_names')):
            with self.subTest(words):
                self.tree(name, old, new)
                self.fails('words', words)


class Sizes(Lint):
    def long_function(self, lines):
        self.write('src/core/long.c', 'int longest(\n\tint x)\n{\n' + '\tx++;\n' * lines + '}\n')

    def test_a_small_tree(self):
        self.long_function(60)
        self.passes('sizes')

    def test_a_long_function(self):
        self.long_function(61)
        self.fails('sizes', 'longest has 61 lines')

    def test_a_long_file(self):
        self.write('src/core/long.c', '\n' * 601)
        self.fails('sizes', 'the file has 601 lines')

    def test_an_exception_holds_for_what_it_names(self):
        self.long_function(70)
        self.write('tests/lint/size-exceptions.txt', 'src/core/long.c longest 70 one table\n')
        self.passes('sizes')
        self.long_function(71)
        self.fails('sizes', 'longest has 71 lines')
        self.long_function(1)
        self.fails('sizes', 'needs no exception')


class Spdx(Lint):
    def test_a_licensed_tree(self):
        self.passes('spdx')

    def test_files_without_or_with_another_licence(self):
        for name, text in {'src/core/new.c': 'int x;\n', 'tool': '#!/bin/sh\n', 'meson.build': 'project()\n',
                           'src/core/b.c': f'// {SPDX}GPL-2.0-only\n', 'examples/a.c': f'// {SPDX}LGPL-2.1-or-later\n',
                           'tests/lab/sim/b.c': f'// {SPDX}LGPL-2.1-or-later\n'}.items():
            with self.subTest(name):
                self.write(name, text)
                self.fails('spdx', name)
                (self.root / name).unlink()


class Names(Lint):
    def test_a_portable_tree(self):
        self.write('doc/a.md', 'see https://www.kernel.org/doc and /usr/share, "$dir/home/x", ${TMPDIR:-/tmp}, /tmp/a-b-XXXXXX\n')
        self.write('tests/lab/suite/a.py', f'# {SPDX}LGPL-2.1-or-later\nlab("/tm' 'p/log")\n')
        self.passes('names')

    def test_names_of_one_machine(self):
        # in pieces, so that this file passes the check
        for text in ('/ho' 'me/me/mlx5lm', 'cd /wo' 'rk/main', '/tm' 'p/log', 'http://mir' 'ror.example.org/x',
                     'https://example.org/deb' 'ian/pool', 'deb.deb' 'ian.org'):
            with self.subTest(text):
                self.write('doc/a.md', f'one\ntwo {text}\n')
                self.fails('names', 'doc/a.md:2')


class Layers(Lint):
    def archive(self, layer, code):
        source = self.root / f'build/{layer}.c'
        self.write(f'build/{layer}.c', code)
        archive = self.root / f'build/libmlx5lm-{layer}.a'
        subprocess.run(['cc', '-c', '-O2', '-w', '-fno-builtin', '-fPIC', '-o', source.with_suffix('.o'), source], check=True)
        archive.unlink(missing_ok=True)
        subprocess.run(['ar', 'rcs', archive, source.with_suffix('.o')], check=True)
        return archive

    def test_a_tree_in_order(self):
        table = self.archive('core', 'const char *const names[] = { "a", "b" };\nint main(void) { return 0; }')
        self.passes('layers', table)

    def test_includes_across_the_layers(self):
        faults = (
            ('core', '#include "sys/root.h"', 'core may not'),
            ('core', '#include "bdf.h"', 'core may not'),
            ('sys', '# include "core/bdf.h"', 'sys may not'),
            ('sys', '#include "api/context.h"', 'sys may not'),
            ('base', '#include "facts.h"', 'base may not'),
            ('facts', '#include "core/bdf.h"', 'facts may not'),
            ('api', '#include "support/tree.h"', 'api may not'),
            ('api', '#include "../tests/tree.h"', 'api may not'),
            ('extra', '#include "facts.h"', 'no layer'),
            ('api', '#include <libvirt/libvirt.h>', 'belongs in'),
            ('sys', '#include <libvirt/virterror.h>', 'belongs in'),
            ('core', '#include <libmnl/libmnl.h>', 'belongs in'),
            ('core', '#include <unistd.h>', 'belongs in'),
            ('core', '#include <sys/stat.h>', 'belongs in'),
            ('core', '#include <pthread.h>', 'belongs in'),
        )
        for number, (layer, line, _) in enumerate(faults):
            self.write(f'src/facts_{number}.c' if layer == 'facts' else f'src/{layer}/x{number}.c', line + '\n')
        result = self.check('layers')
        self.assertEqual(result.returncode, 1)
        for number, (_, line, word) in enumerate(faults):
            self.assertRegex(result.stdout, rf'(/x|/facts_){number}\.c:1: .*{word}', line)

    def uses(self, layer, names):
        code = ''.join(f'void {name}(void);\nvoid f{i}(void) {{ {name}(); }}\n' for i, name in enumerate(names))
        return self.check('layers', self.archive(layer, code))

    def test_what_core_asks_of_the_system(self):
        names = ('open', 'openat', 'fopen64', 'read', 'ioctl', 'socket', 'recvmsg', 'getenv', 'pthread_create',
                 'mnl_socket_open', 'kmod_new', 'virConnectOpen', 'clock_gettime', 'json_load_file', 'xmlReadFile')
        result = self.uses('core', names)
        self.assertEqual(result.returncode, 1)
        for name in names:
            self.assertIn(f'core uses {name.removesuffix("64")},', result.stdout)

    def test_what_only_sys_may_ask(self):
        self.assertEqual(self.uses('sys', ('open', 'ioctl', 'mnl_socket_open', 'pthread_create')).returncode, 0)

    def test_what_no_layer_does(self):
        names = ('getenv', 'secure_getenv', '__printf_chk', 'puts', 'perror', 'abort', 'exit', '_exit', 'signal',
                 'sigaction', '__assert_fail', 'setlocale', 'umask', 'chdir', 'setns', 'system',
                 'virEventRegisterDefaultImpl')
        result = self.uses('sys', names)
        self.assertEqual(result.returncode, 1)
        for name in names:
            word = 'printf' if 'printf' in name else name
            self.assertIn(f'sys uses {word}, which the library never does', result.stdout)
        archive = self.archive('api', '#include <stdio.h>\nvoid f(void) { fprintf(stderr, "x%d", 1); }')
        self.fails('layers', 'uses stderr', args=[archive])

    def test_globals(self):
        result = self.check('layers', self.archive('base', 'int level = 1; _Thread_local int last;\n'
                                                           'int f(void) { static int calls; return calls++; }'))
        self.assertEqual(result.returncode, 1)
        for name in ('level', 'last', r'calls\.\d+'):
            self.assertRegex(result.stdout, rf'base: {name} is a global variable')

    def test_an_archive_that_is_not_there(self):
        self.fails('layers', 'nm', args=[self.root / 'libmlx5lm-core.a'])


@unittest.skipUnless(shutil.which('shellcheck'), 'check_shell.py itself reports a missing shellcheck')
class Shell(Lint):
    def test_a_clean_script(self):
        self.passes('shell')

    def test_an_unquoted_variable(self):
        self.write('examples/run', '#!/bin/bash\nrm $1\n')
        self.fails('shell', 'SC2086')

    def test_a_tree_without_scripts_is_no_success(self):
        (self.root / 'examples/run').unlink()
        self.fails('shell', 'no shell script')


class MissingShellcheck(Lint):
    def test_it_is_skipped_only_where_it_may(self):
        nowhere = {'PATH': str(self.root)}
        self.assertEqual(self.check('shell', **nowhere).returncode, 77)
        self.assertEqual(self.check('shell', '--require', **nowhere).returncode, 1)


class CountCases(unittest.TestCase):
    """scripts/count_cases.py decides whether ./check is green."""

    def count(self, programs, suites):
        with tempfile.TemporaryDirectory() as folder:
            logs = pathlib.Path(folder) / 'run'
            logs.with_suffix('.json').write_text('\n'.join(
                f'{{"name": "p:unit / {name}", "result": "{result}"}}' for name, result in programs.items()), 'utf-8')
            logs.with_suffix('.junit.xml').write_text('<testsuites>' + ''.join(
                f'<testsuite name="p.p:unit / {name}">' + ''.join(
                    f'<testcase name="{i}" classname="p.p:unit / {name}">{inside}</testcase>'
                    for i, inside in enumerate(cases)) + '</testsuite>'
                for name, cases in suites.items()) + '</testsuites>', 'utf-8')
            result = subprocess.run([sys.executable, '-B', HERE.parent.parent / 'scripts/count_cases.py', logs],
                                    capture_output=True, text=True, check=True)
        return result.stdout.splitlines()

    def test_cases_and_programs_that_pass(self):
        self.assertEqual(self.count({'a': 'OK', 'b': 'EXPECTEDFAIL', 't': 'OK'}, {'t': ['', '', '']}), ['5 0'])

    def test_a_failed_case(self):
        self.assertEqual(self.count({'t': 'ERROR'}, {'t': ['', '<failure/>']}), ['  failure: p:unit / t: 1', '1 1'])

    def test_a_skipped_case_did_not_pass(self):
        self.assertEqual(self.count({'t': 'OK'}, {'t': ['', '<skipped/>']}), ['  skipped: p:unit / t: 1', '1 1'])

    def test_a_skipped_or_failed_program_did_not_pass(self):
        self.assertEqual(self.count({'a': 'SKIP', 'b': 'FAIL', 'c': 'TIMEOUT', 'd': 'UNEXPECTEDPASS'}, {})[-1], '0 4')

    def test_a_program_that_dies_after_good_cases(self):
        self.assertEqual(self.count({'t': 'ERROR'}, {'t': ['', '']}), ['  error: p:unit / t', '2 1'])

    def test_no_log_is_no_success(self):
        with self.assertRaises(subprocess.CalledProcessError):
            subprocess.run([sys.executable, '-B', HERE.parent.parent / 'scripts/count_cases.py', HERE / 'nothing'],
                           capture_output=True, check=True)


if __name__ == '__main__':
    tap.main()
