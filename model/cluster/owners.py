"""The protocol of owners: what a kind of object that makes pods is to a scenario.

A component brings an `OwnerKind` for each type of object whose pods it makes. Scenarios know such
objects by it alone: which there are, only the registry says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.components.kubelet.decision import never_ready
from kubelemma.model.components.replicaset.decision import deletion_cost_of
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.tainteviction.decision import with_default_tolerations
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta, OwnerReference
from kubelemma.model.objects.pod import Pod, PodTemplateSpec
from kubelemma.model.objects.storage import PersistentVolumeClaim

from .state import OwnerState
from .world import Behaviour, PodClass, Rollout, Updates, Workload

EVENTS = frozenset({"scale", "deletePod", "probeFailure", "lateCleanup", "relabel", "resize"})
"""What may happen to whatever makes pods, as a Check calls it."""


class Part(NamedTuple):
    """What controls the pods of one template at the start.

    ``made`` is the object of the input, None where it has none; ``replicas`` are for how many pods
    it asks, ``active`` and ``available`` how many of these there are.
    """

    template: int
    replicas: int
    active: int
    available: int
    made: Any = None


class Through(NamedTuple):
    """Of owners that make pods by way of other objects: what there is to be known of these.

    Attributes:
        kind: what the API calls them.
        age: sorts those of one owner by their revisions.
        pod: a pod of one, after admission, without a name or a node.
        made_from: whether one, or a pod, is of the template that is now in the owner's spec, as far
            as can be seen.
        marked: whether one bears the mark of the owner's own revision, by which those that look
            alike are told apart.
        settled: whether an owner says itself that all its pods are of that template.
    """

    kind: str
    age: Callable[[Any], Any]
    pod: Callable[[Any], Pod]
    made_from: Callable[[Any, Any], bool]
    marked: Callable[[Any, Any], bool]
    settled: Callable[[Any], bool]


def _always(_owner: Any) -> bool:
    return True


def _no_rollout(_owner: Any) -> Rollout | None:
    return None


def _no_updates(_owner: Any) -> Updates | None:
    return None


def _all_alike(_owner: Any, pod: Pod, _ordinal: int) -> Pod:
    return pod


def _no_claims(_owner: Any, _ordinal: int) -> tuple[PersistentVolumeClaim, ...]:
    return ()


def _no_revision(_owner: Any, _pod: Pod) -> str:
    return ""


def _adopts_none(_owner: Any, _pod: Pod) -> bool:
    return False


def _no_surge(_owner: Any) -> int:
    return 0


def _as_it_wants(_owner: Any) -> str:
    return ""


def _named_by_pods(_owner: Any) -> LabelSelector | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerKind:
    """A kind of object that makes pods.

    Attributes:
        kind: what the API calls it.
        type: the type of its objects, which have their defaults.
        replicas: for how many pods one asks.
        template: what one makes pods from at the start.
        min_ready_seconds: for how long its pods are Ready before they count as available.
        pod: a pod of the template of this number, after admission, without a name or a node.
        selector: that of the object which controls the pods of a template.
        start: what the API has of one, given its current template and what controls its pods.
        says: what is to be said of one at the start, beside its replicas.
        stands_alone: whether one is an owner of its own, and not part of another.
        rollout: how it goes from one template to the next; None where there is no such thing.
        surge: how many pods beyond its replicas a rollout has.
        updates: of one whose pods have an identity, how it is scaled and updated.
        identified: a pod as the one with this ordinal.
        claims: the claims that the pod with this ordinal uses, and that are made for it where there
            are none of these names.
        adopts: whether a pod that nobody controls becomes one of its pods in its next sync, which
            is taken to be over at the start.
        revision: the name of an older template that a pod is of; empty where it is of the one that
            is now in the owner's spec.
        through: of what controls its pods, where that is something that it has made; then
            ``reaches`` tells its pods.
        otherwise: what its status counts, where by that not all is rolled out; empty where it is.
        events: what users and faults may do to one, as a Check calls it.
    """

    kind: str
    type: type[Any]
    replicas: Callable[[Any], int]
    template: Callable[[Any], PodTemplateSpec]
    min_ready_seconds: Callable[[Any], int]
    pod: Callable[[Any, int], Pod]
    selector: Callable[[Any, int], LabelSelector]
    start: Callable[[Workload, Any, int, tuple[Part, ...]], OwnerState]
    says: Callable[[Workload, OwnerState], tuple[str, ...]]
    stands_alone: Callable[[Any], bool] = _always
    rollout: Callable[[Any], Rollout | None] = _no_rollout
    surge: Callable[[Any], int] = _no_surge
    updates: Callable[[Any], Updates | None] = _no_updates
    identified: Callable[[Any, Pod, int], Pod] = _all_alike
    claims: Callable[[Any, int], tuple[PersistentVolumeClaim, ...]] = _no_claims
    adopts: Callable[[Any, Pod], bool] = _adopts_none
    revision: Callable[[Any, Pod], str] = _no_revision
    through: Through | None = None
    reaches: Callable[[Any], LabelSelector | None] = _named_by_pods
    otherwise: Callable[[Any], str] = _as_it_wants
    events: frozenset[str] = EVENTS

    def owns(self, owner: Any, pod: Pod) -> bool:
        """Whether a pod belongs to an object, which it names or whose selector it matches."""
        reference = controller_of(pod.metadata)
        if owner.metadata.namespace != pod.metadata.namespace:
            return False
        if reference is None:
            return self.adopts(owner, pod)
        selector = self.reaches(owner)
        if selector is None or self.through is None:
            return self.is_named(owner, reference)
        return reference.kind == self.through.kind and selector.matches(pod.metadata.label_map())

    def is_named(self, owner: Any, reference: OwnerReference) -> bool:
        """Whether a reference is to this object; of two with UIDs, these decide."""
        if (reference.kind, reference.name) != (self.kind, owner.metadata.name):
            return False
        uids = {reference.uid, owner.metadata.uid} - {""}
        return len(uids) < 2  # noqa: PLR2004 - one each


def ordinal_of(pod: str, owner: str) -> int:
    """The number at the end of a pod's name, behind that of its owner; -1 where there is none.

    Source: pkg/controller/statefulset/stateful_set_utils.go, ``getParentNameAndOrdinal``.
    """
    parent, _, number = pod.rpartition("-")
    return int(number) if parent == owner and number.isdecimal() else -1


def revision_hash(template: int) -> str:
    """What stands for the hash of a template: ``v1`` for the first one."""
    return f"v{template + 1}"


def controller_of(metadata: ObjectMeta) -> OwnerReference | None:
    """The owner that controls an object, if there is one."""
    return next((o for o in metadata.owner_references or () if o.controller), None)


def class_of_pods(pod: Pod, behaviour: Behaviour, **others: Any) -> PodClass:
    """The class of such pods; the others are fields of it.

    What its probes make of a pod comes before what a scenario says of its containers, unless these
    are never started.
    """
    cost = deletion_cost_of(pod.metadata.annotation_map())
    if behaviour in _ASKED and never_ready(pod) is not None:
        behaviour = Behaviour.PROBE_ERRS
    return PodClass(pod=pod, behaviour=behaviour, deletion_cost=cost, **others)


_ASKED = (Behaviour.HEALTHY, Behaviour.CRASH_LOOPING)
"""What containers do whose probes are asked in vain, or not."""


def stamped(
    template: PodTemplateSpec, namespace: str, labels: dict[str, str], owner: OwnerReference
) -> Pod:
    """A pod of a template with these labels, as the API server stores it."""
    metadata = ObjectMeta(
        namespace=namespace,
        labels=labels,
        annotations=template.metadata.annotations,
        owner_references=(owner,),
    )
    tolerations = with_default_tolerations(template.spec.tolerations or ())
    spec = msgspec.structs.replace(template.spec, tolerations=tolerations)
    return merge_label_keys(Pod(metadata=metadata, spec=spec))


def plain(pod: Pod) -> Pod:
    """A pod of the input as one of its class: without what is its own."""
    metadata = msgspec.structs.replace(
        pod.metadata,
        name="",
        generate_name="",
        uid="",
        creation_timestamp=None,
        deletion_timestamp=None,
    )
    tolerations = with_default_tolerations(pod.spec.tolerations or ())
    spec = msgspec.structs.replace(pod.spec, node_name="", tolerations=tolerations)
    return Pod(metadata=metadata, spec=spec)
