"""What is observed, of a recorded run and of a state of the model alike, and what changed in it.

A write is *visible* if it changes the observation. All else (conditions, heartbeats, the status of
a Deployment) is beyond what the model tells apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple, TypeAlias


class Stage(IntEnum):
    """Where a pod on a node stands, as far as anybody can see."""

    ASSIGNED = 0
    """Bound; its phase is Pending."""
    UNREADY = 1
    """Running, but not Ready."""
    READY = 2
    """Ready, whether or not for ``minReadySeconds``."""
    TERMINATING = 3
    """Deleted, but still there."""


class SetSeen(NamedTuple):
    """A ReplicaSet. ``revision`` is its rank among those of its Deployment."""

    template: int
    revision: int
    replicas: int
    desired: int
    maximum: int
    available: int
    counted: int
    """``status.replicas``; 0 where the model does not keep it."""


class OwnerSeen(NamedTuple):
    """An owner of pods with its ReplicaSets, by template; absent ones are paused and empty.

    One that has none is its only ReplicaSet itself. ``current`` is the template of the current
    revision in the status of a StatefulSet; -1 where there is none.
    """

    replicas: int
    template: int
    paused: bool
    sets: tuple[SetSeen, ...]
    current: int = -1


class QueueSeen(NamedTuple):
    """How many pods of each class of a member have no node."""

    pending: tuple[int, ...]


class NodeSeen(NamedTuple):
    """A node: its Ready condition, its taints, and (class, stage, number) of the pods on it."""

    ready: bool
    tainted: bool
    evicting: bool
    cordoned: bool
    out_of_service: bool
    pods: tuple[tuple[int, int, int], ...]


class BudgetSeen(NamedTuple):
    """The status of a disruption budget, in pods."""

    expected: int
    healthy: int
    needed: int
    """``status.desiredHealthy``."""
    allowed: int


Part: TypeAlias = OwnerSeen | QueueSeen | NodeSeen | BudgetSeen

Seen: TypeAlias = Mapping[str, Part]
"""The parts of an observation, by the names of what they are about."""


class Change(NamedTuple):
    """One thing that a write changed: of which part, what, and from what to what.

    ``moves`` are pods that came (positive) or went; other things have their old and new value.
    """

    part: str
    what: tuple[str | int, ...]
    old: object
    new: object

    def alike(self, other: Change) -> bool:
        """Whether two changes write the same, whatever was there before.

        What is counted is written as a difference, all else as a value.
        """
        if (self.part, self.what) != (other.part, other.what):
            return False
        if self.what[0] in COUNTED:
            return self.rise == other.rise
        return self.new == other.new

    @property
    def rise(self) -> int:
        """By how many what is counted has grown."""
        if isinstance(self.old, int) and isinstance(self.new, int):
            return self.new - self.old
        return 0


COUNTED = ("pods", "pending")
"""What a write changes by so many, whatever the number is."""


def changes(before: Seen, after: Seen) -> tuple[Change, ...]:
    """What differs, in the order of the parts; a part that only one of them has is left out."""
    return tuple(
        change
        for name, part in before.items()
        if name in after and part != after[name]
        for change in _of_part(name, part, after[name])
    )


def same(first: tuple[Change, ...], second: tuple[Change, ...]) -> bool:
    """Whether two writes do the same."""
    return len(first) == len(second) and all(
        a.alike(b) for a, b in zip(sorted(first, key=_key), sorted(second, key=_key), strict=True)
    )


def distance(first: tuple[Change, ...], second: tuple[Change, ...]) -> int:
    """How many changes only one of two writes makes."""
    left = list(second)
    common = 0
    for change in first:
        match = next((other for other in left if change.alike(other)), None)
        if match is not None:
            left.remove(match)
            common += 1
    return len(first) + len(second) - 2 * common


def _key(change: Change) -> tuple[str, str]:
    return change.part, repr(change.what)


def _of_part(name: str, before: Part, after: Part) -> Iterator[Change]:
    if isinstance(before, OwnerSeen) and isinstance(after, OwnerSeen):
        yield from _of_fields(name, ("replicas", "template", "paused", "current"), before, after)
        yield from _of_sets(name, before, after)
    elif isinstance(before, QueueSeen) and isinstance(after, QueueSeen):
        for slot, (old, new) in enumerate(zip(before.pending, after.pending, strict=True)):
            if old != new:
                yield Change(name, ("pending", slot), old, new)
    elif isinstance(before, NodeSeen) and isinstance(after, NodeSeen):
        fields = ("ready", "tainted", "evicting", "cordoned", "out_of_service")
        yield from _of_fields(name, fields, before, after)
        yield from _of_pods(name, before, after)
    elif isinstance(before, BudgetSeen) and isinstance(after, BudgetSeen):
        yield from _of_fields(name, BudgetSeen._fields, before, after)


def _of_fields(name: str, fields: tuple[str, ...], before: Part, after: Part) -> Iterator[Change]:
    for field in fields:
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            yield Change(name, (field,), old, new)


def _of_sets(name: str, before: OwnerSeen, after: OwnerSeen) -> Iterator[Change]:
    old = {s.template: s for s in before.sets}
    new = {s.template: s for s in after.sets}
    for template in sorted(old.keys() | new.keys()):
        here, there = old.get(template), new.get(template)
        if here is None or there is None:
            yield Change(name, ("set", template, "exists"), here, there)
            continue
        for field in SetSeen._fields:
            if getattr(here, field) != getattr(there, field):
                what = ("set", template, field)
                yield Change(name, what, getattr(here, field), getattr(there, field))


def _of_pods(name: str, before: NodeSeen, after: NodeSeen) -> Iterator[Change]:
    old = Counter({(c, stage): n for c, stage, n in before.pods})
    new = Counter({(c, stage): n for c, stage, n in after.pods})
    for pod_class, stage in sorted(old.keys() | new.keys()):
        key = (pod_class, stage)
        if old[key] != new[key]:
            yield Change(name, ("pods", *key), old[key], new[key])
