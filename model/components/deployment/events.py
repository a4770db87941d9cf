"""What users do to Deployments, and to what else is rolled out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from kubelemma.model.cluster.events import on_workload
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import DeploymentState, StatefulSetState
from kubelemma.model.cluster.world import Workload, World

from .actions import PAUSE, RESUME, ROLLBACK, ROLLOUT

Rolled: TypeAlias = DeploymentState | StatefulSetState


def _rollout(world: World, event: Event, deployment: Rolled) -> Iterator[tuple[tuple[Rolled], str]]:
    """Apply the next template: every one is a new revision."""
    newest = max((deployment.template, *deployment.known))
    if not deployment.absent and newest + 1 < world.workloads[event.workload].templates:
        yield (deployment._replace(template=newest + 1),), "kubectl apply, or rollout restart"


def _pause(
    _world: World, _event: Event, deployment: DeploymentState
) -> Iterator[tuple[tuple[DeploymentState], str]]:
    if not deployment.paused and not deployment.absent:
        yield (deployment._replace(paused=True),), "kubectl rollout pause"


def _resume(
    _world: World, _event: Event, deployment: DeploymentState
) -> Iterator[tuple[tuple[DeploymentState], str]]:
    if deployment.paused and not deployment.absent:
        yield (deployment._replace(paused=False),), "kubectl rollout resume"


def _rollback(
    _world: World, _event: Event, deployment: Rolled
) -> Iterator[tuple[tuple[Rolled], str]]:
    """``kubectl rollout undo``: back to the second highest revision; refused while paused."""
    history = deployment.known
    if not deployment.paused and len(history) > 1 and history[-2] != deployment.template:
        yield (deployment._replace(template=history[-2]),), "kubectl rollout undo"


def _cells(workload: Workload) -> tuple[str, ...]:
    return (workload.cell,)


EVENTS = (
    on_workload(ROLLOUT, _rollout, _cells),
    on_workload(PAUSE, _pause, _cells),
    on_workload(RESUME, _resume, _cells),
    on_workload(ROLLBACK, _rollback, _cells),
)
