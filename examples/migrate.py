#!/usr/bin/env python3
# SPDX-License-Identifier: MIT-0
"""Moves a libvirt domain with its VFs to another host: libmlx5lm in an asyncio loop by ctypes, nothing to compile.

A session gives out one file descriptor for any event loop, and mlx5lm_session_next_event() hands out events
without a callback: that is all an asynchronous iterator needs. Exit status: 0 done, 1 failed, 3 usage.
"""
import argparse
import asyncio
import ctypes
import pathlib
import signal
import sys

POINTER = ctypes.c_void_p
OUT = ctypes.POINTER(POINTER)
TEXT = ctypes.c_char_p

# From mlx5lm/session.h; values are never reused.
EVENTS = {1: "phase", 2: "iteration", 3: "sample", 4: "done", 5: "stall"}
PERCENT, ITERATION, VFIO_TRANSFERRED_BYTES, DOWNTIME_MS, ETA_MS = 1, 6, 9, 11, 14
DOMAIN, SOURCE_URI, DESTINATION_URI = 1, 2, 3


def load(path):
    """The library with the signatures this program uses."""
    library = ctypes.CDLL(path)
    for name, result, *arguments in (
        ("ctx_new", ctypes.c_int, OUT),
        ("ctx_unref", POINTER, POINTER),
        ("host_probe", ctypes.c_int, POINTER, POINTER, OUT, OUT),
        ("host_parse", ctypes.c_int, TEXT, ctypes.c_size_t, OUT, OUT),
        ("host_free", None, POINTER),
        ("session_options_new", ctypes.c_int, OUT),
        ("session_options_set_str", ctypes.c_int, POINTER, ctypes.c_int, TEXT),
        ("session_options_set_hosts", ctypes.c_int, POINTER, POINTER, POINTER),
        ("session_options_free", None, POINTER),
        ("session_new", ctypes.c_int, POINTER, POINTER, OUT, OUT),
        ("session_unref", POINTER, POINTER),
        ("session_start", ctypes.c_int, POINTER, OUT),
        ("session_get_fd", ctypes.c_int, POINTER),
        ("session_next_event", ctypes.c_int, POINTER, ctypes.c_uint32, OUT, OUT),
        ("session_cancel", ctypes.c_int, POINTER),
        ("session_get_result", ctypes.c_int, POINTER, OUT),
        ("progress_get_event", ctypes.c_int, POINTER),
        ("progress_get_phase", ctypes.c_int, POINTER),
        ("progress_get_u64", ctypes.c_int, POINTER, ctypes.c_int, ctypes.POINTER(ctypes.c_uint64)),
        ("phase_str", TEXT, ctypes.c_int),
        ("error_get_message", TEXT, POINTER),
        ("error_get_remedy", TEXT, POINTER),
        ("error_free", None, POINTER),
    ):
        function = getattr(library, "mlx5lm_" + name)
        function.restype, function.argtypes = result, arguments
    return library


class Mlx5lmError(Exception):
    """A failed call, with what mends it."""


def checked(library, function, *arguments):
    """Calls function(*arguments, &error) and returns its status."""
    error = POINTER()
    status = function(*arguments, ctypes.byref(error))
    if status >= 0 or not error:
        return status
    message = library.mlx5lm_error_get_message(error).decode()
    remedy = library.mlx5lm_error_get_remedy(error)
    library.mlx5lm_error_free(error)
    raise Mlx5lmError(message + (f" (to do: {remedy.decode()})" if remedy else ""))


def new(library, function, *arguments, with_error=True):
    """Calls function(*arguments, &ret[, &error]) and returns ret."""
    made = POINTER()
    if with_error:
        status = checked(library, function, *arguments, ctypes.byref(made))
    else:
        status = function(*arguments, ctypes.byref(made))
    if status < 0:
        raise Mlx5lmError(f"error {-status}")
    return made


class Progress:
    """What is known at an event; a copy, for the library changes its own."""

    def __init__(self, library, handle):
        value = ctypes.c_uint64()
        self.event = EVENTS.get(library.mlx5lm_progress_get_event(handle), "unknown")
        self.phase = library.mlx5lm_phase_str(library.mlx5lm_progress_get_phase(handle)).decode()
        self.numbers = {key: value.value
                        for key in (PERCENT, ITERATION, VFIO_TRANSFERRED_BYTES, DOWNTIME_MS, ETA_MS)
                        if library.mlx5lm_progress_get_u64(handle, key, ctypes.byref(value)) == 0}


class Session:
    """A migration: "async for progress in session", then result()."""

    def __init__(self, library, options):
        self.library = library
        ctx = new(library, library.mlx5lm_ctx_new, with_error=False)
        try:
            self.handle = new(library, library.mlx5lm_session_new, ctx, options)
        finally:
            library.mlx5lm_ctx_unref(ctx)

    def close(self):
        """Ends it if it still runs."""
        self.handle = self.library.mlx5lm_session_unref(self.handle)

    def cancel(self):
        self.library.mlx5lm_session_cancel(self.handle)

    def result(self):
        checked(self.library, self.library.mlx5lm_session_get_result, self.handle)

    def next_event(self):
        """What has happened, without waiting; None if nothing has."""
        progress = POINTER()
        status = checked(self.library, self.library.mlx5lm_session_next_event, self.handle, 0, ctypes.byref(progress))
        if status < 0:
            raise Mlx5lmError(f"error {-status}")
        return Progress(self.library, progress) if status else None

    async def __aiter__(self):
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        descriptor = self.library.mlx5lm_session_get_fd(self.handle)
        loop.add_reader(descriptor, readable.set)
        try:
            checked(self.library, self.library.mlx5lm_session_start, self.handle)
            while True:
                readable.clear()
                while progress := self.next_event():
                    yield progress
                    if progress.event == "done":
                        return
                await readable.wait()
        finally:
            loop.remove_reader(descriptor)


def show(progress):
    numbers = progress.numbers
    text = f"{progress.phase:12}{numbers.get(PERCENT, 0):3} %"
    for key, form in ((ITERATION, "pass {}"), (VFIO_TRANSFERRED_BYTES, "VF {} bytes"), (ETA_MS, "{} ms to go"),
                      (DOWNTIME_MS, "downtime {} ms")):
        if key in numbers:
            text += "  " + form.format(numbers[key])
    print(text, flush=True)


async def migrate(session):
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, session.cancel)
    async for progress in session:
        show(progress)
    session.result()


def new_session(library, arguments):
    options = new(library, library.mlx5lm_session_options_new, with_error=False)
    try:
        for key, value in ((DOMAIN, arguments.vm), (SOURCE_URI, arguments.source),
                           (DESTINATION_URI, arguments.destination)):
            if library.mlx5lm_session_options_set_str(options, key, value.encode()) < 0:
                raise Mlx5lmError(f"{value}: not usable")
        if arguments.snapshot:
            text = arguments.snapshot.read_bytes()
            there = new(library, library.mlx5lm_host_parse, text, len(text))
            here = probe(library)
            library.mlx5lm_session_options_set_hosts(options, here, there)
            library.mlx5lm_host_free(here)
            library.mlx5lm_host_free(there)
        return Session(library, options)
    finally:
        library.mlx5lm_session_options_free(options)


def probe(library):
    """A snapshot of this host."""
    ctx = new(library, library.mlx5lm_ctx_new, with_error=False)
    try:
        return new(library, library.mlx5lm_host_probe, ctx, None)
    finally:
        library.mlx5lm_ctx_unref(ctx)


class Parser(argparse.ArgumentParser):
    """Leaves exit status 2 to "unknown"."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: {message}\n")


def main():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", default="libmlx5lm.so.1", help="path of the library")
    parser.add_argument("--source", default="qemu:///system", help="libvirt URI of the source")
    parser.add_argument("--snapshot", type=pathlib.Path,
                        help="what mlx5lm-probe --json said at the destination; for a domain with VFs")
    parser.add_argument("vm", help="name or UUID of the domain")
    parser.add_argument("destination", help="libvirt URI of the destination")
    arguments = parser.parse_args()
    session = None
    try:
        session = new_session(load(arguments.library), arguments)
        asyncio.run(migrate(session))
    except (OSError, Mlx5lmError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        if session:
            session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
