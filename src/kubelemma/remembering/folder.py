"""Files by key in a folder that is never larger than it may be, and that several runs may share.

A file counts only if its first line is the digest of the rest: whatever a full disk, a killed run
or an editor may have left is recognised. Files are written whole, so that nobody ever reads half of
one; they need not last, since what is lost is found out again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from kubelemma.files import UNFINISHED, ignore_in_git, write_whole

MOST_FILES = 10_000
MOST_BYTES = 64 * 2**20
"""Beyond these the files that were of no use for longest are removed."""

_SUFFIX = ".json"


class Damaged(Exception):
    """A file is not what was written."""


class _Kept(NamedTuple):
    """A file by when it was last of use."""

    used_ns: int
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Folder:
    """Contents by key, which must be good for a name of a file."""

    path: Path
    most_files: int = MOST_FILES
    most_bytes: int = MOST_BYTES

    def read(self, key: str) -> bytes | None:
        """What was written under this key; None where nothing was, or it was removed.

        Raises:
            Damaged: the file is not as it was written.
            OSError: it cannot be read.
        """
        path = self._place(key)
        try:
            digest, _, content = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        if digest != _digest(content):
            raise Damaged(f"{path} is damaged")
        with suppress(OSError):  # a folder that can only be read is of use, too
            os.utime(path)
        return content

    def write(self, key: str, content: bytes) -> None:
        """Let this be what is read under this key. The folder ignores itself in git.

        Raises:
            OSError: the folder cannot be written to.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        ignore_in_git(self.path)
        write_whole(self._place(key), _digest(content) + b"\n" + content, lasting=False)

    def prune(self) -> None:
        """Remove what was of no use for longest, until the rest is as small as it must be."""
        files = size = 0
        for kept in sorted(self._kept(), reverse=True):
            files, size = files + 1, size + kept.size_bytes
            if files > self.most_files or size > self.most_bytes:
                with suppress(OSError):  # another run may have done it
                    (self.path / kept.name).unlink()

    def _place(self, key: str) -> Path:
        return self.path / f"{key}{_SUFFIX}"

    def _kept(self) -> Iterator[_Kept]:
        with suppress(OSError), os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.endswith((_SUFFIX, UNFINISHED)):
                    with suppress(FileNotFoundError):
                        found = entry.stat()
                        yield _Kept(found.st_mtime_ns, entry.name, found.st_size)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=20).hexdigest().encode()
