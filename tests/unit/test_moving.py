"""How many pods may move at once, and which nodes may be lost."""

from __future__ import annotations

from typing import Any

import pytest

from kubelemma.model.manifests.check import (
    EventEntry,
    Relabel,
    Rollout,
    Scale,
)
from kubelemma.model.manifests.machines import (
    Cordon,
    Drain,
    NodeCrash,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario.application import Application
from kubelemma.model.scenario.crowding import Lost
from kubelemma.model.scenario.events import Change
from kubelemma.model.scenario.moving import lost_by, movers_of
from kubelemma.model.scenario.start import place_all


def deployment(replicas: int) -> Deployment:
    """One whose rollouts have half as many pods more."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    spec: dict[str, Any] = {
        "replicas": replicas,
        "strategy": {"rollingUpdate": {"maxSurge": "50%"}},
        "selector": {"matchLabels": {"app": "web"}},
        "template": template,
    }
    return decode({"metadata": {"name": "web", "namespace": "default"}, "spec": spec}, Deployment)


NODES = (decode({"metadata": {"name": "n"}, "status": {"allocatable": {"pods": "9"}}}, Node),)


def most(change: Change | None, *entries: EventEntry) -> int:
    """How many pods a Deployment of four may have at once."""
    changes = () if change is None else (change,)
    there = Application(owners=(deployment(4),), nodes=NODES, changes=changes)
    placement = place_all(there.given(nodes_known=True), NODES, ())
    (mover,) = movers_of(there, placement, entries, there.owners)
    return mover.most


@pytest.mark.parametrize(
    ("expected", "entries"),
    [
        (4, ()),
        (4, (EventEntry(drain=Drain()), EventEntry(rollout=Rollout(workload="db")))),
        (6, (EventEntry(rollout=Rollout()),)),
        (8, (EventEntry(scale=Scale(replicas=8)),)),
        (4, (EventEntry(scale=Scale(replicas=1)),)),
        (12, (EventEntry(scale=Scale(replicas=8)), EventEntry(rollout=Rollout(workload="web")))),
        (6, (EventEntry(relabel=Relabel(max=2)),)),
    ],
)
def test_as_many_as_events_make(expected: int, entries: tuple[EventEntry, ...]) -> None:
    """Replicas, a surge where there is a rollout, and those that are released."""
    assert most(None, *entries) == expected


@pytest.mark.parametrize(("replicas", "expected"), [(8, 12), (2, 6)])
def test_before_and_after_a_change(replicas: int, expected: int) -> None:
    """The larger of both counts."""
    owner = deployment(replicas)
    assert most(Change(owner, rolls=True, replicas=replicas, appears=False, fields="")) == expected
    gone = Change(deployment(9), rolls=False, replicas=0, appears=False, fields="", goes=True)
    assert most(gone) == 6


def test_all_events_that_take_nodes_away_count_together() -> None:
    """So many of any, and those that are named."""
    drains = EventEntry(drain=Drain(max=2)), EventEntry(drain=Drain(node="n1"))
    entries = (*drains, EventEntry(node_crash=NodeCrash()), EventEntry(cordon=Cordon(node="n2")))
    assert lost_by(entries) == Lost(3, frozenset({"n1", "n2"}))
    assert not lost_by([EventEntry(rollout=Rollout())])
