"""What is asked, and a case that answers part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import msgspec

from .applying import Applying
from .loading import Extension
from .model.manifests import (
    Check,
    Document,
    Manifests,
)
from .model.objects.workloads import Deployment
from .model.scenario import (
    Kept,
    Scenario,
)
from .policy import Rule
from .properties.statement import Property

Changing: TypeAlias = Callable[[Deployment], Deployment]
"""How a Deployment is changed."""

NOTHING = Extension()
"""Of a question that loads nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. Empty fields leave the choice to the Check document, or to the defaults.

    Attributes:
        paths: files and directories; ``-`` is ``stdin``.
        load: Python files that bring controllers, events and properties. They are run.
        stdin: what stands on standard input.
        stdin_name: what messages call it.
        nodes, events: as ``parse_nodes`` and ``parse_events`` read them.
        questions: the usual questions that are asked where nothing is said of events; all where
            none is named. Where it is ``thorough``, products of them, too.
        together, workloads: names of workloads, as in ``CheckSpec``.
        properties: identifiers.
        scoring: whether the scheduler's scores decide.
        kubernetes: the version, such as ``1.35``.
        namespace: of objects that name none.
        kustomize: whether directories with a kustomization file are built.
        strict: whether files in a directory that are no Kubernetes objects are an error.
        variant: the alternative that is asked about, where folders define the same objects.
        base: files and directories with what stands; then what is asked is that the others are
            applied to it.
        standing: what stands, as text, beside that.
        prune: whether what stands and is not among the others is taken away.
        max_states, time_limit_seconds, max_memory_bytes: where the search gives up.
    """

    paths: tuple[str, ...]
    load: tuple[str, ...] = ()
    stdin: str | bytes = ""
    stdin_name: str = "<stdin>"
    nodes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    thorough: bool = False
    together: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    scoring: bool | None = None
    kubernetes: str = ""
    namespace: str = ""
    kustomize: bool = True
    strict: bool = False
    variant: str = ""
    base: tuple[str, ...] = ()
    standing: str = ""
    prune: bool = False
    max_states: int | None = None
    time_limit_seconds: float | None = None
    max_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario with its properties, what it was made from, and what its manifests suppress.

    ``document`` is that of the Check, None where nobody wrote one; ``applying`` what is applied to
    what stands, where something is. ``building_seconds`` is the processor's time that it took to
    build the system. ``sizes`` are numbers of replicas below its own for which it may be asked as
    well; `resized` asks that, and `changed` the same of Deployments that are changed.
    """

    scenario: Scenario
    properties: tuple[Property, ...]
    check: Check
    manifests: Manifests
    suppressions: tuple[Rule, ...] = ()
    document: Document | None = None
    extension: Extension = NOTHING
    kept: tuple[Kept, ...] = ()
    applying: Applying | None = None
    building_seconds: float = 0.0
    sizes: tuple[int, ...] = ()
    ask_again: Callable[[int], Case | None] | None = field(default=None, compare=False)
    ask_changed: Callable[[Changing], Case | None] | None = field(default=None, compare=False)

    def changed(self, change: Changing) -> Case | None:
        """The same asked of Deployments that are changed; None where that is nothing."""
        return self.ask_changed(change) if self.ask_changed else None

    def resized(self, replicas: int, time_limit_seconds: float | None) -> Case | None:
        """The same asked of so many replicas, within so much time; None where that is nothing.

        It is asked of no other size in turn.
        """
        case = self.ask_again(replicas) if self.ask_again else None
        if case is None:
            return None
        spec = case.check.spec
        bounds = msgspec.structs.replace(spec.bounds, time_limit_seconds=time_limit_seconds)
        check = msgspec.structs.replace(
            case.check, spec=msgspec.structs.replace(spec, bounds=bounds)
        )
        return replace(case, check=check, sizes=())
