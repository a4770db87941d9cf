"""What placement is asked, and what it answers. Only data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.storage import NO_STORAGE, Storage


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes, and the load that stays where it is.

    Every pod in ``pods`` has a ``spec.nodeName`` that is the name of one of ``nodes``; terminal
    pods (Succeeded, Failed) are not among them. ``namespaces`` gives the labels by name.
    ``storage`` are the volumes, claims and what else decides where a pod can reach its volumes.
    ``budgets`` are disruption budgets, which preemption would rather not violate.
    """

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    storage: Storage = NO_STORAGE
    budgets: tuple[PodDisruptionBudget, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """So many pods that are all like ``pod``, which has its defaults, priority and namespace.

    ``name`` is how its owner calls it, kind and all; unique in a problem.
    """

    name: str
    pod: Pod
    count: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Which pods are to be placed on which nodes."""

    cluster: Cluster
    workloads: tuple[Workload, ...]


class Question(StrEnum):
    """What "can be placed" means."""

    FINAL = "final"
    """There is a legal final state."""
    REACHABLE = "reachable"
    """Some order of scheduling one pod at a time reaches it."""
    ANY_ORDER = "any-order"
    """Every such order does, whatever feasible node is chosen each time."""


class Answer(StrEnum):
    """The three answers; unknown is never success."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Assignment:
    """``count`` pods of a workload on a node; both are indexes into the problem's tuples."""

    workload: int
    node: int
    count: int


@dataclass(frozen=True, slots=True)
class Placement:
    """A place for pods: in the order of workloads, then nodes; counts are positive.

    It is complete if each workload's counts sum up to the workload's.
    """

    assignments: tuple[Assignment, ...]


class Afterwards(StrEnum):
    """What becomes of a pod that is deleted, for whatever reason."""

    AGAIN = "created-again"
    """Its controller creates it again; one of a daemon, or of a kubelet, for its node."""
    OPEN = "not-known"
    """It has a controller of a kind that is not known here, which may create it again."""
    GONE = "gone"
    """Nobody creates it again."""
    ENDING = "ending"
    """It was terminating already: its replacement is there, or asked for, by now."""


class Eviction(NamedTuple):
    """A pod that has to go: from which node, and for which workload; both are indexes.

    ``afterwards`` is what becomes of it, and ``creator`` who creates it again, or might.
    """

    pod: Pod
    node: int
    workload: int
    afterwards: Afterwards = Afterwards.GONE
    creator: str = ""
