"""A search on disk, so that it can go on after it was killed at any moment.

States and edges are only ever added, so their files are appended to; a small file that is replaced
in one go says how much of them counts. They hold numbers; what the numbers mean is found out anew
by giving the model the same questions in the same order. If it answers differently, it is another
model, and the checkpoint is refused. Checksums tell whether a file is as it was written: a number
that the disk has changed would make a verdict wrong.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from kubelemma.files import write_whole
from kubelemma.solver.checkpoints import CheckpointError

FORMAT = 4
MANIFEST = "checkpoint.json"

COLUMNS: Mapping[str, str] = {
    "rows": "<i4",
    "parents": "<i4",
    "moves": "<i4",
    "reached": "|u1",
    "offsets": "<i8",
    "targets": "<i4",
    "tasks": "<u2",
    "fault_offsets": "<i8",
    "fault_targets": "<i4",
    "answers": "<i8",
}
"""The files, and the type of the numbers in them."""


class Saved(msgspec.Struct, frozen=True):
    """What the small file says: of each column length and checksum, and all that is no column."""

    identity: dict[str, Any]
    lengths: dict[str, int]
    facts: dict[str, Any]
    sums: dict[str, int] = {}
    own_sum: int = 0

    def checksum(self) -> int:
        """What ``own_sum`` is if nothing was changed."""
        content = (self.identity, self.lengths, self.facts, self.sums)
        return zlib.crc32(json.dumps(content, sort_keys=True).encode())


class Checkpoint:
    """A folder with one search in it. ``identity`` tells the search from others.

    Raises:
        CheckpointError: the folder has a checkpoint though ``resume`` was not asked for; that of
            another search; or one that is broken.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], *, resume: bool) -> None:
        self._folder = folder
        self._identity = {"format": FORMAT, **identity}
        self.saved = self._read()
        if self.saved is not None and not resume:
            raise CheckpointError(
                f"{folder} has a checkpoint already; say that it is to be resumed, or choose "
                "another folder"
            )
        nothing = dict.fromkeys(COLUMNS, 0)
        self._lengths = {**nothing, **(self.saved.lengths if self.saved else {})}
        self._sums = {**nothing, **(self.saved.sums if self.saved else {})}

    def length(self, column: str) -> int:
        """How many numbers of a column are on disk."""
        return self._lengths[column]

    def load(self, column: str) -> NDArray[Any]:
        """A column, as it was saved.

        Raises:
            CheckpointError: the file is not as it was written, or cannot be read.
        """
        path, length = self._path(column), self._lengths[column]
        try:
            found = np.fromfile(path, COLUMNS[column], length) if length else np.zeros(0)
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error}") from error
        if len(found) != length:
            raise CheckpointError(f"{path} ends after {len(found)} of {length} numbers")
        numbers = found.astype(COLUMNS[column], copy=False)
        if zlib.crc32(numbers.data) != self._sums[column]:
            raise CheckpointError(f"{path} is damaged: it is not as it was written")
        return numbers

    def save(self, added: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Append to the columns, then let the new lengths and facts count.

        Raises:
            CheckpointError: they cannot be written, such as when the disk is full.
        """
        try:
            self._write(added, facts)
        except OSError as error:
            message = f"the search cannot be kept in {self._folder}: {error}"
            raise CheckpointError(message) from error

    def _write(self, added: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for column, numbers in added.items():
            self._append(column, numbers)
        saved = Saved(self._identity, self._lengths, dict(facts), self._sums)
        saved = msgspec.structs.replace(saved, own_sum=saved.checksum())
        content = json.dumps(msgspec.structs.asdict(saved)).encode()
        write_whole(self._folder / MANIFEST, content)

    def _append(self, column: str, numbers: NDArray[Any]) -> None:
        """Write after what counts, over what a killed run may have left there."""
        path, kind = self._path(column), np.dtype(COLUMNS[column])
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.truncate(self._lengths[column] * kind.itemsize)
            file.seek(0, os.SEEK_END)
            added = np.ascontiguousarray(numbers, dtype=kind)
            added.tofile(file)
            file.flush()
            os.fsync(file.fileno())
        self._lengths[column] += int(numbers.size)
        self._sums[column] = zlib.crc32(added.data, self._sums[column])

    def _path(self, column: str) -> Path:
        return self._folder / f"{column}.bin"

    def _read(self) -> Saved | None:
        path = self._folder / MANIFEST
        if not path.exists():
            return None
        try:
            saved = msgspec.json.decode(path.read_bytes(), type=Saved)
        except (OSError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"{path} is no checkpoint: {error}") from error
        # As JSON has it: tuples are lists there.
        for name, own in json.loads(json.dumps(self._identity)).items():
            if saved.identity.get(name) != own:
                raise CheckpointError(
                    f"{self._folder} has the checkpoint of another search: its {name} is "
                    f"{_short(saved.identity.get(name))}, not {_short(own)}"
                )
        if saved.own_sum != saved.checksum():
            raise CheckpointError(f"{path} is damaged: it is not as it was written")
        return saved


def _short(value: object) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"  # noqa: PLR2004 - a line or two
