"""The compilation of the loop by a process of its own, while something else goes on.

Importing numba and compiling takes longer than many a check; what is compiled is kept on disk.
"""

from __future__ import annotations

import os
import sys
from functools import cache

_COMMAND = "from kubelemma.solver.compiled.warming import compile_all; compile_all()"


class Compilation:
    """The machine code on disk; where it is missing, a process is started that compiles it.

    The process is not waited for, and goes on when this one ends: the next one will be glad.
    """

    def __init__(self) -> None:
        self._process: int | None = None
        self._done = False

    def is_done(self) -> bool:
        """Whether there is machine code, or none can be had like this; may start the process."""
        self._done = self._done or (self._looked() if self._process is None else self._ended())
        return self._done

    def _looked(self) -> bool:
        """Whether there is nothing to wait for; a process is started where something is missing."""
        from . import expansion, jit, packing, peeling, visited  # noqa: F401, PLC0415 - import numba

        if jit.missing():
            self._process = _start()
        return self._process is None

    def _ended(self) -> bool:
        try:
            return os.waitpid(self._process or 0, os.WNOHANG)[0] != 0
        except ChildProcessError:  # somebody else has waited for it
            return True


@cache
def compilation() -> Compilation:
    """The one of this process."""
    return Compilation()


def _start() -> int | None:
    """Start a process that compiles; None if that cannot be done."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    silent = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        *((os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)),
    ]
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-c", _COMMAND],  # -P: nothing is taken from the working folder
            environment,
            file_actions=silent,
            setpgroup=0,  # an interrupt at the terminal is not meant for it
        )
    except OSError:
        return None
