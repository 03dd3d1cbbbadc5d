# SPDX-License-Identifier: LGPL-2.1-or-later
"""The public headers, parsed. They are simple by rule (abi/README.md), so that this can be, too."""

import dataclasses
import pathlib
import re

STDINT_LIMITS = {
    **{f'UINT{bits}_MAX': 2**bits - 1 for bits in (8, 16, 32, 64)},
    **{f'INT{bits}_MAX': 2 ** (bits - 1) - 1 for bits in (8, 16, 32, 64)},
}


@dataclasses.dataclass
class Declaration:
    header: str
    line: int
    text: str
    comment: str | None  # the comment block that ends right before it

    def where(self):
        return f'{self.header}:{self.line}'


@dataclasses.dataclass
class Function(Declaration):
    name: str
    returns: str
    parameters: list[tuple[str, str]]  # type, name


@dataclasses.dataclass
class Enum(Declaration):
    name: str
    values: list[tuple[str, int | None]]  # None if the value is not written


@dataclasses.dataclass
class Constant(Declaration):
    name: str
    value: int | None  # None if it is not a number that can be read here


@dataclasses.dataclass
class Api:
    functions: dict[str, Function] = dataclasses.field(default_factory=dict)
    callbacks: dict[str, Function] = dataclasses.field(default_factory=dict)
    enums: dict[str, Enum] = dataclasses.field(default_factory=dict)
    structs: dict[str, Declaration] = dataclasses.field(default_factory=dict)
    constants: dict[str, Constant] = dataclasses.field(default_factory=dict)
    directives: list[Declaration] = dataclasses.field(default_factory=list)
    strangers: list[Declaration] = dataclasses.field(default_factory=list)

    def numbers(self):
        """Every public name that stands for a number, with its value."""
        for enum in self.enums.values():
            yield from enum.values
        for constant in self.constants.values():
            yield constant.name, constant.value


def parse_directory(directory):
    api = Api()
    for path in sorted(pathlib.Path(directory).rglob('*.h')):
        parse_header(api, path.relative_to(directory).as_posix(), path.read_text('utf-8'))
    return api


def parse_header(api, header, text):
    code = blank(r'/\*.*?\*/|//[^\n]*', text)
    for match in re.finditer(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', code, re.MULTILINE):
        parse_directive(api, place(Declaration, header, text, match.start(), match.group()))
    code = blank(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', code)
    code = re.sub(r'extern "C" \{(.*)\}', lambda m: ' ' * 12 + m.group(1) + ' ', code, count=1,
                  flags=re.DOTALL)
    for start, statement in statements(code):
        parse_statement(api, place(Declaration, header, text, start, statement))


def blank(pattern, text):
    """Replace what matches by spaces, so that offsets and line numbers stay."""
    return re.sub(pattern, lambda m: re.sub(r'[^\n]', ' ', m.group()), text,
                  flags=re.DOTALL | re.MULTILINE)


def place(kind, header, text, start, code, **more):
    before = text[:start].rstrip()
    comment = None
    if before.endswith('*/'):
        comment = before[before.rfind('/*'):]
    return kind(header, text.count('\n', 0, start) + 1, ' '.join(code.split()), comment, **more)


def statements(code):
    depth = 0
    start = None
    for offset, char in enumerate(code):
        if start is None and not char.isspace():
            start = offset
        depth += {'{': 1, '}': -1}.get(char, 0)
        if start is not None and char == ';' and depth == 0:
            yield start, code[start:offset]
            start = None
    if start is not None:
        yield start, code[start:]


def parse_directive(api, declaration):
    api.directives.append(declaration)
    match = re.fullmatch(r'# ?define (\w+) (.+)', declaration.text)
    if match:
        name, value = match.groups()
        api.constants[name] = Constant(**vars(declaration), name=name, value=number(value))


def number(text):
    text = text.strip('() ')
    if text in STDINT_LIMITS:
        return STDINT_LIMITS[text]
    if re.fullmatch(r'-?(\d+|0[xX][0-9a-fA-F]+)[uU]?', text):
        return int(text.rstrip('uU'), 0)
    return None


def parse_statement(api, declaration):
    text = declaration.text
    fields = vars(declaration)
    if match := re.fullmatch(r'struct (\w+)', text):
        api.structs[match.group(1)] = declaration
    elif match := re.fullmatch(r'enum (\w+) \{ ?(.*?),? ?\}', text):
        values = [enumerator(item) for item in match.group(2).split(',')]
        api.enums[match.group(1)] = Enum(**fields, name=match.group(1), values=values)
    elif match := re.fullmatch(r'typedef (.+?)\(\*(\w+)\)\((.*)\)', text):
        add_function(api.callbacks, fields, match)
    elif match := re.fullmatch(r'((?:\w+[ *]+)+?)(\w+)\(([^()]*)\)', text):
        add_function(api.functions, fields, match)
    else:
        api.strangers.append(declaration)


def enumerator(text):
    name, _, value = text.partition('=')
    return name.strip(), number(value) if value else None


def add_function(table, fields, match):
    returns, name, parameters = match.groups()
    table[name] = Function(**fields, name=name, returns=spell(returns),
                           parameters=[parameter(item) for item in parameters.split(',')
                                       if item.strip() != 'void'])


def parameter(text):
    match = re.fullmatch(r'(.*?)(\w+)', text.strip())
    return (spell(match.group(1)), match.group(2)) if match else (spell(text), '')


def spell(type_text):
    return re.sub(r' ?(\*+) ?', r' \1', ' '.join(type_text.split())).strip()
