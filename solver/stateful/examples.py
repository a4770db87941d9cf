"""Failing runs on file, in the format of Hypothesis, each kept with the property that it violates.

Hypothesis keeps all failures of one test together, and throws away those that do not fail any more.
Here a search is a sequence of tests, each for the properties that are still to be decided: what one
of them found must neither be lost in the next, nor unknown to it, because one run often violates
several properties.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    InMemoryExampleDatabase,
)

from kubelemma.files import ignore_in_git

from .sampling import ExamplesError


class Examples(ExampleDatabase):
    """The failing runs of the properties of one system, known by their numbers.

    ``open`` are the properties that a failure is looked for, ``failing`` the one that a run was
    found to violate: runs are saved for it, and thrown away where they do not violate it. What a
    test begins with is what is kept, and runs that it is given.
    """

    def __init__(self, kept: ExampleDatabase, keys: Sequence[bytes]) -> None:
        super().__init__()
        self.open: Sequence[int] = ()
        self.failing: int | None = None
        self._kept = kept
        self._keys = keys
        self._test: bytes | None = None
        self._given: Sequence[bytes] = ()
        self._again = True

    def begin(self, open_properties: Sequence[int], runs: Sequence[bytes], *, again: bool) -> None:
        """Another test begins, with some runs; and ``again`` with those that are kept."""
        self.open, self.failing, self._test = open_properties, None, None
        self._given, self._again = runs, again

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """The runs kept for any property, those first that have violated one to be decided."""
        self._test = self._test or key
        if key != self._test:
            return
        yield from self._given
        if not self._again:
            return
        others = [number for number in range(len(self._keys)) if number not in self.open]
        told = set()
        for number in (*self.open, *others):
            for value in sorted(self._kept.fetch(self._keys[number])):
                if value not in told:
                    told.add(value)
                    yield value

    def save(self, key: bytes, value: bytes) -> None:
        """Keep a run for the property that it violates."""
        if key == self._test and self.failing is not None:
            self._kept.save(self._keys[self.failing], value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Throw a run away that does not violate what it is kept for."""
        if key == self._test and value not in self._given:
            for number in self.open if self.failing is None else (self.failing,):
                self._kept.delete(self._keys[number], value)


def examples_of(name: str, about: Iterable[tuple[str, str]], folder: Path | None) -> Examples:
    """The failing runs of a system, kept in a folder or for this search only.

    ``about`` has identifier and subject of each property.

    Raises:
        ExamplesError: the folder cannot be written to.
    """
    keys = [hashlib.sha256("\0".join((name, *each)).encode()).digest() for each in about]
    return Examples(_database(folder), keys)


def _database(folder: Path | None) -> ExampleDatabase:
    if folder is None:
        return InMemoryExampleDatabase()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore_in_git(folder)
    except OSError as error:
        message = f"no examples can be kept in {folder}: {error.strerror}"
        raise ExamplesError(message) from error
    return DirectoryBasedExampleDatabase(folder)
