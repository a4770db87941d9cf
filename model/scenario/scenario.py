"""One system to explore, with what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.world import World
from kubelemma.model.components.reconcile.sources import NOTHING, Custom
from kubelemma.model.manifests.check import Check
from kubelemma.model.system import System

from .start import Called
from .templates import Key

NO_CHECK = Check()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One system to explore.

    ``setting`` says in sentences what is assumed. ``node_names`` are by position within the
    family of nodes, in the initial state of ``system``. ``recipe`` is all that ``system`` was made
    from: what `assemble` takes. ``called`` are the pods of the input at the start, ``taken`` the
    namespaces and names of all that the input has. ``held`` says what is held otherwise than it is,
    and may be in the way of those in focus: workloads that stand still, pods that are no longer as
    their templates say. What then comes to its end need not otherwise. ``unseen`` says so where it
    may begin in other ways, too. ``question`` is what is asked, where nobody said what may happen;
    ``check`` is the Check that asks just that.
    """

    name: str
    world: World
    system: System
    recipe: tuple[object, ...]
    setting: tuple[str, ...]
    node_names: tuple[str, ...]
    custom: Custom = NOTHING
    held: str = ""
    called: tuple[Called, ...] = ()
    taken: frozenset[tuple[str, str]] = frozenset()
    unseen: str = ""
    question: str = ""
    check: Check = NO_CHECK

    @property
    def events(self) -> tuple[Event, ...]:
        """What users and faults may do."""
        return cast("tuple[Event, ...]", self.recipe[2])

    @property
    def first(self) -> Key:
        """What identifies the first workload in focus."""
        workload = self.world.workloads[0]
        return Key(workload.kind, workload.namespace, workload.name)

    @property
    def focus(self) -> tuple[str, ...]:
        """The workloads in focus, with their kinds."""
        return tuple(workload.cell for workload in self.world.workloads)

    @property
    def subject(self) -> str:
        """The workloads in focus and the loaded controllers, as one text."""
        loaded = (c.name for c in self.custom.controllers if not c.managed)
        return ", ".join((*self.focus, *loaded))
