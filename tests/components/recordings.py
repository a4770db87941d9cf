"""Recorded runs of a real control plane as histories, and what decisions read of their objects."""

from __future__ import annotations

import gzip
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from kubelemma.model.components.disruption.budget import Budget, covers, stored_budget
from kubelemma.model.components.disruption.decision import MatchedPod, Workload, Workloads
from kubelemma.model.components.eviction.decision import EvictedPod
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget

Line: TypeAlias = dict[str, Any]
Objects: TypeAlias = Mapping[str, Line]


@dataclass(slots=True)
class History:
    """What a run has written: the objects of some kinds after each of its writes.

    ``moments[n]`` is after the write of revision ``revisions[n]``; the first is before all.
    """

    name: str
    lines: list[Line] = field(default_factory=list)
    revisions: list[int] = field(default_factory=lambda: [0])
    moments: list[Objects] = field(default_factory=lambda: [{}])

    def before(self, revision: int) -> Iterator[Objects]:
        """The objects as a cache may have shown them before a write, the newest first."""
        return reversed(self.moments[: bisect_right(self.revisions, revision - 1)])

    def between(self, start: float, end: float) -> list[Objects]:
        """The objects as a request may have read them that was on its way so long."""
        times = [-1.0, *(line["t"] for line in self.lines if line["src"] == "watch")]
        last = max(n for n, t in enumerate(times) if t <= start)
        return [self.moments[n] for n, t in enumerate(times) if n >= last and t <= end]


def history(path: Path, kinds: frozenset[str]) -> History:
    """Read a run, with the writes of these kinds."""
    found = History(path.name.removesuffix(".jsonl.gz"))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for text in lines:
            line = json.loads(text)
            if line["src"] != "watch":
                found.lines.append(line)
            elif line["kind"] in kinds:
                found.lines.append(line)
                found.revisions.append(line["rv"])
                objects = dict(found.moments[-1])
                if line["type"] == "DELETED":
                    objects.pop(line["uid"], None)
                else:
                    objects[line["uid"]] = {"kind": line["kind"], **line["object"]}
                found.moments.append(objects)
    return found


SCALED = frozenset(("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"))
UNSCALED = frozenset(("DaemonSet", "Job"))


def budget_of(raw: Line) -> Budget:
    """A budget as it is stored."""
    return stored_budget(decode(raw, PodDisruptionBudget))


def is_covered(budget: PodDisruptionBudget, pod: Line) -> bool:
    """Whether the budget is about the pod."""
    metadata = pod["metadata"]
    same = metadata["namespace"] == budget.metadata.namespace
    return same and covers(budget.spec.selector, metadata.get("labels") or {})


def is_ready(pod: Line) -> bool:
    """Whether the condition Ready is True."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def matched_pod(pod: Line) -> MatchedPod:
    """What a sync of a budget reads of a pod."""
    metadata = pod["metadata"]
    terminating = "deletionTimestamp" in metadata
    return MatchedPod(metadata["name"], is_ready(pod), terminating, controller(metadata))


def evicted_pod(pod: Line) -> EvictedPod:
    """What an eviction reads of a pod."""
    phase = pod.get("status", {}).get("phase", "")
    return EvictedPod(phase, is_ready(pod), "deletionTimestamp" in pod["metadata"])


def workload(raw: Line) -> Workload:
    """What a sync of a budget reads of a workload that has a scale."""
    return Workload(raw["spec"].get("replicas", 1), controller(raw["metadata"], "Deployment"))


def workloads(objects: Objects) -> Workloads:
    """What a sync of a budget can find of all that controls pods."""
    scaled = {uid: workload(raw) for uid, raw in objects.items() if raw["kind"] in SCALED}
    unscaled = {uid: Workload(None) for uid, raw in objects.items() if raw["kind"] in UNSCALED}
    return {**scaled, **unscaled}


def controller(owned: Line, kind: str | None = None) -> str | None:
    """The UID of the controlling owner, if it is of the kind."""
    owners = owned.get("ownerReferences") or ()
    return next(
        (o["uid"] for o in owners if o.get("controller") and kind in (None, o["kind"])), None
    )
