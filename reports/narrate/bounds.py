"""What bounds a rolling update, as facts with the fields that they come from."""

from __future__ import annotations

from typing import NamedTuple

from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.deployment.decision import resolve_fenceposts
from kubelemma.model.components.deployment.owner import rollout_of
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.reports.story import Fact

from .written import Written

_ROLLING = ("spec", "strategy", "rollingUpdate")


class Bounds(NamedTuple):
    """The bounds of a rolling update in pods, and how they come about."""

    replicas: int
    surge: int
    unavailable: int
    facts: tuple[Fact, ...]

    @property
    def most(self) -> int:
        """Pods that all ReplicaSets together may ask for."""
        return self.replicas + self.surge

    @property
    def least(self) -> int:
        """Pods that must stay available."""
        return self.replicas - self.unavailable


def bounds_of(written: Written, workload: Workload, replicas: int, strategy: int) -> Bounds:
    """The bounds of a workload with so many replicas, by the number of its strategy."""
    rollout = rollout_of(workload, strategy)
    # The input has the strategy that is applied: of one before that, no field tells.
    written = written if rollout == workload.rollouts[-1] else Written()
    surge, unavailable = resolve_fenceposts(rollout.max_surge, rollout.max_unavailable, replicas)
    forced = rollout.max_unavailable.scaled(replicas, round_up=False) != unavailable
    how = {
        "maxSurge": _share(rollout.max_surge, replicas, "up"),
        "maxUnavailable": "at least 1, as maxSurge is 0"
        if forced
        else _share(rollout.max_unavailable, replicas, "down"),
    }
    facts = (
        Fact("spec.replicas", str(replicas), written.replicas(workload, replicas)),
        *(
            _bound_fact(written, workload, name, pods, how[name])
            for name, pods in (("maxSurge", surge), ("maxUnavailable", unavailable))
        ),
    )
    return Bounds(replicas, surge, min(unavailable, replicas), facts)


def _share(bound: IntOrPercent, total: int, rounded: str) -> str:
    """How a share comes to pods, such as ``25% of 3, rounded up``; empty for a plain number."""
    if not bound.percent:
        return ""
    exact = bound.number * total % 100 == 0
    return f"{bound} of {total}" + ("" if exact else f", rounded {rounded}")


def _bound_fact(written: Written, workload: Workload, name: str, pods: int, how: str) -> Fact:
    path = (*_ROLLING, name)
    notes = [note for note in (how, "" if written.says(workload, *path) else "by default") if note]
    value = f"{pods} ({'; '.join(notes)})" if notes else str(pods)
    return Fact(name, value, written.at(workload, *path))
