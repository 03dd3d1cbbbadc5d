#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The layers keep to their places: who includes whom, and what each may ask of the system.

The rules are those of doc/architecture.md. Without archives only the #include lines are checked;
with libmlx5lm-<layer>.a of an unsanitized build also what the objects refer to.
"""

import pathlib
import re

import project

# A layer is a folder of src; the files facts*.[ch] beside the folders are one, too.
MAY_INCLUDE = {
    'base': {'base'},
    'facts': {'base', 'facts'},
    'core': {'base', 'facts', 'core'},
    'sys': {'base', 'facts', 'sys'},
    'api': {'base', 'facts', 'core', 'sys', 'api'},
}
EVERYWHERE = {'export.h'}

# system header -> the only files of src that may include it
RESERVED = (
    (r'libvirt/', r'sys/(libvirt|domain|domain_ask)\.c'),
    (r'libmnl/|linux/|(libkmod|zlib)\.h|sys/(ioctl|socket|wait)\.h|spawn\.h', r'sys/\w+\.[ch]'),
    (r'fcntl\.h|dirent\.h|poll\.h|pthread\.h|threads\.h|signal\.h|sys/', r'(sys|api)/\w+\.[ch]'),
    (r'unistd\.h', r'((sys|api)/\w+|base/cleanup)\.[ch]'),
    (r'jansson\.h|libxml/', r'core/\w+\.[ch]'),
)

# undefined symbols, matched as a whole after __X_chk and X64 have become X
CORE_FORBIDDEN = re.compile(
    r'(open|fopen|fdopen|opendir|openat|creat|read|write|pread|pwrite|readlink|stat|fstat|lstat|access|faccess|mmap|'
    r'rename|unlink|mkdir)(at|v|dir)?|ioctl|fcntl|poll|epoll_\w+|eventfd|socket\w*|connect|bind|sendto|sendmsg|send|recv\w*|'
    r'getenv|fork|exec\w+|posix_spawn\w*|kill|syscall|pthread_\w+|thrd_\w+|mtx_\w+|sem_\w+|mnl_\w+|kmod_\w+|inflate\w*|vir[A-Z]\w*|'
    r'time|clock_gettime|gettimeofday|nanosleep|usleep|sleep|random|rand|getrandom|uname|gethostname|sysconf|'
    r'json_(load|dump)_?(file|fd)|json_dumpf|json_loadf|xml(Read|Parse|CtxtRead|SAXParse|Save)\w*(File|Fd)|xmlSaveFile\w*')
PRODUCT_FORBIDDEN = re.compile(
    r'(secure_)?getenv|setenv|unsetenv|putenv|clearenv|environ|v?printf|puts|putchar|perror|psignal|stdout|stderr|stdin|'
    r'v?(err|warn)x?|v?syslog|abort|exit|_exit|_Exit|quick_exit|atexit|__assert\w*|raise|signal|sigaction|'
    r'pthread_kill|sigprocmask|setlocale|uselocale|umask|chdir|fchdir|chroot|setns|unshare|'
    r'set[re]*[ug]id|system|popen|virEvent\w+|virSetErrorFunc')
MUTABLE = re.compile(r'\.(t?bss|t?data)(\..*)?|\*COM\*')
CONSTANT = re.compile(r'\.data\.rel\.ro(\..*)?')


def layer_of(path):
    return path.parts[0] if len(path.parts) > 1 else path.stem.split('_')[0]


def check_includes(source):
    for path in sorted(source.rglob('*.[ch]')):
        name = path.relative_to(source)
        if name.as_posix() in EVERYWHERE:
            continue
        for number, line in enumerate(path.read_text('utf-8').splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if not match:
                continue
            check = check_own if match.group(1) == '"' else check_system
            yield from (f'src/{name}:{number}: {failure}' for failure in check(name, match.group(2)))


def check_own(name, header):
    layer = layer_of(name)
    if layer not in MAY_INCLUDE:
        yield f'{layer} is no layer; the layers are {", ".join(MAY_INCLUDE)}'
    elif header not in EVERYWHERE and layer_of(pathlib.Path(header)) not in MAY_INCLUDE[layer]:
        yield f'{layer} may not include "{header}"; its headers may come from {", ".join(sorted(MAY_INCLUDE[layer]))}'


def check_system(name, header):
    for pattern, files in RESERVED:
        if re.match(pattern, header):
            if not re.fullmatch(files, name.as_posix()):
                yield f'<{header}> belongs in {files} only'
            return


def plain(symbol):
    """The name as the source has it: without version, fortify and large-file decoration."""
    symbol = symbol.split('@')[0]
    symbol = re.sub(r'^__isoc\d+_', '', symbol)
    symbol = re.sub(r'^__(\w+)_chk$', r'\1', symbol)
    symbol = re.sub(r'^__(\w+)_2$', r'\1', symbol)
    return re.sub(r'(?<=[a-z])64$', '', symbol)


def check_archive(archive):
    layer = archive.stem.removeprefix('libmlx5lm-')
    listing = project.run('nm', '--undefined-only', archive)
    if listing.returncode != 0:
        yield f'nm {archive}: {listing.stderr.strip()}'
        return
    member = '?'
    for line in listing.stdout.splitlines():
        if line.endswith(':'):
            member = line.removesuffix(':').rpartition('/')[2].removeprefix(f'{layer}_').removesuffix('.o')
        elif fields := line.split():
            symbol = plain(fields[-1])
            if PRODUCT_FORBIDDEN.fullmatch(symbol):
                yield f'{layer}: {member} uses {symbol}, which the library never does'
            elif layer == 'core' and CORE_FORBIDDEN.fullmatch(symbol):
                yield f'{layer}: {member} uses {symbol}, but core touches nothing'


def check_globals(archive):
    listing = project.run('objdump', '--syms', archive)
    for line in listing.stdout.splitlines():
        match = re.match(r'[0-9a-f]+ [ \w!]{7} (\S+)\s+([0-9a-f]+)\s+(?:\.\w+ )?(\S+)$', line)
        if match and int(match.group(2), 16) and MUTABLE.fullmatch(match.group(1)) \
                and not CONSTANT.fullmatch(match.group(1)):
            yield f'{archive.stem}: {match.group(3)} is a global variable; the library has none'


def main():
    parser = project.arguments(__doc__)
    parser.add_argument('archives', type=pathlib.Path, nargs='*', help='libmlx5lm-<layer>.a')
    args = parser.parse_args()
    failures = list(check_includes(args.root / 'src'))
    for archive in args.archives:
        failures += [*check_archive(archive), *check_globals(archive)]
    project.end(failures)


if __name__ == '__main__':
    main()
