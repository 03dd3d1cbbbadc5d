#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The public headers hold names, numbers and signatures only, and each compiles alone (abi/README.md)."""

import pathlib
import re
import shutil

import project
import headers

# Only named, to take what a caller has already: libvirt's virConnectPtr points to it.
FOREIGN_STRUCTS = {'_virConnect'}

TYPES = {'void', 'int', 'char', 'size_t', *(f'{sign}int{bits}_t' for sign in ('', 'u') for bits in (8, 16, 32, 64))}
DIALECTS = {
    'c': (('gcc', 'clang'), ('c99', 'c11')),
    'c++': (('g++', 'clang++'), ('c++17',)),
}
WARNINGS = ('-pedantic', '-Wall', '-Wextra', '-Werror')


def check_directive(directive):
    text = directive.text
    guard = re.sub(r'\W', '_', pathlib.Path(directive.header).name).upper()
    guards = {guard, f'MLX5LM_{guard}'}
    if re.fullmatch(r'#include <(mlx5lm/\w+\.h|stddef\.h|stdint\.h)>', text):
        return
    if text in ('#ifdef __cplusplus', '#endif') or text in {f'#{word} {name}' for name in guards
                                                            for word in ('ifndef', 'define')}:
        return
    if re.match(r'# ?define \w+\(', text):
        yield f'{directive.where()}: function-like macro: {text}'
    elif not re.fullmatch(r'#define MLX5LM_[A-Z0-9_]+ .+', text):
        yield f'{directive.where()}: only includes of mlx5lm, stddef.h and stdint.h, the include guard, ' \
              f'__cplusplus and constants MLX5LM_X belong here: {text}'


def check_type(where, text, api, result=False):
    words = [word for word in re.sub(r'\*', ' ', text).split() if word != 'const']
    pointer = '*' in text
    if len(words) == 2 and words[0] in ('struct', 'enum'):
        known = api.structs if words[0] == 'struct' else api.enums
        if words[1] not in known:
            yield f'{where}: no public header declares {" ".join(words)}'
        elif words[0] == 'struct' and not pointer:
            yield f'{where}: {text} is passed by value'
    elif len(words) != 1 or (words[0] not in TYPES and words[0] not in api.callbacks):
        yield f'{where}: the type "{text}" has no size that is the same for every caller'
    elif words[0] == 'void' and not pointer and not result:
        yield f'{where}: a parameter of type void'


def check_function(function, api):
    where = f'{function.where()}: {function.name}()'
    if not function.name.startswith('mlx5lm_'):
        yield f'{where}: public names begin with mlx5lm_'
    yield from check_type(where, function.returns, api, result=True)
    for kind, name in function.parameters:
        if kind == '...' or name == '':
            yield f'{where}: variadic, or a parameter without a name'
        else:
            yield from check_type(where, kind, api)


def check_enum(enum):
    where = f'{enum.where()}: enum {enum.name}'
    if not enum.name.startswith('mlx5lm_'):
        yield f'{where}: public names begin with mlx5lm_'
    first, value = enum.values[0]
    if value != 0 or not first.endswith('_UNKNOWN'):
        yield f'{where}: the first enumerator is …_UNKNOWN = 0'
    taken = {}
    for name, value in enum.values:
        if value is None:
            yield f'{where}: {name} has no written value'
        elif value in taken:
            yield f'{where}: {name} uses the value of {taken[value]} again'
        taken.setdefault(value, name)
        if not name.startswith('MLX5LM_'):
            yield f'{where}: {name} does not begin with MLX5LM_'
        if re.search(r'_(MAX|LAST)$', name):
            yield f'{where}: {name} would change its value with every addition'


def check_stranger(declaration):
    kinds = {r'\binline\b': 'inline function', r'\b(struct|union)\b.*\{': 'struct or union body', r'\.\.\.': 'variadic',
             r'\{.*:\s*\d': 'bit-field', r'\bextern\b': 'variable', r'\btypedef\b': 'typedef that is no callback'}
    kind = next((kind for pattern, kind in kinds.items() if re.search(pattern, declaration.text)),
                'neither prototype, callback, enum nor opaque struct')
    return f'{declaration.where()}: {kind}: {declaration.text[:80]}'


def check_text(api):
    for directive in api.directives:
        yield from check_directive(directive)
    for declaration in api.strangers:
        yield check_stranger(declaration)
    for function in [*api.functions.values(), *api.callbacks.values()]:
        yield from check_function(function, api)
    for enum in api.enums.values():
        yield from check_enum(enum)
    for name, struct in api.structs.items():
        if name in FOREIGN_STRUCTS:
            continue
        if not name.startswith('mlx5lm_'):
            yield f'{struct.where()}: public names begin with mlx5lm_: struct {name}'
    for constant in api.constants.values():
        if constant.value is None:
            yield f'{constant.where()}: {constant.name} is not a plain number'


def check_alone(include):
    names = sorted(path.relative_to(include).as_posix() for path in include.rglob('*.h'))
    for language, (compilers, standards) in DIALECTS.items():
        found = [compiler for compiler in compilers if shutil.which(compiler)]
        if not found:
            yield f'none of {", ".join(compilers)} is installed'
        for compiler in found:
            for standard in standards:
                for name in names:
                    yield from compile_alone(compiler, language, standard, include, name)


def compile_alone(compiler, language, standard, include, name):
    # -x c and an #include, since compilers warn of a header that is the main file
    result = project.run(compiler, '-x', language, f'-std={standard}', '-fsyntax-only', *WARNINGS, f'-I{include}', '-',
                         input=f'#include <{name}>\ntypedef int not_empty;\n')
    if result.returncode != 0:
        yield f'{name} alone as {standard} with {compiler}:\n{result.stderr.strip()}'


def main():
    args = project.arguments(__doc__).parse_args()
    include = args.root / 'include'
    failures = list(check_text(headers.parse_directory(include)))
    project.end(failures or check_alone(include))


if __name__ == '__main__':
    main()
