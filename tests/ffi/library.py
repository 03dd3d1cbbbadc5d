# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shared library that the command line names, called as a binding would: by name, with ctypes alone."""

import ctypes
import errno
import json
import pathlib
import re
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ctypes.CDLL(sys.argv[1])
POINTER = ctypes.c_void_p
HEADERS = '\n'.join(path.read_text('utf-8') for path in sorted((PROJECT / 'include/mlx5lm').glob('*.h')))
CONSTANTS = {name: int(value) for name, value in re.findall(r'^\tMLX5LM_(\w+) = (\d+),?$', HEADERS, re.M)}
sys.path.insert(0, str(PROJECT / 'tests'))


class Refused(OSError):
    """A call that returned -errno, with the code and the message of its error object."""

    def __init__(self, status, name, error):
        super().__init__(-status, name)
        self.code = function('error_get_code')(error)
        self.message = (function('error_get_message', ctypes.c_char_p)(error) or b'').decode()
        function('error_free', None)(error)


def function(name, result=ctypes.c_int):
    symbol = getattr(LIBRARY, 'mlx5lm_' + name)
    symbol.restype = result
    return symbol


def new(name, *arguments):
    """Calls a function whose last but one argument is where to put a new object, the last where to put an error."""
    made, error = POINTER(), POINTER()
    status = function(name)(*arguments, ctypes.byref(made), ctypes.byref(error))
    if status < 0:
        assert not made, 'ret was touched'
        raise Refused(status, name, error)
    return made


def new_simple(name, *arguments):
    """Calls a function whose last argument is where to put a new object."""
    made = POINTER()
    status = function(name)(*arguments, ctypes.byref(made))
    if status < 0:
        raise OSError(-status, name)
    return made


def call(name, *arguments):
    """Calls a function whose last argument is where to put an error; what it returned."""
    error = POINTER()
    status = function(name)(*arguments, ctypes.byref(error))
    if status < 0:
        raise Refused(status, name, error)
    return status


def get_str(kind, made, key):
    """The text of an object by the name of its key, None if there is none."""
    value = ctypes.c_char_p()
    status = function(kind + '_get_str')(made, CONSTANTS[key], ctypes.byref(value))
    assert status in (0, -errno.ENODATA), status
    return value.value.decode() if status == 0 else None


def get_u64(kind, made, key):
    """Likewise its number."""
    value = ctypes.c_uint64()
    status = function(kind + '_get_u64')(made, CONSTANTS[key], ctypes.byref(value))
    assert status in (0, -errno.ENODATA), status
    return value.value if status == 0 else None


def free(kind, *objects):
    for made in objects:
        function(kind + '_free', None)(made)


def parse(kind, document):
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return new(f'{kind}_parse', text, ctypes.c_size_t(len(text)))


def take_text(text):
    value = function('text_get_str', ctypes.c_char_p)(text).decode()
    function('text_free', None)(text)
    return value


def serialize(kind, made):
    return json.loads(take_text(new_simple(f'{kind}_serialize', made)))


def serialize_as(kind, made, form):
    """What can be written in several forms, as text; the form by its name."""
    return take_text(new_simple(f'{kind}_serialize', made, CONSTANTS['FORMAT_' + form]))


def get_finding_texts(findings, key):
    """A text of each finding, None where there is none."""
    length = function('findings_length', ctypes.c_size_t)(findings)
    return [get_str('finding', POINTER(function('findings_get', POINTER)(findings, ctypes.c_size_t(index))), key)
            for index in range(length)]
