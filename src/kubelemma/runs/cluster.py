"""The objects of a recorded run, as they are after some of its writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import msgspec

from kubelemma.model.components.deployment.owner import HASH
from kubelemma.model.components.registry import ANNOTATIONS, OWNERS
from kubelemma.model.components.registry import KINDS as READ
from kubelemma.model.objects.controllers import ReplicationController, StatefulSet
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.meta import ApiObject, ObjectMeta
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment, ReplicaSet

from .format import Snapshot, Write

Object: TypeAlias = (
    Deployment
    | StatefulSet
    | ReplicaSet
    | ReplicationController
    | Pod
    | Node
    | Namespace
    | PodDisruptionBudget
    | ApiObject
)

REVISION = "ControllerRevision"
"""The kind of what has the templates of a StatefulSet, by the names that its pods bear."""

KINDS: Mapping[str, type[Object]] = {
    "Pod": Pod,
    "Node": Node,
    "Namespace": Namespace,
    REVISION: ApiObject,
    **{kind.__name__: kind for kind in (*OWNERS, *READ)},
}
"""The kinds that the model knows, with those that its components read; others are not kept."""

BUDGET = PodDisruptionBudget.__name__
"""The kind of disruption budgets."""


class Stored(NamedTuple):
    """One object as it was last written.

    ``template`` identifies the pod template of an owner of pods or a ControllerRevision, without
    the label that tells ReplicaSets apart; empty for other kinds. ``look`` is what a pod has in
    common with those that are like it, whoever owns it; empty for other kinds.
    """

    uid: str
    value: Object
    template: str = ""
    look: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.value.metadata.name

    @property
    def namespace(self) -> str:
        """Its namespace; empty where it has none."""
        return self.value.metadata.namespace

    def owner(self, kind: str) -> str:
        """The uid of the controlling owner if it is of this kind; else empty."""
        owners = self.value.metadata.owner_references or ()
        return next((o.uid for o in owners if o.controller and o.kind == kind), "")

    @property
    def owner_kind(self) -> str:
        """The kind of the controlling owner; empty for none."""
        owners = self.value.metadata.owner_references or ()
        return next((o.kind for o in owners if o.controller), "")


Objects: TypeAlias = Mapping[str, Stored]


@dataclass(frozen=True, slots=True)
class Cluster:
    """All objects of the kinds that the model knows, by kind and uid, oldest first."""

    kinds: Mapping[str, Objects] = field(default_factory=dict)

    def of(self, kind: str) -> Objects:
        """The objects of a kind, by uid."""
        return self.kinds.get(kind, {})

    def after(self, line: Write | Snapshot) -> Cluster:
        """The objects after a line.

        Raises:
            msgspec.ValidationError: the object does not have the shape of its kind.
        """
        if line.kind not in KINDS:
            return self
        objects = dict(self.of(line.kind))
        if isinstance(line, Write) and line.type == "DELETED":
            objects.pop(line.uid, None)
        else:
            objects[line.uid] = stored(line)
        return replace(self, kinds={**self.kinds, line.kind: objects})

    def pods(self) -> Iterator[tuple[Stored, Pod]]:
        """All pods."""
        for found in self.of("Pod").values():
            if isinstance(found.value, Pod):
                yield found, found.value

    def nodes(self) -> dict[str, Node]:
        """All nodes by name, sorted."""
        found = (s.value for s in self.of("Node").values())
        nodes = {node.metadata.name: node for node in found if isinstance(node, Node)}
        return dict(sorted(nodes.items()))

    def owners(self) -> Iterator[Stored]:
        """All objects that may make pods, of whatever kind, parts of others among them."""
        for kind in OWNERS:
            yield from self.of(kind.__name__).values()

    def budgets(self) -> Iterator[PodDisruptionBudget]:
        """All disruption budgets."""
        for found in self.of(BUDGET).values():
            if isinstance(found.value, PodDisruptionBudget):
                yield found.value

    def replica_sets(self, deployment: str) -> Iterator[tuple[Stored, ReplicaSet]]:
        """The ReplicaSets of a Deployment (by uid)."""
        for found in self.of("ReplicaSet").values():
            if isinstance(found.value, ReplicaSet) and found.owner("Deployment") == deployment:
                yield found, found.value

    def deployment_of(self, pod: Stored) -> str:
        """The uid of the Deployment that a pod belongs to by way of a ReplicaSet; else empty."""
        owner = self.of("ReplicaSet").get(pod.owner("ReplicaSet"))
        return owner.owner("Deployment") if owner is not None else ""


def stored(line: Write | Snapshot) -> Stored:
    """The object of a line.

    Raises:
        msgspec.ValidationError: it does not have the shape of its kind.
    """
    value = decode(line.object, KINDS[line.kind])
    template = ""
    if type(value) in OWNERS:
        template = identity(line.object.get("spec", {}).get("template", {}))
    if line.kind == REVISION:
        data = line.object.get("data", {}).get("spec", {}).get("template", {})
        template = identity({key: part for key, part in data.items() if key != "$patch"})
    return Stored(line.uid, value, template, look(value) if isinstance(value, Pod) else "")


COPIED = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")
"""The labels of its node that a pod is given when it is bound.

Source: plugin/pkg/admission/podtopologylabels/admission.go.
"""

TOKENS = "kube-api-access-"
"""How the names of the volumes begin that admission gives to every pod, with a random end.

Source: plugin/pkg/admission/serviceaccount/admission.go, ``ServiceAccountVolumeName``.
"""


def common(pod: Pod) -> Pod:
    """What a pod has in common with all that are like it: no name, owner, node or status."""
    labels = {k: v for k, v in pod.metadata.label_map().items() if k not in COPIED}
    notes = {k: v for k, v in pod.metadata.annotation_map().items() if k in ANNOTATIONS}
    metadata = ObjectMeta(
        namespace=pod.metadata.namespace,
        labels=labels,
        annotations=notes or None,
        owner_references=(),
    )
    volumes = tuple(v for v in pod.spec.volumes or () if not v.name.startswith(TOKENS))
    spec = msgspec.structs.replace(pod.spec, node_name="", volumes=volumes or None)
    return Pod(metadata=metadata, spec=spec)


def look(pod: Pod) -> str:
    """What tells pods apart that are not alike."""
    return msgspec.json.encode(common(pod), enc_hook=str, order="sorted").decode()


def identity(template: dict[str, Any]) -> str:
    """What tells a pod template from others, whichever ReplicaSet it belongs to."""
    metadata = dict(template.get("metadata", {}))
    labels = metadata.get("labels") or {}
    metadata["labels"] = {key: value for key, value in labels.items() if key != HASH}
    return msgspec.json.encode({**template, "metadata": metadata}, order="sorted").decode()
