"""Configuration files: where they lie, what they say, and in which line.

Settings stand in ``kubelemma.toml``, or in ``[tool.kubelemma]`` of ``pyproject.toml``. What keys
there are, and what they may be, is the command line's to know.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from .model.manifests.problems import InvalidInput, Position, Problem

KeyPath: TypeAlias = tuple[str, ...]

OWN_FILE = "kubelemma.toml"
PROJECT_FILE = "pyproject.toml"
_TABLE = ("tool", "kubelemma")
_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)$|\s*\(at end of document\)$")


def folders_above(start: Path, home: Path | None = None) -> Iterator[Path]:
    """A folder and those above it, up to the root of the repository or the home folder."""
    for folder in (start, *start.parents):
        yield folder
        if (folder / ".git").exists() or folder == home:
            return


def find_above(name: str, start: Path, home: Path | None = None) -> Path | None:
    """The nearest file of this name; None where there is none."""
    paths = (folder / name for folder in folders_above(start, home))
    return next((path for path in paths if path.is_file()), None)


@dataclass(frozen=True)
class Settings:
    """What one file says.

    Attributes:
        path: the file, as seen from the folder in which the search for it began.
        values: the tables and values that are for kubelemma.
    """

    path: Path
    values: Mapping[str, Any]
    _text: str = ""
    _above: KeyPath = ()

    def table(self, name: str) -> str:
        """What the header of a table is called in this file."""
        return ".".join((*self._above, name))

    def value(self, key: KeyPath) -> Any:
        """The value of a key that is there."""
        found: Any = self.values
        for part in key:
            found = found[part]
        return found

    def problem(self, key: KeyPath, message: str) -> Problem:
        """What is wrong with a key, where it stands."""
        return Problem(self.position(key), ".".join(key), message)

    def position(self, key: KeyPath) -> Position:
        """Where a key is written."""
        return Position(str(self.path), self._lines.get((*self._above, *key), 0))

    @cached_property
    def _lines(self) -> Mapping[KeyPath, int]:
        """The line of each key: the one after the longest beginning of the text that lacks it.

        The standard library's parser keeps no lines, but it can be asked about beginnings.
        """
        lines = self._text.splitlines(keepends=True)
        found: dict[KeyPath, int] = {}
        begins = 1
        for number in range(1, len(lines) + 1):
            try:
                keys = _keys(tomllib.loads("".join(lines[:number])))
            except tomllib.TOMLDecodeError:
                continue  # in the middle of a value
            found |= {key: begins for key in keys if key not in found}
            begins = number + 1
        return found


def _keys(table: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all keys of a table and of those inside."""
    for key, value in table.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _keys(value, (*above, key))


def find_settings(start: Path, home: Path | None = None) -> Settings | None:
    """The nearest settings from a folder upwards; None where there are none.

    Of two files in one folder, ``kubelemma.toml`` counts; a ``pyproject.toml`` that says nothing
    about kubelemma is passed over.

    Raises:
        InvalidInput: a file on the way cannot be read.
    """
    for folder in folders_above(start, home):
        for name in (OWN_FILE, PROJECT_FILE):
            path = folder / name
            if path.is_file():
                settings = _load(path, Path(os.path.relpath(path, start)))
                if settings is not None:
                    return settings
    return None


def load_settings(path: Path) -> Settings:
    """The settings in a file, which is read as ``pyproject.toml`` only where it is called so.

    Raises:
        InvalidInput: it cannot be read, or says nothing about kubelemma.
    """
    settings = _load(path, path)
    if settings is None:
        raise _refused(path, f"there is no table [{'.'.join(_TABLE)}]")
    return settings


def _load(path: Path, shown: Path) -> Settings | None:
    """The settings in a file that is called ``shown``; None where it has no table for them."""
    text = _read(path, shown)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(shown, text, str(error)) from error
    if path.name != PROJECT_FILE:
        return Settings(shown, values, text)
    own = _inner(values, _TABLE)
    return None if own is None else Settings(shown, own, text, _TABLE)


def _inner(values: Any, path: KeyPath) -> Any:
    """The table at a path; None where there is none."""
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values if isinstance(values, dict) else None


def _read(path: Path, shown: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise _refused(shown, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise _refused(shown, "is not UTF-8 text") from error


def _broken(path: Path, text: str, complaint: str) -> InvalidInput:
    match = _AT_LINE.search(complaint)
    last = len(text.splitlines()) or 1
    line = 0 if match is None else int(match[1] or last)
    message = f"is no TOML: {complaint[: match.start()] if match else complaint}"
    return InvalidInput([Problem(Position(str(path), line), "", message)])


def _refused(path: Path, message: str) -> InvalidInput:
    return InvalidInput([Problem(Position(str(path)), "", message)])
