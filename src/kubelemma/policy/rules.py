"""One suppression as it is written: what it covers, why, and for how long."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from kubelemma.model.manifests import Position
from kubelemma.reports.document import PropertyReport, Suppression
from kubelemma.reports.notice import file_of


class Finding(NamedTuple):
    """What stays the same of a finding, whatever its story and its line."""

    scenario: str
    property: str
    object: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One suppression.

    ``objects``, ``scenario`` and ``path`` are patterns in which ``*`` stands for any characters,
    slashes included. ``path`` is absolute, and covers what lies below it as well. ``expired`` says
    whether the day ``expires`` is over.
    """

    id: str
    reason: str
    position: Position
    kind: Literal["inSource", "external"] = "external"
    objects: tuple[str, ...] = ("*",)
    scenario: str = "*"
    path: str = ""
    expires: date | None = None
    expired: bool = False

    @property
    def key(self) -> tuple[Position, str]:
        """What tells this rule from every other, in whatever scenario it is met."""
        return self.position, self.id

    def covers(self, scenario: str, found: PropertyReport, folder: str) -> bool:
        """Whether a verdict is what the rule is about; ``folder`` is where paths start."""
        return (
            self.id == found.id
            and any(fnmatchcase(found.subject, pattern) for pattern in self.objects)
            and fnmatchcase(scenario, self.scenario)
            and (not self.path or self._lies_in(file_of(found.position), folder))
        )

    def _lies_in(self, file: str, folder: str) -> bool:
        whole = posixpath.normpath(posixpath.join(folder, file)) if file else ""
        return any(fnmatchcase(path, self.path) for path in _upwards(whole))

    def suppression(self) -> Suppression:
        """The rule as a report shows it."""
        return Suppression(self.kind, self.reason, self.position, self.expires)


def _upwards(path: str) -> Iterator[str]:
    """A path and the folders above it; nothing where it is empty."""
    while path.strip("/"):
        yield path
        path = posixpath.dirname(path)
