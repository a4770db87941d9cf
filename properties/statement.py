"""Properties as named data: what is promised, by whom, where it is written, what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kubelemma.model.versions import NEWEST

from .formula import Formula

KUBERNETES = f"v{NEWEST.minor_version}"
"""The version of Kubernetes that is the reference for every statement."""
ALL_NODES = "all nodes"
"""The subject of a property that is asked about every node at once."""


class Severity(StrEnum):
    """How much a violation matters."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Kind(StrEnum):
    """What sort of promise it is."""

    SAFETY = "safety"
    STEP = "step"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True)
class Statement:
    """A promise of Kubernetes, independent of any scenario.

    ``source`` is where it is written: pages of the documentation and paths in Kubernetes' source,
    separated by semicolons. ``defect_only``: nothing that users write breaks it, nor a machine that
    fails, but only a defect of Kubernetes; so it is asked where somebody wants to know.
    """

    id: str
    title: str
    kind: Kind
    severity: Severity
    statement: str
    why: str
    conditions: str
    source: str
    components: tuple[str, ...]
    remediation: str
    defect_only: bool = False

    def references(self) -> tuple[str, ...]:
        """The places in ``source``, one by one."""
        return tuple(self.source.split("; "))


@dataclass(frozen=True, slots=True)
class Property:
    """A promise about one object of a scenario, as a formula over its system."""

    statement: Statement
    subject: str
    formula: Formula

    @property
    def id(self) -> str:
        """The identifier, such as ``DEP-4``."""
        return self.statement.id


def asked(
    statements: Iterable[Statement], subject: str, formulas: Mapping[str, Formula]
) -> Iterator[Property]:
    """The properties about one object, given their formulas by identifier."""
    known = {statement.id: statement for statement in statements}
    for identifier, formula in formulas.items():
        yield Property(known[identifier], subject, formula)
