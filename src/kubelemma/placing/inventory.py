"""What the input holds: which pods stay on their nodes, and which are to be placed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import Any, NamedTuple

from msgspec.structs import replace

from kubelemma.model.kinds.registry import BY_NAME, ON_EACH_NODE, stamp_of
from kubelemma.model.manifests import Document, FieldPath, Manifest, Manifests
from kubelemma.model.objects.controllers import StatefulSet
from kubelemma.model.objects.meta import ApiObject, ObjectMeta, OwnerReference
from kubelemma.model.objects.pod import Pod, PodTemplateSpec
from kubelemma.model.objects.storage import PersistentVolumeClaim
from kubelemma.model.objects.workloads import Deployment, ReplicaSet
from kubelemma.solver.placement.displaced import is_mirror, likeness, unbound

from .claims import of_ordinal

HASH = "pod-template-hash"
_REVISION = "deployment.kubernetes.io/revision"
_TERMINAL = ("Succeeded", "Failed")


class Key(NamedTuple):
    """What identifies an object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where pods of one kind come from.

    Attributes:
        key: the workload as people know it; a pod that nobody owns is its own.
        wanted: how many pods there should be in all, or are in the input, if that is more.
        staying: how many of them are on nodes already, and stay there.
        document, path: where their pod, or its template, is written.
        controller: the workload itself, where it is in the input.
    """

    key: Key
    wanted: int
    staying: int
    document: Document
    path: FieldPath
    controller: ApiObject | None = None

    def written(self) -> Mapping[str, Any]:
        """Metadata and specification of a pod as they stand in the input."""
        found = self.document.value(self.path)
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Part:
    """So many equal pods to place; ``pod`` is before admission where ``fresh``.

    ``members`` are the names of those that are in the input.
    """

    origin: Origin
    pod: Pod
    count: int
    fresh: bool
    label: str = ""
    members: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """The living pods of one owner in the input; ``pending`` are on no node yet."""

    staying: list[Manifest[Pod]] = field(default_factory=list)
    leaving: list[Manifest[Pod]] = field(default_factory=list)
    moving: list[Manifest[Pod]] = field(default_factory=list)
    pending: list[Manifest[Pod]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The pods of the input.

    Attributes:
        staying: pods on nodes that do not move.
        parts: pods to place.
        daemons: each workload that wants a pod on each node, with the nodes on which it has one.
        surplus: workloads with more pods on nodes than they ask for.
        gated: pods that no scheduler looks at yet, by what they belong to.
        ignored: pods that have ended, or leave before their replacement comes.
        templates: what a new pod of each workload is like, before admission.
        creators: whatever pods of the input may be controlled by, ReplicaSets that are only told
            by the hash in the names of pods among them.
    """

    staying: tuple[Manifest[Pod], ...]
    parts: tuple[Part, ...]
    daemons: tuple[tuple[Manifest[Any], frozenset[str]], ...]
    surplus: tuple[tuple[Key, int], ...] = ()
    gated: tuple[tuple[Key, int], ...] = ()
    ignored: int = 0
    templates: tuple[tuple[Origin, Pod], ...] = ()
    creators: frozenset[Key] = frozenset()


def key_of(kind: str, metadata: ObjectMeta) -> Key:
    """What identifies an object of this kind."""
    return Key(kind, metadata.namespace, metadata.name)


def controller_of(metadata: ObjectMeta) -> OwnerReference | None:
    """Who manages an object."""
    return next((o for o in metadata.owner_references or () if o.controller), None)


def inventory(
    manifests: Manifests,
    nodes: frozenset[str],
    scale: Mapping[Key, int] | None = None,
    *,
    reschedule: bool = False,
) -> Inventory:
    """Sort the pods of the input.

    Args:
        manifests: everything that was read for placement.
        nodes: the names of the nodes; pods on others are left out.
        scale: numbers of replicas that come before those written.
        reschedule: whether pods that a controller would create again may move.
    """
    return _Sorter(manifests, nodes, scale or {}, reschedule=reschedule).sort()


class _Sorter:
    """The input while it is sorted."""

    def __init__(
        self,
        manifests: Manifests,
        nodes: frozenset[str],
        scale: Mapping[Key, int],
        *,
        reschedule: bool,
    ) -> None:
        self._manifests = manifests
        self._nodes = nodes
        self._scale = scale
        self._reschedule = reschedule
        self._controllers: dict[Key, Manifest[Any]] = {
            key_of(type(m.object).__name__, m.object.metadata): m
            for m in manifests.objects
            if stamp_of(m.object) is not None
        }
        self._sets: dict[Key, list[ReplicaSet]] = defaultdict(list)
        for manifest in manifests.of(ReplicaSet):
            owner = controller_of(manifest.object.metadata)
            if owner is not None:
                key = Key(owner.kind, manifest.object.metadata.namespace, owner.name)
                self._sets[key].append(manifest.object)
        self._claims = {
            (m.object.metadata.namespace, m.object.metadata.name)
            for m in manifests.of(PersistentVolumeClaim)
        }
        self._staying: list[Manifest[Pod]] = []
        self._parts: list[Part] = []
        self._surplus: list[tuple[Key, int]] = []
        self._gated: list[tuple[Key, int]] = []
        self._templates: list[tuple[Origin, Pod]] = []
        self._ignored = 0
        self._guessed: set[Key] = set()

    def sort(self) -> Inventory:
        """Sort everything."""
        found = self._pods()
        for key, manifest in self._controllers.items():
            if key.kind not in ON_EACH_NODE and self._is_its_own(manifest.object):
                self._controlled(key, manifest, found.get(key, _Found()))
        for key, pods in found.items():
            if key not in self._controllers:
                self._stray(key, pods)
        daemons = tuple(
            (manifest, self._daemon_nodes(key, found.get(key, _Found())))
            for key, manifest in self._controllers.items()
            if key.kind in ON_EACH_NODE
        )
        return Inventory(
            tuple(self._staying),
            tuple(self._parts),
            daemons,
            tuple(self._surplus),
            tuple(self._gated),
            self._ignored,
            tuple(self._templates),
            frozenset((*self._controllers, *self._guessed)),
        )

    def _pods(self) -> dict[Key, _Found]:
        """Pods by their controller; those that nobody owns are dealt with at once."""
        found: dict[Key, _Found] = defaultdict(_Found)
        for manifest in self._manifests.of(Pod):
            pod = manifest.object
            if pod.status.phase in _TERMINAL:
                self._ignored += 1
                continue
            if pod.spec.node_name and pod.spec.node_name not in self._nodes:
                continue
            owner = controller_of(pod.metadata)
            if owner is None or is_mirror(pod):
                self._bare(manifest)
            else:
                self._file(manifest, found[self._owner(pod, owner)], owner.kind)
        return found

    def _file(self, manifest: Manifest[Pod], found: _Found, kind: str) -> None:
        pod = manifest.object
        if pod.metadata.deletion_timestamp:
            if pod.spec.node_name:
                found.leaving.append(manifest)
            else:
                self._ignored += 1
        elif not pod.spec.node_name:
            found.pending.append(manifest)
        elif kind in ON_EACH_NODE or not self._reschedule:
            found.staying.append(manifest)
        else:
            found.moving.append(manifest)

    def _owner(self, pod: Pod, owner: OwnerReference) -> Key:
        """The workload that a pod belongs to; a ReplicaSet stands for its Deployment."""
        namespace = pod.metadata.namespace
        direct = Key(owner.kind, namespace, owner.name)
        manifest = self._controllers.get(direct)
        if manifest is not None:
            above = controller_of(manifest.object.metadata)
            if above is not None:
                higher = Key(above.kind, namespace, above.name)
                return higher if higher in self._controllers else direct
            return direct
        return self._by_hash(pod, direct) if owner.kind == "ReplicaSet" else direct

    def _by_hash(self, pod: Pod, direct: Key) -> Key:
        """The Deployment whose ReplicaSet is not in the input, told by the hash in its name."""
        suffix = f"-{pod.metadata.label_map().get(HASH, '')}"
        if len(suffix) == 1 or not direct.name.endswith(suffix):
            return direct
        key = Key("Deployment", direct.namespace, direct.name.removesuffix(suffix))
        manifest = self._controllers.get(key)
        selector = manifest.object.spec.selector if manifest else None
        matches = selector is not None and selector.matches(pod.metadata.label_map())
        if matches:
            self._guessed.add(direct)
        return key if matches else direct

    def _is_its_own(self, controller: ApiObject) -> bool:
        """Whether nobody in the input manages it: a Deployment speaks for its ReplicaSets."""
        above = controller_of(controller.metadata)
        if above is None:
            return True
        return Key(above.kind, controller.metadata.namespace, above.name) not in self._controllers

    def _controlled(self, key: Key, manifest: Manifest[Any], found: _Found) -> None:
        """Pods of a workload of the input: those that are pending, and those that it lacks.

        Pending pods are what they are, of whatever template: in the middle of a rollout they come
        on top of what the workload asks for. Who scales a workload down is rid of them first, as
        the ReplicaSet controller deletes pods without a node before others
        (``ActivePodsWithRanks`` in ``pkg/controller/controller_utils.go``).
        """
        controller = manifest.object
        there = len(found.staying)
        self._staying += found.staying
        self._leave(key, found)
        wanted = self._scale[key] if key in self._scale else _wanted(controller)
        if key in self._scale:
            del found.pending[max(wanted - there, 0) :]
        if there > wanted:
            self._surplus.append((key, there - wanted))
        document, path = manifest.document, ("spec", "template")
        size = max(wanted, there + len(found.pending))
        origin = Origin(key, size, there, document, path, controller)
        label = self._hash(key, controller, found) if isinstance(controller, Deployment) else ""
        pod = stamped(controller.spec.template, key, label)
        lacking = wanted - there - len(found.pending)
        if isinstance(controller, StatefulSet) and controller.spec.volume_claim_templates:
            self._stateful(origin, pod, controller, wanted, found)
        else:
            self._templates.append((origin, pod))
            self._add(Part(origin, pod, lacking, fresh=True))
        self._waiting(origin, pod, found.pending, alone=lacking <= 0)

    def _waiting(
        self, origin: Origin, pod: Pod, pending: list[Manifest[Pod]], *, alone: bool
    ) -> None:
        """Pending pods of a workload, by likeness; those like ``pod`` may go by its name."""
        for manifests in _alike(pending):
            first = manifests[0].object
            current = first.metadata.label_map() == pod.metadata.label_map()
            label = "" if alone and current else f"{origin.key} ({first.metadata.name})"
            own = replaced(origin, document=manifests[0].document, path=())
            fresh = _is_fresh(manifests[0])
            members = _names(manifests)
            self._add(Part(own, unbound(first), len(manifests), fresh, label, members))
            alone = alone and bool(label)

    def _stateful(
        self, origin: Origin, pod: Pod, controller: StatefulSet, wanted: int, found: _Found
    ) -> None:
        """Pods with claims of their own: one by one where such claims are there already."""
        key, templates = origin.key, controller.spec.volume_claim_templates or ()
        there = {m.object.metadata.name for m in (*found.staying, *found.pending)}
        new = replace(pod, spec=of_ordinal(pod.spec, templates, {}))
        self._templates.append((origin, new))
        fresh = 0
        start = controller.spec.ordinals.start
        for name in (f"{key.name}-{i}" for i in range(start, start + wanted)):
            claims = {t.metadata.name: f"{t.metadata.name}-{name}" for t in templates}
            known = {n: c for n, c in claims.items() if (key.namespace, c) in self._claims}
            if name in there:
                continue
            if known:
                own = replace(pod, spec=of_ordinal(pod.spec, templates, known))
                self._add(Part(origin, own, 1, fresh=True, label=f"{key} ({name})"))
            else:
                fresh += 1
        self._add(Part(origin, new, fresh, fresh=True))

    def _add(self, part: Part) -> None:
        if part.count > 0 and part.pod.spec.scheduling_gates:
            self._gated.append((part.origin.key, part.count))
        elif part.count > 0:
            self._parts.append(part)

    def _leave(self, key: Key, found: _Found) -> None:
        """Terminating pods hold their node, unless their replacement waits for them to go."""
        kind = BY_NAME.get(key.kind)
        if kind is not None and kind.stamp is not None and kind.stamp.waits_for_end:
            self._ignored += len(found.leaving)
        else:
            self._staying += found.leaving

    def _stray(self, key: Key, found: _Found) -> None:
        """Pods whose controller is not in the input: those that wait, and those that move."""
        self._staying += found.staying
        self._leave(key, found)
        to_place = (*found.moving, *found.pending)
        total = len(found.staying) + len(to_place)
        groups = _alike(to_place)
        for alike in groups:
            first = alike[0]
            origin = Origin(key, total, len(found.staying), first.document, ())
            label = f"{key} ({first.object.metadata.name})" if len(groups) > 1 else ""
            pod, fresh = unbound(first.object), _is_fresh(first)
            self._add(Part(origin, pod, len(alike), fresh, label, _names(alike)))

    def _bare(self, manifest: Manifest[Pod]) -> None:
        """A pod that nobody would create again: where it is, it stays."""
        pod = manifest.object
        if pod.spec.node_name:
            self._staying.append(manifest)
        elif pod.metadata.deletion_timestamp:
            self._ignored += 1
        else:
            origin = Origin(key_of("Pod", pod.metadata), 1, 0, manifest.document, ())
            fresh = _is_fresh(manifest)
            self._add(Part(origin, pod, 1, fresh, members=(pod.metadata.name,)))

    def _daemon_nodes(self, key: Key, found: _Found) -> frozenset[str]:
        """Where a daemon has its pod; one that is pending there is made anew."""
        self._staying += found.staying
        self._leave(key, found)
        return frozenset(m.object.spec.node_name for m in found.staying)

    def _hash(self, key: Key, deployment: Deployment, found: _Found) -> str:
        """The hash of the current template: as the cluster has it, or one of our own."""
        sets = [s for s in self._sets.get(key, ()) if _same_template(s, deployment)]
        if sets:
            newest = max(sets, key=lambda s: _revision(s.metadata))
            return newest.spec.template.metadata.label_map().get(HASH, "new")
        there = (*found.staying, *found.moving, *found.pending)
        hashes = {m.object.metadata.label_map().get(HASH, "") for m in there} - {""}
        return hashes.pop() if len(hashes) == 1 else "new"


def _is_fresh(manifest: Manifest[Pod]) -> bool:
    """Whether no API server has admitted the pod yet: it gives every pod a priority."""
    return manifest.written.spec.priority is None


def _names(manifests: Iterable[Manifest[Pod]]) -> tuple[str, ...]:
    return tuple(manifest.object.metadata.name for manifest in manifests)


def _alike(pods: Iterable[Manifest[Pod]]) -> list[list[Manifest[Pod]]]:
    """The pods in groups that placement cannot tell apart."""
    groups: dict[bytes, list[Manifest[Pod]]] = defaultdict(list)
    for manifest in pods:
        groups[likeness(manifest.object)].append(manifest)
    return list(groups.values())


def _wanted(controller: ApiObject) -> int:
    """How many pods a workload wants at once, whatever nodes there are."""
    stamp = stamp_of(controller)
    return stamp.wanted(controller) if stamp is not None and stamp.wanted is not None else 0


def stamped(template: PodTemplateSpec, key: Key, hash_label: str = "") -> Pod:
    """A pod made from a template, without a name and before admission."""
    labels = template.metadata.label_map()
    kind, name = key.kind, key.name
    if hash_label:
        labels = {**labels, HASH: hash_label}
        kind, name = "ReplicaSet", f"{key.name}-{hash_label}"
    metadata = ObjectMeta(
        namespace=key.namespace,
        labels=labels,
        annotations=template.metadata.annotations,
        owner_references=(OwnerReference(kind=kind, name=name, controller=True),),
    )
    return Pod(metadata=metadata, spec=template.spec)


def _same_template(replica_set: ReplicaSet, deployment: Deployment) -> bool:
    """Whether a ReplicaSet has the Deployment's template, the hash aside.

    It is left aside in either: a hash that is written in a template of a Deployment is overwritten
    (``EqualIgnoreHash`` in ``pkg/controller/deployment/util/deployment_util.go``).
    """
    own, wanted = replica_set.spec.template, deployment.spec.template
    labels, others = ({**t.metadata.label_map(), HASH: ""} for t in (own, wanted))
    return own.spec == wanted.spec and labels == others


def _revision(metadata: ObjectMeta) -> int:
    written = metadata.annotation_map().get(_REVISION, "0")
    return int(written) if written.isdecimal() else 0
