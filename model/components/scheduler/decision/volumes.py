"""Plugins VolumeBinding, VolumeZone, VolumeRestrictions and NodeVolumeLimits: their filters.

A pod that is still to be created may ask for a claim of its own (``ephemeral``); it is taken to be
there already, as it will be when the scheduler sees the pod. Not modelled: volumes that pods name
without a claim (in-tree disks), and volumes of in-tree drivers that were migrated to CSI: they have
no limits here.

Source: pkg/scheduler/framework/plugins/volumebinding/ (volume_binding.go, binder.go), volumezone/
volume_zone.go, volumerestrictions/volume_restrictions.go, nodevolumelimits/csi.go, and
staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.storage import (
    OLD_CLASS,
    SELECTED_NODE,
    PersistentVolume,
    PersistentVolumeClaim,
    Storage,
    StorageClass,
)

from .node_affinity import matches_selector
from .nodeinfo import NodeInfo
from .status import SUCCESS, Status, unresolvable, unschedulable

ONE_POD = "ReadWriteOncePod"
NO_PROVISIONER = "kubernetes.io/no-provisioner"

ZONE_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""Labels of volumes and nodes that must agree, and today's name of each."""

ClaimKey = tuple[str, str]
Handle = tuple[str, str]
"""The driver of a volume, and its name for it."""


@dataclass(frozen=True)
class Shelf:
    """The storage objects, found by name."""

    storage: Storage
    claims: Mapping[ClaimKey, PersistentVolumeClaim] = field(init=False)
    volumes: Mapping[str, PersistentVolume] = field(init=False)
    classes: Mapping[str, StorageClass] = field(init=False)
    limits: Mapping[str, Mapping[str, int]] = field(init=False)
    default_class: str = field(init=False)

    def __post_init__(self) -> None:
        storage = self.storage
        defaults = _newest_first(c.metadata for c in storage.classes if c.is_default)
        found = {
            "claims": {(c.metadata.namespace, c.metadata.name): c for c in storage.claims},
            "volumes": {volume.metadata.name: volume for volume in storage.volumes},
            "classes": {c.metadata.name: c for c in storage.classes},
            "limits": {
                node.metadata.name: {
                    driver.name: driver.allocatable.count
                    for driver in node.spec.drivers
                    if driver.allocatable is not None and driver.allocatable.count is not None
                }
                for node in storage.csi_nodes
            },
            "default_class": defaults[0].name if defaults else "",
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)

    def class_of(self, claim: PersistentVolumeClaim) -> str:
        """The name of the claim's class; "" for none."""
        old = claim.metadata.annotation_map().get(OLD_CLASS)
        named = claim.spec.storage_class_name if old is None else old
        return self.default_class if named is None else named

    def waits(self, claim: PersistentVolumeClaim) -> bool:
        """Whether the claim is bound only when a pod needs it."""
        found = self.classes.get(self.class_of(claim))
        return found is not None and found.volume_binding_mode == "WaitForFirstConsumer"


def _newest_first(defaults: Iterable[ObjectMeta]) -> list[ObjectMeta]:
    """Default classes: the first counts. Of those that are equally old it is the first by name.

    Source: pkg/volume/util/storageclass.go, ``GetDefaultClass``.
    """
    named = sorted(defaults, key=lambda metadata: metadata.name)
    return sorted(named, key=lambda metadata: metadata.creation_timestamp or "", reverse=True)


def claims_of(pod: Pod, shelf: Shelf) -> Iterator[tuple[str, PersistentVolumeClaim | None]]:
    """The names of the pod's claims, with the claims, None where one is missing."""
    namespace = pod.metadata.namespace
    for volume in pod.spec.volumes or ():
        if volume.persistent_volume_claim is not None:
            name = volume.persistent_volume_claim.claim_name
            yield name, shelf.claims.get((namespace, name))
        elif volume.ephemeral is not None:
            name = f"{pod.metadata.name}-{volume.name}"
            claim = shelf.claims.get((namespace, name))
            template = volume.ephemeral.volume_claim_template
            if claim is None and template is not None:
                metadata = ObjectMeta(name=name, namespace=namespace)
                claim = PersistentVolumeClaim(metadata=metadata, spec=template.spec)
            yield name, claim


class Asked(NamedTuple):
    """What PreFilter worked out: the pod's claims by how they are bound.

    ``rejection`` is what keeps the pod off every node. ``exclusive`` are the claims that only one
    pod may use, those aside that are still to be made for it; ``handles`` are all volumes it needs,
    by driver.
    """

    pod: Pod
    rejection: Status | None
    bound: tuple[PersistentVolumeClaim, ...] = ()
    waiting: tuple[PersistentVolumeClaim, ...] = ()
    exclusive: frozenset[ClaimKey] = frozenset()
    handles: frozenset[Handle] = frozenset()


def pre_filter(pod: Pod, shelf: Shelf) -> Asked:
    """Begin the cycle of a pod: look up its claims."""
    bound: list[PersistentVolumeClaim] = []
    waiting: list[PersistentVolumeClaim] = []
    for name, claim in claims_of(pod, shelf):
        reason = unusable(name, claim)
        if claim is None or reason:
            return Asked(pod, unresolvable(reason))
        if claim.is_bound:
            bound.append(claim)
        elif shelf.waits(claim) and not claim.spec.volume_name:
            waiting.append(claim)
        else:
            return Asked(pod, unresolvable("pod has unbound immediate PersistentVolumeClaims"))
    single = (c.metadata for c in (*bound, *waiting) if ONE_POD in (c.spec.access_modes or ()))
    shared = ((metadata.namespace, metadata.name) for metadata in single)
    exclusive = frozenset(key for key in shared if key in shelf.claims)
    return Asked(pod, None, tuple(bound), tuple(waiting), exclusive, handles(pod, shelf))


def unusable(name: str, claim: PersistentVolumeClaim | None) -> str:
    """Why a claim cannot be used at all; nothing if it can."""
    if claim is None:
        return f'persistentvolumeclaim "{name}" not found'
    if claim.status.phase == "Lost":
        volume = claim.spec.volume_name
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
    if claim.metadata.deletion_timestamp is not None:
        return f'persistentvolumeclaim "{name}" is being deleted'
    return ""


def handles(pod: Pod, shelf: Shelf) -> frozenset[Handle]:
    """The volumes of drivers that the pod needs attached to its node."""
    found: set[Handle] = set()
    for name, claim in claims_of(pod, shelf):
        if claim is None:
            continue
        if not claim.spec.volume_name:
            storage_class = shelf.classes.get(shelf.class_of(claim))
            if storage_class is not None:
                unique = f"{storage_class.provisioner}-{pod.metadata.namespace}/{name}"
                found.add((storage_class.provisioner, unique))
            continue
        volume = shelf.volumes.get(claim.spec.volume_name)
        if volume is not None and volume.spec.csi is not None:
            found.add((volume.spec.csi.driver, volume.spec.csi.volume_handle))
    return frozenset(found)


# --- VolumeRestrictions, NodeVolumeLimits: what other pods use ------------------------------------


def filter_restrictions(asked: Asked, users: Mapping[ClaimKey, int]) -> Status:
    """VolumeRestrictions: a ReadWriteOncePod claim that some pod on a node uses is taken.

    ``users`` counts the pods on any node by claim.
    """
    if any(users.get(key) for key in asked.exclusive):
        return unschedulable(
            "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
            "access mode"
        )
    return SUCCESS


def users_of(pods: Iterable[Pod], shelf: Shelf) -> dict[ClaimKey, int]:
    """How many of the pods use each claim."""
    users: dict[ClaimKey, int] = {}
    for pod in pods:
        for name, _ in claims_of(pod, shelf):
            key = (pod.metadata.namespace, name)
            users[key] = users.get(key, 0) + 1
    return users


def filter_limits(asked: Asked, info: NodeInfo, shelf: Shelf) -> Status:
    """NodeVolumeLimits: a node holds so many volumes of a driver; shared ones count once."""
    limits = shelf.limits.get(info.name, {})
    if not any(driver in limits for driver, _ in asked.handles):
        return SUCCESS
    attached = {handle for pod in info.pods for handle in handles(pod, shelf)}
    fresh = asked.handles - attached
    for driver in {driver for driver, _ in fresh} & limits.keys():
        if _count(driver, attached) + _count(driver, fresh) > limits[driver]:
            return unschedulable("node(s) exceed max volume count")
    return SUCCESS


def _count(driver: str, handles: Iterable[Handle]) -> int:
    return sum(other == driver for other, _ in handles)


# --- VolumeBinding --------------------------------------------------------------------------------


def filter_binding(asked: Asked, node: Node, shelf: Shelf) -> Status:
    """VolumeBinding: bound volumes can be reached, and the others bound or made, from the node."""
    reasons: list[str] = []
    bound = [shelf.volumes.get(claim.spec.volume_name) for claim in asked.bound]
    if any(volume is not None and not reaches(volume, node) for volume in bound):
        reasons.append("node(s) didn't match PersistentVolume's node affinity")
    reasons += _unbindable(asked.waiting, node, shelf)
    if None in bound:
        reasons.append("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
    return unresolvable(*reasons) if reasons else SUCCESS


def reaches(volume: PersistentVolume, node: Node) -> bool:
    """Whether the volume can be reached from the node, by the node's labels alone."""
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return True
    nameless = Node(metadata=ObjectMeta(labels=node.metadata.labels))
    return matches_selector(affinity.required, nameless)


def _unbindable(claims: Sequence[PersistentVolumeClaim], node: Node, shelf: Shelf) -> Iterator[str]:
    """Why the claims cannot all be bound for a pod on the node."""
    taken: set[str] = set()
    to_make: list[PersistentVolumeClaim] = []
    for claim in sorted(claims, key=size):
        selected = claim.metadata.annotation_map().get(SELECTED_NODE)
        if selected not in (None, node.metadata.name):
            yield "node(s) didn't find available persistent volumes to bind"
            return
        volume = None if selected else smallest_match(claim, node, shelf, taken)
        if volume is None:
            to_make.append(claim)
        else:
            taken.add(volume.metadata.name)
    for claim in to_make:
        storage_class = shelf.classes[shelf.class_of(claim)]
        if not can_be_made(storage_class, node):
            yield "node(s) didn't find available persistent volumes to bind"
            return
        if not has_capacity(claim, storage_class, node, shelf):
            yield "node(s) did not have enough free storage"
            return


def size(claim: PersistentVolumeClaim) -> int:
    """The bytes that the claim asks for."""
    requests = (claim.spec.resources and claim.spec.resources.requests) or {}
    return requests["storage"].value() if "storage" in requests else 0


def smallest_match(
    claim: PersistentVolumeClaim, node: Node, shelf: Shelf, taken: set[str]
) -> PersistentVolume | None:
    """The volume that the scheduler would bind the claim to for a pod on the node.

    One that is kept for the claim comes first, whatever its size beyond what is asked for.
    """
    fitting = [
        volume
        for volume in shelf.storage.volumes
        if volume.metadata.name not in taken
        and volume.spec.volume_mode == claim.spec.volume_mode
        and volume.bytes >= size(claim)
    ]
    for volume in fitting:
        if is_kept_for(volume, claim):
            return volume if reaches(volume, node) else None
    free = (volume for volume in fitting if matches(volume, claim, shelf) and reaches(volume, node))
    return min(free, key=lambda volume: volume.bytes, default=None)


def is_kept_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume names the claim already."""
    kept = volume.spec.claim_ref
    if kept is None:
        return False
    same = (kept.namespace, kept.name) == (claim.metadata.namespace, claim.metadata.name)
    return same and kept.uid in ("", claim.metadata.uid)


def matches(volume: PersistentVolume, claim: PersistentVolumeClaim, shelf: Shelf) -> bool:
    """Whether a free volume is what the claim asks for, its size and mode aside."""
    if volume.spec.claim_ref is not None or volume.metadata.deletion_timestamp is not None:
        return False
    selector = claim.spec.selector
    if volume.status.phase not in ("", "Available"):
        return False
    if selector is not None and not selector.matches(volume.metadata.label_map()):
        return False
    offered = volume.spec.access_modes or ()
    return volume.storage_class == shelf.class_of(claim) and all(
        mode in offered for mode in claim.spec.access_modes or ()
    )


def can_be_made(storage_class: StorageClass, node: Node) -> bool:
    """Whether the class makes volumes at all, and for pods on this node."""
    if storage_class.provisioner in ("", NO_PROVISIONER):
        return False
    labels = node.metadata.label_map()
    terms = storage_class.allowed_topologies
    return not terms or any(
        all(labels.get(r.key) in r.values for r in term.match_label_expressions or ())
        and bool(term.match_label_expressions)
        for term in terms
    )


def has_capacity(
    claim: PersistentVolumeClaim, storage_class: StorageClass, node: Node, shelf: Shelf
) -> bool:
    """Whether the driver says that such a volume can be made, if it says anything."""
    requests = (claim.spec.resources and claim.spec.resources.requests) or {}
    says = any(
        driver.metadata.name == storage_class.provisioner and driver.spec.storage_capacity
        for driver in shelf.storage.drivers
    )
    if "storage" not in requests or not says:
        return True
    for capacity in shelf.storage.capacities:
        limit = capacity.maximum_volume_size or capacity.capacity
        if (
            capacity.storage_class_name == storage_class.metadata.name
            and limit is not None
            and limit.value() >= size(claim)
            and capacity.node_topology is not None
            and capacity.node_topology.matches(node.metadata.label_map())
        ):
            return True
    return False


# --- VolumeZone -----------------------------------------------------------------------------------


def filter_zone(asked: Asked, node: Node, shelf: Shelf) -> Status:
    """VolumeZone: the zone and region labels of bound volumes fit those of the node.

    A node without any such label is taken to be in every zone.
    """
    labels = node.metadata.label_map()
    if not any(key in labels for key in ZONE_LABELS):
        return SUCCESS
    for claim in asked.bound:
        volume = shelf.volumes.get(claim.spec.volume_name)
        if volume is None:
            return unresolvable(f'persistentvolume "{claim.spec.volume_name}" not found')
        for key, value in volume.metadata.label_map().items():
            if key in ZONE_LABELS:
                found = labels.get(key, labels.get(ZONE_LABELS[key]))
                if found not in value.split("__"):
                    return unresolvable("node(s) had no available volume zone")
    return SUCCESS


# --- all of them ----------------------------------------------------------------------------------


def filter_node(
    asked: Asked, info: NodeInfo, users: Mapping[ClaimKey, int], shelf: Shelf
) -> Status:
    """The first rejection, in the order of the default profile."""
    if asked.rejection is not None:
        return asked.rejection
    for status in (
        filter_restrictions(asked, users),
        filter_limits(asked, info, shelf),
        filter_binding(asked, info.node, shelf),
        filter_zone(asked, info.node, shelf),
    ):
        if not status.ok:
            return status
    return SUCCESS
