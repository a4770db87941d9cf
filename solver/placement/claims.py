"""What the claims of workloads mean for where their pods may go.

Volumes that wait for their first consumer are looked at one pod at a time: whether two pods want
the same free volume is left to the checker. If it refuses a placement the answer is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kubelemma.model.components.scheduler.decision.volumes import (
    Asked,
    Handle,
    Shelf,
    filter_binding,
    filter_zone,
    handles,
    pre_filter,
    users_of,
)
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .facts import Bools, Ints
from .problem import Problem

UNLIMITED = 2**40


@dataclass(slots=True, eq=False)
class Claims:
    """``masks`` by workload are the nodes from which its volumes can be reached or made.

    ``exclusive`` gives by claim the workloads of whose pods only one may exist. ``attached`` are
    the volumes of limited drivers that a pod of the workload needs, ``slots`` how many more of a
    driver each node takes, ``there`` on which nodes a volume is attached already.
    """

    masks: dict[int, Bools] = field(default_factory=dict)
    exclusive: dict[str, list[int]] = field(default_factory=dict)
    attached: dict[int, frozenset[Handle]] = field(default_factory=dict)
    slots: dict[str, Ints] = field(default_factory=dict)
    there: dict[Handle, Bools] = field(default_factory=dict)


def read_claims(problem: Problem, pods: Sequence[Pod], placed: Sequence[int]) -> Claims:
    """The claims of the workloads' pods; ``placed`` are the nodes of the existing pods."""
    found = Claims()
    concerned = [w for w, pod in enumerate(pods) if _claims(pod)]
    if not concerned:
        return found
    shelf = Shelf(problem.cluster.storage)
    nodes = problem.cluster.nodes
    users = users_of((p for p in problem.cluster.pods if _claims(p)), shelf)
    asked = {w: pre_filter(pods[w], shelf) for w in concerned}
    for w, wanted in asked.items():
        found.masks[w] = _reachable(wanted, nodes, shelf)
        for key in sorted(wanted.exclusive):
            found.exclusive.setdefault(f"claim {key[0]}/{key[1]}", []).append(w)
            if users.get(key):
                found.masks[w] = np.zeros(len(nodes), dtype=np.bool_)
    _read_limits(found, problem, asked, placed, shelf)
    return found


def _claims(pod: Pod) -> bool:
    return any(
        v.persistent_volume_claim is not None or v.ephemeral is not None
        for v in pod.spec.volumes or ()
    )


def _reachable(asked: Asked, nodes: Sequence[Node], shelf: Shelf) -> Bools:
    if asked.rejection is not None:
        return np.zeros(len(nodes), dtype=np.bool_)
    return np.array(
        [
            filter_binding(asked, node, shelf).ok and filter_zone(asked, node, shelf).ok
            for node in nodes
        ],
        dtype=np.bool_,
    )


def _read_limits(
    found: Claims,
    problem: Problem,
    asked: Mapping[int, Asked],
    placed: Sequence[int],
    shelf: Shelf,
) -> None:
    nodes = problem.cluster.nodes
    limited = {driver for limits in shelf.limits.values() for driver in limits}
    wanted = {w: frozenset(h for h in a.handles if h[0] in limited) for w, a in asked.items()}
    found.attached = {w: handles_ for w, handles_ in wanted.items() if handles_}
    if not found.attached:
        return
    for driver in limited:
        found.slots[driver] = np.array(
            [shelf.limits.get(n.metadata.name, {}).get(driver, UNLIMITED) for n in nodes],
            dtype=np.int64,
        )
    for node, pod in zip(placed, problem.cluster.pods, strict=True):
        for handle in handles(pod, shelf) if _claims(pod) else ():
            there = found.there.setdefault(handle, np.zeros(len(nodes), dtype=np.bool_))
            if not there[node] and handle[0] in limited:
                found.slots[handle[0]][node] -= 1
            there[node] = True
    for w, volumes in found.attached.items():
        found.masks[w] = found.masks[w] & attachable(found, volumes)


def attachable(claims: Claims, volumes: frozenset[Handle]) -> Bools:
    """The nodes that can take all these volumes, beside what existing pods use."""
    ok = None
    for driver, slots in claims.slots.items():
        needed = np.zeros(len(slots), dtype=np.int64)
        for handle in volumes:
            if handle[0] == driver:
                there = claims.there.get(handle)
                needed += 1 if there is None else ~there
        fits = (needed == 0) | (needed <= slots)
        ok = fits if ok is None else ok & fits
    return np.ones(0, dtype=np.bool_) if ok is None else ok
