"""``python -m kubelemma``, the ``kubelemma`` command, and kubectl's plugin ``kubectl lemma``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn


def main() -> None:
    """Run the command line and leave with its exit code."""
    with _beginning():
        from .cli.run import run
    _leave(run(sys.argv[1:]))


def plugin() -> None:
    """As `main`, called by kubectl as ``kubectl lemma``."""
    with _beginning():
        from .cli.run import run
    _leave(run(sys.argv[1:], "kubectl lemma"))


def complete_plugin() -> None:
    """Tell kubectl how a line that begins with ``kubectl lemma`` may go on."""
    with _beginning():
        from .cli.run import complete_for_kubectl
    sys.exit(complete_for_kubectl(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """Leave with an exit code.

    An interrupt that comes while a text is executed, as modules do that make types, is taken by
    CPython for one that nobody has handled, whoever does: of ``python -m`` it ends the process by
    SIGINT in the end (``unhandled_keyboard_interrupt`` in Modules/main.c). So one that was
    interrupted leaves by itself.
    """
    from .cli.exit import ExitCode

    if code == ExitCode.INTERRUPTED:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def _beginning() -> Iterator[None]:
    """Set up the process; whoever presses Ctrl-C while modules are imported sees no traceback."""
    _open_streams()
    _end_with_the_reader()
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, handler)


def _open_streams() -> None:
    """A stream that the caller has closed (``>&-``) is empty, or goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8"))


def _end_with_the_reader() -> None:
    """A reader such as head that goes away early must end us quietly, as it ends cat."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


if __name__ == "__main__":
    main()
