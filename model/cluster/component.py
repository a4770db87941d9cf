"""What a component is to the rest of the model: one value, which a registry lists.

A room in ``model/components`` has the decisions of a component (``decision.py``, in Kubernetes' own
terms), its wiring (``rules.py``), and a `Component` that says what it adds to a system, what it can
tell apart, and what may happen because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.components.reconcile.declarations import Brought
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.system import Action, Best, Bound, Cell, Rule, Tally

from .forgetting import Forgetting
from .owners import OwnerKind
from .setting import Event, Setting
from .state import NodeState
from .world import NodeShape, Workload, World


class Parts(NamedTuple):
    """What a component adds to a system.

    Each of its ``rules`` is a task of its own: a component works off its queue key by key, and
    endless work on one key starves no other. ``tasks`` are rules whose tasks are named already,
    ``chances`` those of users and faults.
    """

    cells: tuple[Cell, ...] = ()
    tallies: tuple[Tally, ...] = ()
    bests: tuple[Best, ...] = ()
    rules: tuple[Rule, ...] = ()
    tasks: tuple[Rule, ...] = ()
    chances: tuple[Rule, ...] = ()
    bounds: tuple[Bound, ...] = ()


NO_PARTS = Parts()


class Crowd(NamedTuple):
    """Whom components may meet: a pod of each kind that may come, and all that stand by.

    ``named`` are the nodes that an event or a template refers to. ``scoring``: scores decide where
    pods go. ``objects`` are those of the kinds that components read. ``events`` are those that may
    happen, where that is known: else any may.
    """

    nodes: Sequence[Node]
    pods: tuple[Pod, ...]
    named: frozenset[str] = frozenset()
    scoring: bool = False
    objects: tuple[Any, ...] = ()
    events: tuple[Event, ...] = ()


Telling: TypeAlias = Callable[[NodeShape], Hashable]
"""Of a node with the pods that stand by on it: what a component can tell it by."""


class EventKind(NamedTuple):
    """Something that users (or faults) may do because of a component.

    ``rules`` gives the rules of one event, whose budget is in the cell named; ``then`` what follows
    where such events may happen, without a budget. What undoes it (``undone_by``) may happen as
    often as it, where the scenario says nothing of that. Without one of the events that it
    ``needs`` it cannot matter, and is left out. ``given`` is the field of a Check that asks for it,
    among its events or its faults, where that is not the action's name in another spelling.
    """

    action: Action
    rules: Callable[[Setting, Event, str], Iterator[Rule]]
    fault: bool = False
    undone_by: str = ""
    then: Callable[[Setting], Iterable[Rule]] | None = None
    given: str = ""
    needs: tuple[Action, ...] = ()

    @property
    def field(self) -> str:
        """What a Check calls it: ``nodeCrash`` for a ``node-crash``."""
        first, *others = self.action.split("-")
        return self.given or "".join((first, *(word.capitalize() for word in others)))


def _nothing(_setting: Setting) -> Parts:
    return NO_PARTS


def _nothing_of(_setting: Setting, _workload: Workload) -> Parts:
    return NO_PARTS


def _assumes_nothing(_setting: Setting) -> Iterable[str]:
    return ()


def _reconciles_nothing(_setting: Setting) -> Brought:
    return Brought()


def _forgets_nothing(_setting: Setting) -> tuple[Forgetting, ...]:
    return ()


def _forgets_nothing_of(_setting: Setting, _workload: Workload) -> tuple[Forgetting, ...]:
    return ()


def _as_they_are(_setting: Setting, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return rules


def _nothing_more(_world: World, nodes: tuple[NodeState, ...]) -> tuple[NodeState, ...]:
    return nodes


def _nothing_counts(_objects: tuple[Any, ...], _pod: Pod) -> Iterable[Hashable]:
    return ()


def _no_matter_how_many(_objects: tuple[Any, ...], _pod: Pod, _replicas: int) -> Hashable:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component of the cluster.

    Attributes:
        name: as its folder is called, and its modules in ``properties`` and ``reports/narrate``.
        distinguishes: by what it can tell nodes apart, given whom it may meet. Nodes that no
            component can tell apart are interchangeable, so there is no answer by default.
        needs_terminating: whether a pod that terminates makes a difference to it; no answer by
            default either.
        parts: what it adds once.
        parts_of: what it adds for each workload.
        actions: what its rules do, but for events; each has a sentence in its teller.
        kinds: the types of objects that it reads beside pods, nodes and workloads.
        annotations: those that it reads of pods: verdicts depend on no others.
        owners: the kinds of objects whose pods it makes.
        events: what users and faults may do because of it.
        assumes: sentences on what a scenario assumes because of it.
        reconciles: what it leaves to the machinery of reconcile functions, which runs these and
            has them forget: of objects that are few and named.
        forgets: what it loses when the controller manager restarts, if it runs there.
        forgets_of: what it loses of each workload.
        overhears: what it makes of the rules of all, to whose writes it may react late.
        rounds: what it makes of a number of replicas, given the objects that it reads and a pod:
            two numbers of which everybody makes the same are of one kind.
        equips: the nodes at the start with what it has on them, given where pods are; it goes by
            what nodes hold, not by their order.
        counting: which of the objects that it reads count a pod along with others: what happens to
            one is allowed or not by the others.
    """

    name: str
    distinguishes: Callable[[Crowd], Telling]
    needs_terminating: Callable[[Setting], bool]
    parts: Callable[[Setting], Parts] = _nothing
    parts_of: Callable[[Setting, Workload], Parts] = _nothing_of
    actions: tuple[Action, ...] = ()
    kinds: tuple[type, ...] = ()
    annotations: tuple[str, ...] = ()
    owners: tuple[OwnerKind, ...] = ()
    events: tuple[EventKind, ...] = ()
    assumes: Callable[[Setting], Iterable[str]] = _assumes_nothing
    reconciles: Callable[[Setting], Brought] = _reconciles_nothing
    forgets: Callable[[Setting], tuple[Forgetting, ...]] = _forgets_nothing
    forgets_of: Callable[[Setting, Workload], tuple[Forgetting, ...]] = _forgets_nothing_of
    overhears: Callable[[Setting, tuple[Rule, ...]], tuple[Rule, ...]] = _as_they_are
    rounds: Callable[[tuple[Any, ...], Pod, int], Hashable] = _no_matter_how_many
    equips: Callable[[World, tuple[NodeState, ...]], tuple[NodeState, ...]] = _nothing_more
    counting: Callable[[tuple[Any, ...], Pod], Iterable[Hashable]] = _nothing_counts


def all_nodes_alike(_crowd: Crowd) -> Telling:
    """The answer of a component to whom no node differs from another."""
    return lambda _shape: None


def never(_setting: Setting) -> bool:
    """The answer of a component to whom a terminating pod is as good as gone."""
    return False
