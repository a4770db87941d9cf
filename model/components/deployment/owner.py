"""What a Deployment is to a scenario: an owner of pods, by way of ReplicaSets."""

from __future__ import annotations

import msgspec

from kubelemma.model.cluster.owners import (
    EVENTS,
    OwnerKind,
    Part,
    Through,
    revision_hash,
    stamped,
)
from kubelemma.model.cluster.state import DeploymentState, OwnerState, SetState
from kubelemma.model.cluster.world import Rollout, Workload
from kubelemma.model.objects.meta import LabelSelector, OwnerReference
from kubelemma.model.objects.pod import Pod, PodSpec, PodTemplateSpec
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.objects.workloads import (
    DESIRED,
    MAXIMUM,
    REVISION,
    Deployment,
    ReplicaSet,
)

from .decision import resolve_fenceposts

HASH = "pod-template-hash"
DEFAULT_BOUND = IntOrPercent(25, percent=True)
DEFAULT_HISTORY = 10


def rollout_of(workload: Workload, strategy: int) -> Rollout:
    """How a workload is rolled out, by the number that its Deployment has of that.

    Raises:
        TypeError: it never is.
    """
    if workload.rollout is None:
        raise TypeError(f"{workload.cell} is never rolled out")
    return workload.rollouts[strategy]


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


def _start(
    workload: Workload, deployment: Deployment, current: int, parts: tuple[Part, ...]
) -> DeploymentState:
    """The Deployment with its ReplicaSets, the oldest first; their revisions are dense ranks.

    Without any it is not there yet: until it is applied it asks for nothing.
    """
    if not parts:
        return DeploymentState(replicas=0, template=0, paused=True, sets=())
    by_age = sorted(parts, key=lambda part: (_revision(part), part.template))
    rank = {part.template: place for place, part in enumerate(by_age, 1)}
    sets = tuple(_set(workload, deployment, part, rank[part.template]) for part in parts)
    return DeploymentState(_replicas(deployment), current, deployment.spec.paused, sets)


def _revision(part: Part) -> float:
    """One that the input does not have is taken to be as old as its place says."""
    return _annotated(part.made, REVISION, part.template + 1)


def _set(workload: Workload, deployment: Deployment, part: Part, revision: int) -> SetState:
    """A ReplicaSet as the input has it; what it does not say is as if nothing was under way."""
    replicas = _replicas(deployment)
    most = replicas + _most_surplus(rollout_of(workload, 0), replicas)
    counted, available = part.active, part.available
    made: ReplicaSet | None = part.made
    if made is not None and made.status != type(made.status)():
        counted, available = made.status.replicas, made.status.available_replicas
    return SetState(
        template=part.template,
        revision=revision,
        replicas=part.replicas,
        desired=_annotated(made, DESIRED, replicas),
        maximum=_annotated(made, MAXIMUM, most),
        status_replicas=counted if workload.status_replicas_matter else 0,
        status_available=available,
    )


def _annotated(made: ReplicaSet | Deployment | None, name: str, default: int) -> int:
    """A number in an annotation; the default where there is none.

    Source: pkg/controller/deployment/util/deployment_util.go, ``getIntFromAnnotation``.
    """
    given = made.metadata.annotation_map().get(name, "") if made is not None else ""
    return int(given) if given.isdecimal() else default


def _says(workload: Workload, state: OwnerState) -> tuple[str, ...]:
    number = state.strategy if isinstance(state, DeploymentState) else 0
    rollout = rollout_of(workload, number)
    strategy = (
        ("Recreate",)
        if rollout.recreate
        else (f"maxSurge {rollout.max_surge}", f"maxUnavailable {rollout.max_unavailable}")
    )
    return (*(("paused",) if state.paused and not state.absent else ()), *strategy)


def _reaches(deployment: Deployment) -> LabelSelector | None:
    """Its pods are those of ReplicaSets, whose names are anybody's guess."""
    return deployment.spec.selector


def _age(made: ReplicaSet) -> tuple[int, str, str]:
    created = made.metadata.creation_timestamp or ""
    return (_annotated(made, REVISION, 0), created, made.metadata.name)


def _pod_of(made: ReplicaSet) -> Pod:
    labels = dict(made.spec.template.metadata.label_map())
    owner = OwnerReference(kind="ReplicaSet", name=made.metadata.name, controller=True)
    return stamped(made.spec.template, made.metadata.namespace, labels, owner)


def _made_from(deployment: Deployment, found: ReplicaSet | Pod) -> bool:
    """Whether a ReplicaSet has, or a pod is of, the template in the spec.

    Source: pkg/controller/deployment/util/deployment_util.go, ``EqualIgnoreHash``.
    """
    if isinstance(found, Pod):
        labels = dict(found.metadata.label_map())
        source, namespace = deployment.spec.template, deployment.metadata.namespace
        like = stamped(source, namespace, labels, OwnerReference())
        wanted = source.metadata.label_map().items()
        return wanted <= labels.items() and _essence(found.spec) == _essence(like.spec)
    return same_template(found.spec.template, deployment.spec.template)


def _marked(deployment: Deployment, found: ReplicaSet) -> bool:
    """Templates may differ in what is not read here; the revision is a sync behind the spec."""
    given = _annotated(deployment, REVISION, 0)
    return not given or _annotated(found, REVISION, given) == given


def _settled(deployment: Deployment) -> bool:
    """Whether its controller has seen its spec, and counts all pods as updated."""
    status = deployment.status
    seen = status.observed_generation >= deployment.metadata.generation
    return seen and 0 < status.replicas == status.updated_replicas


def _otherwise(deployment: Deployment) -> str:
    """What its status counts, where that are not as many updated and available pods as it wants."""
    status, wanted = deployment.status, _replicas(deployment)
    counts = (status.replicas, status.updated_replicas, status.available_replicas)
    if not status.replicas or counts == (wanted,) * len(counts):
        return ""
    return f"{status.replicas} pods, of which {counts[1]} updated and {counts[2]} available"


def same_template(one: PodTemplateSpec, other: PodTemplateSpec) -> bool:
    """Whether two templates differ in nothing but the hash, as far as they are read."""
    labels, others = ({**t.metadata.label_map(), HASH: ""} for t in (one, other))
    return labels == others and _essence(one.spec) == _essence(other.spec)


def _essence(spec: PodSpec) -> tuple[object, ...]:
    """What of a pod comes from its template: the API server and admission add other things."""
    containers = (*(spec.init_containers or ()), *(spec.containers or ()))
    return (
        tuple((c.name, c.image, c.resources, c.ports or (), c.restart_policy) for c in containers),
        spec.node_selector or {},
        spec.affinity,
        spec.topology_spread_constraints or (),
        spec.host_network,
        spec.priority_class_name,
        spec.scheduler_name,
    )


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
    through=Through("ReplicaSet", _age, _pod_of, _made_from, _marked, _settled),
    reaches=_reaches,
    otherwise=_otherwise,
    events=EVENTS | {"rollout", "pause", "resume", "rollback"},
)
