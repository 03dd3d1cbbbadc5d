# SPDX-License-Identifier: LGPL-2.1-or-later
"""A library of empty functions, made from the public headers and the map alone.

What libabigail says of it is what callers see, and nothing of the insides: the baseline is made of
it, so that it changes only when the ABI does. The tests of the checks seed their faults in it.
"""

import os
import subprocess

import headers


def build(include, version_script, folder, more=(), soname='libmlx5lm.so.1'):
    """The library's path; more are lines of C to go with the empty functions."""
    source, library = folder / 'skeleton.c', folder / soname
    functions = [f'{f.returns} {f.name}({", ".join(" ".join(p) for p in f.parameters) or "void"})'
                 f' {{ {"" if f.returns == "void" else "return 0;"} }}'
                 for f in headers.parse_directory(include).functions.values()]
    source.write_text('\n'.join(['#include <mlx5lm/mlx5lm.h>', *functions, *more]) + '\n', 'utf-8')
    subprocess.run([*os.environ.get('CC', 'cc').split(), '-g', '-shared', '-fPIC', f'-I{include}', source, '-o', library,
                    f'-Wl,-soname,{soname}', f'-Wl,--version-script={version_script}'], check=True)
    return library
