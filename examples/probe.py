#!/usr/bin/env python3
# SPDX-License-Identifier: MIT-0
"""Is this host ready for VF live migration? libmlx5lm from Python by ctypes, nothing to compile.

The public headers have no struct bodies, inline functions or macros with arguments, so that
signatures are all a binding needs. Exit status: 0 ready, 1 not ready, 2 unknown, 3 usage.
"""
import argparse
import ctypes
import json
import sys

POINTER = ctypes.c_void_p
OUT = ctypes.POINTER(POINTER)
EXIT_STATUS = {"pass": 0, "info": 0, "warn": 0, "fail": 1, "unknown": 2}


def load(path):
    """The library with the signatures this program uses."""
    library = ctypes.CDLL(path)
    for name, result, *arguments in (
        ("ctx_new", ctypes.c_int, OUT),
        ("ctx_unref", POINTER, POINTER),
        ("ctx_set_root", ctypes.c_int, POINTER, ctypes.c_char_p, OUT),
        ("host_probe", ctypes.c_int, POINTER, POINTER, OUT, OUT),
        ("host_free", None, POINTER),
        ("check", ctypes.c_int, POINTER, POINTER, ctypes.c_char_p, OUT, OUT),
        ("findings_serialize", ctypes.c_int, POINTER, OUT),
        ("findings_free", None, POINTER),
        ("text_get_str", ctypes.c_char_p, POINTER),
        ("text_free", None, POINTER),
        ("error_get_message", ctypes.c_char_p, POINTER),
        ("error_get_remedy", ctypes.c_char_p, POINTER),
        ("error_free", None, POINTER),
        ("version_str", ctypes.c_char_p),
    ):
        function = getattr(library, "mlx5lm_" + name)
        function.restype, function.argtypes = result, arguments
    return library


class Mlx5lmError(Exception):
    """A failed call, with what mends it."""


def call(library, function, *arguments, with_error=True):
    """Calls function(*arguments, &ret[, &error]) and returns ret."""
    result, error = POINTER(), POINTER()
    outs = (ctypes.byref(result),) + ((ctypes.byref(error),) if with_error else ())
    status = function(*arguments, *outs)
    if status >= 0:
        return result
    if not error:
        raise Mlx5lmError(f"error {-status}")
    message = library.mlx5lm_error_get_message(error).decode()
    remedy = library.mlx5lm_error_get_remedy(error)
    library.mlx5lm_error_free(error)
    raise Mlx5lmError(message + (f" (to do: {remedy.decode()})" if remedy else ""))


def check(library, root):
    """The findings of this host as Python objects."""
    ctx = call(library, library.mlx5lm_ctx_new, with_error=False)
    if root:
        error = POINTER()
        if library.mlx5lm_ctx_set_root(ctx, root.encode(), ctypes.byref(error)) < 0:
            raise Mlx5lmError(library.mlx5lm_error_get_message(error).decode())
    host = call(library, library.mlx5lm_host_probe, ctx, None)
    findings = call(library, library.mlx5lm_check, host, None, None)
    # Objects may be released in any order.
    library.mlx5lm_ctx_unref(ctx)
    library.mlx5lm_host_free(host)
    text = call(library, library.mlx5lm_findings_serialize, findings, with_error=False)
    library.mlx5lm_findings_free(findings)
    result = json.loads(library.mlx5lm_text_get_str(text))
    library.mlx5lm_text_free(text)
    return result


class Parser(argparse.ArgumentParser):
    """Leaves exit status 2 to "unknown"."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: {message}\n")


def main():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", default="libmlx5lm.so.1", help="path of the library")
    parser.add_argument("--root", help="look at the host below this directory")
    arguments = parser.parse_args()
    try:
        result = check(load(arguments.library), arguments.root)
    except (OSError, Mlx5lmError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for finding in result["findings"]:
        print(f"{finding['status']:8}{finding['id']:22}{finding['object']:14}"
              f"{finding.get('found', '')}")
        if "remedy" in finding:
            print(f"{'':8}to do: {finding['remedy']}")
    print(result["status"])
    return EXIT_STATUS[result["status"]]


if __name__ == "__main__":
    sys.exit(main())
