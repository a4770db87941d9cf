"""What a Deployment is to a scenario: an owner of pods, by way of ReplicaSets."""

from __future__ import annotations

import msgspec

from kubelemma.model.cluster.owners import EVENTS, OwnerKind, revision_hash, stamped
from kubelemma.model.cluster.state import DeploymentState, OwnerState, SetState
from kubelemma.model.cluster.world import Rollout, Workload
from kubelemma.model.objects.meta import LabelSelector, OwnerReference
from kubelemma.model.objects.pod import Pod, PodTemplateSpec
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.objects.workloads import Deployment

from .decision import resolve_fenceposts

HASH = "pod-template-hash"
DEFAULT_BOUND = IntOrPercent(25, percent=True)
DEFAULT_HISTORY = 10


def rollout_of(workload: Workload) -> Rollout:
    """How a workload is rolled out.

    Raises:
        TypeError: it never is.
    """
    if workload.rollout is None:
        raise TypeError(f"{workload.cell} is never rolled out")
    return workload.rollout


def _replicas(deployment: Deployment) -> int:
    return deployment.spec.replicas or 0


def _template(deployment: Deployment) -> PodTemplateSpec:
    return deployment.spec.template


def _min_ready_seconds(deployment: Deployment) -> int:
    return deployment.spec.min_ready_seconds


def _pod(deployment: Deployment, template: int) -> Pod:
    """All templates of a scenario are the user's, told apart by their hash.

    So they are after ``kubectl rollout restart`` or a new image.
    """
    source = deployment.spec.template
    labels = {**source.metadata.label_map(), HASH: revision_hash(template)}
    name = f"{deployment.metadata.name}-{revision_hash(template)}"
    owner = OwnerReference(kind="ReplicaSet", name=name, controller=True)
    return stamped(source, deployment.metadata.namespace, labels, owner)


def _selector(deployment: Deployment, template: int) -> LabelSelector:
    selector = deployment.spec.selector or LabelSelector()
    wanted = {**(selector.match_labels or {}), HASH: revision_hash(template)}
    return msgspec.structs.replace(selector, match_labels=wanted)


def _rollout(deployment: Deployment) -> Rollout:
    strategy, limit = deployment.spec.strategy, deployment.spec.revision_history_limit
    rolling = strategy.rolling_update
    return Rollout(
        recreate=strategy.type == "Recreate",
        max_surge=(rolling and rolling.max_surge) or DEFAULT_BOUND,
        max_unavailable=(rolling and rolling.max_unavailable) or DEFAULT_BOUND,
        revision_history_limit=DEFAULT_HISTORY if limit is None else limit,
    )


def _surge(deployment: Deployment) -> int:
    return _most_surplus(_rollout(deployment), _replicas(deployment))


def _most_surplus(rollout: Rollout, replicas: int) -> int:
    if rollout.recreate:
        return 0
    return resolve_fenceposts(rollout.max_surge, rollout.max_unavailable, replicas)[0]


def _start(workload: Workload, deployment: Deployment, available: int) -> DeploymentState:
    """Everything is rolled out: one ReplicaSet, of the template in the spec."""
    replicas = _replicas(deployment)
    only = SetState(
        template=0,
        revision=1,
        replicas=replicas,
        desired=replicas,
        maximum=replicas + _most_surplus(rollout_of(workload), replicas),
        status_replicas=replicas if workload.status_replicas_matter else 0,
        status_available=available,
    )
    return DeploymentState(replicas, 0, deployment.spec.paused, (only,))


def _says(workload: Workload, state: OwnerState) -> tuple[str, ...]:
    rollout = rollout_of(workload)
    strategy = (
        ("Recreate",)
        if rollout.recreate
        else (f"maxSurge {rollout.max_surge}", f"maxUnavailable {rollout.max_unavailable}")
    )
    return (*(("paused",) if state.paused else ()), *strategy)


def _reaches(deployment: Deployment) -> LabelSelector | None:
    """Its pods are those of ReplicaSets, whose names are anybody's guess."""
    return deployment.spec.selector


OWNER = OwnerKind(
    kind="Deployment",
    type=Deployment,
    replicas=_replicas,
    template=_template,
    min_ready_seconds=_min_ready_seconds,
    pod=_pod,
    selector=_selector,
    start=_start,
    says=_says,
    rollout=_rollout,
    surge=_surge,
    through="ReplicaSet",
    reaches=_reaches,
    events=EVENTS | {"rollout", "pause", "resume", "rollback"},
)
