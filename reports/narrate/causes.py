"""Where the input allows what users and faults do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from kubelemma.model.manifests.check import namings
from kubelemma.model.manifests.problems import Position

from .scene import Scene

Cause: TypeAlias = Callable[[Scene], Position | None]


def event(*kinds: str) -> Cause:
    """An event of the Check of one of these kinds, the most telling first."""
    return partial(_event, kinds)


def _event(kinds: tuple[str, ...], scene: Scene) -> Position | None:
    """An event that names something must name what the step is about."""
    wanted: dict[str, tuple[object, ...]] = {}
    if scene.workload is not None:
        workload = scene.workload
        wanted.update(namings(workload.kind, workload.namespace, workload.name))
        wanted["replicas"] = (scene.after.owner(workload).replicas,)
    named = str(dict(scene.step.outcome.arguments).get("object", ""))
    if named:
        wanted["name"] = (named.rpartition("/")[2],)
    if scene.node is not None:
        wanted["node"] = (scene.node[0], "")
    return scene.written.event(kinds, **wanted)


def given(field: str) -> Cause:
    """A field of the Check."""
    return lambda scene: scene.written.given(field)


faults = given("faults")
"""The faults that the Check names."""
