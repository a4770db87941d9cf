"""Where in the input a step comes from: the event that allows it, or the field that decides it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from kubelemma.model.manifests.problems import Position
from kubelemma.model.scenario.events import NAMES
from kubelemma.reports.story import Fact, NodeReview

from .facts import Scene

_CAUSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{action: (name,) for name, action in NAMES.items()},
        "node-return": ("nodeReturn", "nodeCrash"),
        "uncordon": ("uncordon", "cordon", "drain"),
        "drain-delete": ("drain",),
    }
)
"""The events of a Check that allow an action, the most telling first."""


def place(scene: Scene, facts: Iterable[Fact], reviews: Iterable[NodeReview]) -> Position | None:
    """The field of the input behind a step; None where none is, or it is not known."""
    if scene.step.environment:
        return _event(scene)
    places = {fact.name: fact.position for fact in facts if fact.position is not None}
    decisive = places.get(_bound(scene))
    filtered = (review.position for review in reviews if review.position is not None)
    return decisive or next(filtered, None) or next(iter(places.values()), None)


def _bound(scene: Scene) -> str:
    """The bound that lets a ReplicaSet grow, or shrink."""
    if scene.workload is None or scene.template < 0:
        return ""
    growing = scene.template == scene.deployment(scene.workload).template
    return "maxSurge" if growing else "maxUnavailable"


def _event(scene: Scene) -> Position | None:
    action = scene.step.outcome.action
    if action in ("controller-restart", "api-server-outage"):
        return scene.written.faults()
    wanted: dict[str, tuple[object, ...]] = {}
    if scene.workload is not None:
        workload = scene.workload
        wanted["deployment"] = (workload.name, f"{workload.namespace}/{workload.name}")
        position = scene.scenario.system.positions[workload.cell].start
        wanted["replicas"] = (scene.step.state[position].replicas,)
    if scene.node is not None:
        wanted["node"] = (scene.node[0], "")
    return scene.written.event(_CAUSES.get(action, ()), **wanted)
