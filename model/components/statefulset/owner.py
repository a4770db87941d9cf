"""What a StatefulSet is to a scenario: an owner of pods that have an identity."""

from __future__ import annotations

from msgspec.structs import replace

from kubelemma.model.cluster.owners import (
    EVENTS,
    OwnerKind,
    Part,
    ordinal_of,
    revision_hash,
    stamped,
)
from kubelemma.model.cluster.state import OwnerState, StatefulSetState
from kubelemma.model.cluster.world import Updates, Workload
from kubelemma.model.objects.controllers import StatefulSet
from kubelemma.model.objects.meta import LabelSelector, OwnerReference
from kubelemma.model.objects.pod import Pod, PodTemplateSpec
from kubelemma.model.objects.storage import PersistentVolumeClaim
from kubelemma.model.objects.volume import (
    PersistentVolumeClaimTemplate,
    PersistentVolumeClaimVolumeSource,
    Volume,
)

REVISION = "controller-revision-hash"
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"

DEFAULT_HISTORY = 10


def _replicas(owner: StatefulSet) -> int:
    return owner.spec.replicas or 0


def _template(owner: StatefulSet) -> PodTemplateSpec:
    return owner.spec.template


def _min_ready_seconds(owner: StatefulSet) -> int:
    return owner.spec.min_ready_seconds


def _pod(owner: StatefulSet, template: int) -> Pod:
    """All templates of a scenario are the user's, told apart by their revision."""
    source, name = owner.spec.template, owner.metadata.name
    reference = OwnerReference(
        kind="StatefulSet", name=name, uid=owner.metadata.uid, controller=True
    )
    revision = f"{name}-{revision_hash(template)}"
    labels = {**source.metadata.label_map(), REVISION: revision}
    return stamped(source, owner.metadata.namespace, labels, reference)


def _identified(owner: StatefulSet, pod: Pod, ordinal: int) -> Pod:
    """The pod with the labels and volumes that its ordinal asks for.

    Source: pkg/controller/statefulset/stateful_set_utils.go, ``updateIdentity``, ``updateStorage``.
    """
    own = {POD_NAME: f"{owner.metadata.name}-{ordinal}", POD_INDEX: str(ordinal)}
    labels = {**pod.metadata.label_map(), **own}
    labelled = replace(pod, metadata=replace(pod.metadata, labels=labels))
    claimed = {
        template.metadata.name: claim_name(template, owner, ordinal)
        for template in owner.spec.volume_claim_templates or ()
    }
    if not claimed:
        return labelled
    others = (volume for volume in pod.spec.volumes or () if volume.name not in claimed)
    volumes = (
        Volume(
            name=name,
            persistent_volume_claim=PersistentVolumeClaimVolumeSource(claim_name=claim),
        )
        for name, claim in claimed.items()
    )
    return replace(labelled, spec=replace(pod.spec, volumes=(*volumes, *others)))


def claim_name(template: PersistentVolumeClaimTemplate, owner: StatefulSet, ordinal: int) -> str:
    """``getPersistentVolumeClaimName``: of the template, the set and the ordinal."""
    return f"{template.metadata.name}-{owner.metadata.name}-{ordinal}"


def _claims(owner: StatefulSet, ordinal: int) -> tuple[PersistentVolumeClaim, ...]:
    """One of each template; of two templates of one name the last counts."""
    found = {
        name: PersistentVolumeClaim(
            metadata=replace(
                template.metadata, name=name, namespace=owner.metadata.namespace, uid=""
            ),
            spec=template.spec,
        )
        for template in owner.spec.volume_claim_templates or ()
        for name in (claim_name(template, owner, ordinal),)
    }
    return tuple(found.values())


def _revision(owner: StatefulSet, pod: Pod) -> str:
    """By its label, where that is not what the status calls the update revision."""
    own, newest = pod.metadata.label_map().get(REVISION, ""), owner.status.update_revision
    return own if newest and own != newest else ""


def _adopts(owner: StatefulSet, pod: Pod) -> bool:
    """Whether its selector matches a pod that nobody controls, and its name the pod's.

    Source: pkg/controller/statefulset/stateful_set.go, ``getPodsForStatefulSet``.
    """
    named = ordinal_of(pod.metadata.name, owner.metadata.name) >= 0
    selector, going = owner.spec.selector, pod.metadata.deletion_timestamp is not None
    matches = selector is not None and selector.matches(pod.metadata.label_map())
    return named and matches and not going


def _selector(owner: StatefulSet, _template: int) -> LabelSelector:
    return owner.spec.selector or LabelSelector()


def _updates(owner: StatefulSet) -> Updates:
    spec, strategy = owner.spec, owner.spec.update_strategy
    rolling, limit = strategy.rolling_update, spec.revision_history_limit
    partition = rolling.partition if rolling is not None else None
    if strategy.type == "" or (rolling is not None and partition is None):
        partition = partition or 0
    retention = spec.persistent_volume_claim_retention_policy
    deletes = retention is not None and retention.when_scaled == "Delete"
    return Updates(
        ordered=spec.pod_management_policy != "Parallel",
        on_delete=strategy.type == "OnDelete",
        partition=partition,
        max_unavailable=rolling.max_unavailable if rolling is not None else None,
        start=spec.ordinals.start,
        revision_history_limit=DEFAULT_HISTORY if limit is None else limit,
        deletes_claims=deletes and bool(spec.volume_claim_templates),
    )


def reads_current_replicas(workload: Workload) -> bool:
    """Whether ``status.currentReplicas`` decides of which revision pods are made."""
    return any(each.partition is None and not each.on_delete for each in workload.updates)


def _start(
    workload: Workload, owner: StatefulSet, current: int, parts: tuple[Part, ...]
) -> StatefulSetState:
    """The set with a revision for each template; the current one is the first of several.

    Without any it is not there yet.
    """
    if not parts:
        return StatefulSetState(-1, 0, 0, ())
    revisions = tuple(sorted((part.template for part in parts), key=lambda t: (t == current, t)))
    status, first = owner.status, revisions[0]
    done = not status.current_revision or status.current_revision == status.update_revision
    now = current if done else first
    counted = sum(part.active for part in parts if part.template == now)
    said = status.current_replicas if status.current_revision else counted
    kept = said if reads_current_replicas(workload) else 0
    return StatefulSetState(_replicas(owner), current, now, revisions, kept)


def _says(workload: Workload, state: OwnerState) -> tuple[str, ...]:
    number = state.strategy if isinstance(state, StatefulSetState) else 0
    updates = workload.updates[number]
    policy = "OrderedReady" if updates.ordered else "Parallel"
    if updates.on_delete:
        return (policy, "OnDelete")
    partition = (f"partition {updates.partition}",) if updates.partition else ()
    return (policy, *partition)


OWNER = OwnerKind(
    kind="StatefulSet",
    type=StatefulSet,
    replicas=_replicas,
    template=_template,
    min_ready_seconds=_min_ready_seconds,
    pod=_pod,
    selector=_selector,
    start=_start,
    says=_says,
    updates=_updates,
    identified=_identified,
    claims=_claims,
    adopts=_adopts,
    revision=_revision,
    events=(EVENTS - {"relabel", "resize"}) | {"rollout", "rollback", "forceDeletePod"},
)
