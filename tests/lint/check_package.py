#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson install` installs is enough to build and run a program: headers, library, pkg-config file."""

import os
import pathlib
import shlex
import sys
import tempfile

import project

PROGRAM = r'''
#include <mlx5lm/mlx5lm.h>
#include <stdio.h>

int main(void)
{
	return puts(mlx5lm_version_str()) < 0;
}
'''


def must(*command, **options):
    result = project.run(*command, **options)
    if result.returncode != 0:
        sys.exit(f'FAIL: {shlex.join(map(str, command))}: {result.stdout}{result.stderr}')
    return result.stdout.strip()


def main():
    parser = project.arguments(__doc__)
    parser.add_argument('--build', type=pathlib.Path, required=True, help='the build folder')
    parser.add_argument('--version', required=True, help='the version of the project')
    parser.add_argument('--cc', default='cc', help='the compiler, as one word')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        stage = pathlib.Path(temporary) / 'stage'
        must('meson', 'install', '-C', args.build, '--no-rebuild', '--quiet', '--destdir', stage)
        found = list(stage.rglob('mlx5lm.pc'))
        if len(found) != 1:
            sys.exit(f'FAIL: {len(found)} files mlx5lm.pc are installed, not one')
        check_package(args, stage, found[0], pathlib.Path(temporary) / 'program')


def check_package(args, stage, package, program):
    env = {**os.environ, 'PKG_CONFIG_PATH': str(package.parent), 'PKG_CONFIG_SYSROOT_DIR': str(stage)}
    must('pkg-config', '--validate', 'mlx5lm', env=env)
    failures = []
    if (version := must('pkg-config', '--modversion', 'mlx5lm', env=env)) != args.version:
        failures.append(f'mlx5lm.pc is of version {version}, the project of {args.version}')
    flags = shlex.split(must('pkg-config', '--cflags', '--libs', 'mlx5lm', env=env))
    source = program.with_suffix('.c')
    source.write_text(PROGRAM, 'utf-8')
    must(*shlex.split(args.cc), source, '-o', program, *flags)
    said = must(program, env={**os.environ, 'LD_LIBRARY_PATH': str(package.parent.parent)})
    if said != args.version:
        failures.append(f'mlx5lm_version_str() says {said}, the project is {args.version}')
    project.end(failures)


if __name__ == '__main__':
    main()
