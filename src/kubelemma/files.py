"""Files that are written whole or not at all, and folders that one process has for itself."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

UNFINISHED = ".tmp"
"""How the name of a file ends that is being written; a killed process may leave one behind."""

_LOCK = ".lock"
_NEW_FILE = 0o666
"""As every program asks for it: the user's mask takes from it."""


class InUse(Exception):
    """Another process has the folder; the message says which."""


def write_whole(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Let the file hold just this, or be as it was, whatever happens meanwhile.

    It is written beside its place and then renamed, so that nobody ever reads half of it. What it
    was allowed to whom stays so; a link leads to where it led. What is no file, such as a pipe or
    a terminal, is written to as it is. With ``lasting`` it is on the disk before it has its name,
    so that it is whole after a power failure, too.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        before = target.stat()
    except FileNotFoundError:
        before = None
    if before is not None and not stat.S_ISREG(before.st_mode):
        target.write_bytes(content)
        return
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    fresh = target.with_name(f".{token_hex(8)}{UNFINISHED}")
    try:
        _write(fresh, content, before, lasting=lasting)
        fresh.replace(target)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


def _write(fresh: Path, content: bytes, before: os.stat_result | None, *, lasting: bool) -> None:
    """Write a new file with the permissions of the one that it is to replace."""
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _NEW_FILE)
    with open(number, "wb") as file:  # noqa: PTH123 - an open file has no path
        if before is not None:
            os.fchmod(number, stat.S_IMODE(before.st_mode))
        file.write(content)
        file.flush()
        if lasting:
            os.fsync(number)


def ignore_in_git(folder: Path) -> None:
    """Let a folder ignore itself in git, since what is in it is no source.

    Raises:
        OSError: it cannot be written to.
    """
    note = folder / ".gitignore"
    if not note.exists():
        write_whole(note, b"*\n", lasting=False)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Have a folder, which is made if need be, for this process and this block.

    A process that dies gives it free.

    Raises:
        InUse: somebody has it already.
        OSError: it cannot be written to.
    """
    made = not folder.exists()
    lock = folder / _LOCK
    number = _locked(lock)
    try:
        yield
    finally:
        with suppress(OSError):  # first the file, then the lock: who comes next makes another
            lock.unlink()
        os.close(number)
        if made:
            with suppress(OSError):  # there is something in it
                folder.rmdir()


def _locked(lock: Path) -> int:
    """The open file of a lock that is ours."""
    while True:
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            number = os.open(lock, os.O_RDWR | os.O_CREAT, _NEW_FILE)
        except FileNotFoundError:  # who had the folder before has taken it away again
            continue
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(lock, number):
                return number
        except BlockingIOError as error:
            os.close(number)
            raise InUse(f"{lock.parent} is in use by another run") from error
        except BaseException:
            os.close(number)
            raise
        os.close(number)  # who had it before has taken it away: that was the lock of nobody


def _is_there(lock: Path, number: int) -> bool:
    """Whether an open file still is the one of this name."""
    try:
        return os.path.samestat(lock.stat(), os.fstat(number))
    except FileNotFoundError:
        return False
