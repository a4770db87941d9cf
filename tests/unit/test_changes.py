"""Of every field that is said to be read: a change of it changes what a check or a placement says.

The changes are those of ``changes.yaml``. What stands above a value, such as the ``spec``
that it is part of, is changed with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from behaving import REFUSED, checked, placed
from test_fields import fields

from kubelemma.model.kinds.notes import Note
from kubelemma.model.manifests.purposes import CHECK, PLACE, Purpose
from kubelemma.model.manifests.shapes import Shape, shape_of
from kubelemma.model.objects import storage
from kubelemma.model.objects.storage import PersistentVolumeSpec

SCENES = Path(__file__).parent / "scenes"
INDEX = re.compile(r"\[(\d+)\]")
Field = tuple[str, str]
Edits = tuple[tuple["Place", Any], ...]


class Place(NamedTuple):
    """Where a value stands: in which object of a scene, under which keys."""

    scene: str
    kind: str
    name: str
    keys: tuple[str | int, ...]


class Change(NamedTuple):
    """Another value for a field, in a scene to which some changes are made first."""

    place: Place
    value: Any
    first: Edits


def place_of(text: str) -> Place:
    """A place as the table has it, such as ``rollout Deployment/web spec.replicas``."""
    scene, thing, path = text.split(" ", 2)
    kind, _, name = thing.partition("/")
    keys: list[str | int] = []
    for part in path.split("."):
        keys.append(part.partition("[")[0])
        keys += map(int, INDEX.findall(part))
    return Place(scene, kind, name, tuple(keys))


@cache
def scene(name: str) -> tuple[Any, ...]:
    """The documents of a scene."""
    text = (SCENES / f"{name}.yaml").read_text("utf-8")
    return tuple(yaml.safe_load_all(text))


def changes() -> list[Change]:
    """The table."""
    rows = yaml.safe_load((SCENES.parent / "changes.yaml").read_text("utf-8"))
    return [
        Change(
            place_of(row["at"]),
            row["to"],
            tuple((place_of(at), to) for at, to in row.get("first", {}).items()),
        )
        for row in rows
    ]


def edited(edits: Edits) -> list[Any]:
    """The documents of the scene with these values; None takes one away."""
    documents = deepcopy(list(scene(edits[0][0].scene)))
    for place, value in edits:
        thing = _object(documents, place)
        for key in place.keys[:-1]:
            thing = thing.setdefault(key, {}) if isinstance(thing, dict) else thing[key]
        if value is None:
            del thing[place.keys[-1]]
        else:
            thing[place.keys[-1]] = deepcopy(value)
    return documents


def _object(documents: list[Any], place: Place) -> Any:
    (found,) = (
        each
        for each in documents
        if (each["kind"], each["metadata"]["name"]) == (place.kind, place.name)
    )
    return found


def along(place: Place, purpose: Purpose) -> Iterator[Field]:
    """The fields that a place is part of, by the types that have them."""
    kind = purpose.kinds.get(place.kind)
    shape: Shape | None = shape_of(kind.struct) if kind is not None else None
    for key in place.keys:
        if shape is None:
            return
        if shape.form == "struct":
            yield shape.type.__name__, str(key)
            shape = shape.fields.get(str(key))
        else:
            shape = shape.item


def leaves(purpose: Purpose) -> set[Field]:
    """The fields that are said to be read and have no fields of their own."""
    return {
        (struct.__name__, name)
        for struct, name, _ in fields(purpose)
        if not _has_fields(shape_of(struct).fields[name])
    }


def _has_fields(shape: Shape) -> bool:
    return shape.form == "struct" or (shape.item is not None and _has_fields(shape.item))


USES: dict[str, tuple[Purpose, Callable[[list[Any]], object]]] = {
    "check": (CHECK, checked),
    "place": (PLACE, placed),
}
_STORED = {
    "whether a cluster has stored it already: tests/cli/test_place_admission.py": (
        "ObjectMeta.creationTimestamp",
        "ObjectMeta.uid",
    ),
    "bounds of a LimitRange: tests/unit/test_admitted_alike.py": (
        "LimitRangeItem.maxLimitRequestRatio",
    ),
}
_SPEC = PersistentVolumeSpec
SOURCES = tuple(
    wire
    for name, wire in zip(_SPEC.__struct_fields__, _SPEC.__struct_encode_fields__, strict=True)
    if name in storage.SOURCES
)
PORTS = ("name", "nodePort", "port", "protocol", "targetPort")
FROM_OUTSIDE = (
    *("HTTPIngressPath.path", "HTTPIngressPath.pathType", "IngressClassSpec.controller"),
    *("IngressRule.host", "IngressServiceBackend.name", "IngressSpec.ingressClassName"),
    *("IngressTLS.hosts", "IngressTLS.secretName"),
    *("ServiceBackendPort.name", "ServiceBackendPort.number"),
    *("EndpointAddress.ip", "EndpointPort.name", "EndpointPort.port", "EndpointPort.protocol"),
    "EndpointSlice.addressType",
    *("IPBlock.cidr", "IPBlock.except", "NetworkPolicySpec.policyTypes"),
    *(f"NetworkPolicyPort.{name}" for name in ("endPort", "port", "protocol")),
)
SERVICES = (
    *("clusterIP", "externalIPs", "externalName", "internalTrafficPolicy", "loadBalancerClass"),
    *("publishNotReadyAddresses", "selector", "trafficDistribution", "type"),
)

EXCEPT: dict[str, dict[str, tuple[str, ...]]] = {
    "check": {
        "any gate holds a pod, whatever it is called": (
            "PodReadinessGate.conditionType",
            "PodSchedulingGate.name",
        ),
        "a name is made of it": ("ObjectMeta.generateName",),
        "preemption alone asks for it, and a check has none": ("PodStatus.startTime",),
        "is said of the start": ("PodStatus.nominatedNodeName",),
        "statuses count where the input has no pods: tests/unit/test_start.py": (
            "DeploymentStatus.availableReplicas",
            "DeploymentStatus.observedGeneration",
            "DeploymentStatus.replicas",
            "DeploymentStatus.updatedReplicas",
            "ObjectMeta.generation",
            "ReplicaSetStatus.availableReplicas",
            "ReplicaSetStatus.readyReplicas",
            "ReplicationControllerStatus.availableReplicas",
            "ReplicationControllerStatus.readyReplicas",
        ),
        "of where a volume is stored only the kind counts: tests/components/persistentvolume": (
            *(f"PersistentVolumeSpec.{name}" for name in SOURCES if name != "csi"),
            "CSINodeDriver.topologyKeys",
            "CSIVolume.volumeHandle",
            "VolumeResourceRequirements.limits",
        ),
        "claims have to be deleted for it to count: tests/components/persistentvolume": (
            "StorageClass.reclaimPolicy",
        ),
        "decides where requests go, or is held against rules: tests/components/endpointslice": (
            "ContainerPort.name",
            *(f"ServicePort.{name}" for name in PORTS),
            *(f"ServiceSpec.{name}" for name in SERVICES),
            *FROM_OUTSIDE,
        ),
        "decides about members: tests/components/statefulset/test_statefulset_owner.py": (
            "RollingUpdateStatefulSet.maxUnavailable",
            "RollingUpdateStatefulSet.partition",
            "StatefulSetOrdinals.start",
            "StatefulSetSpec.minReadySeconds",
            "StatefulSetSpec.podManagementPolicy",
            "StatefulSetSpec.revisionHistoryLimit",
            "StatefulSetStatus.availableReplicas",
            "StatefulSetStatus.currentReplicas",
            "StatefulSetStatus.currentRevision",
            "StatefulSetStatus.readyReplicas",
            "StatefulSetStatus.replicas",
            "StatefulSetStatus.updateRevision",
            "StatefulSetUpdateStrategy.type",
        ),
        **_STORED,
        "is refused where its class gives another: tests/cli/test_place_admission.py": (
            "PodSpec.preemptionPolicy",
        ),
    },
    "place": {
        "any gate holds a pod, whatever it is called": ("PodSchedulingGate.name",),
        "a name is made of it": ("ObjectMeta.generateName",),
        **_STORED,
        "a ReplicaSet's own number goes before what it has seen": ("ObjectMeta.generation",),
        "is a score, and a placement asks where pods may be, not where they would rather": (
            "ContainerImage.names",
            "ContainerImage.sizeBytes",
            "PreferredSchedulingTerm.weight",
            "WeightedPodAffinityTerm.weight",
        ),
        "preemption alone goes by it: tests/engines/test_placement_preemption.py": (
            "PodDisruptionBudgetSpec.maxUnavailable",
            "PodDisruptionBudgetSpec.minAvailable",
            "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy",
            "PodSpec.preemptionPolicy",
            "PodSpec.terminationGracePeriodSeconds",
            "PodStatus.nominatedNodeName",
            "PodStatus.startTime",
            "PriorityClass.preemptionPolicy",
        ),
        "--surge alone asks for it": (
            "DeploymentStrategy.type",
            "RollingUpdateDeployment.maxSurge",
            "RollingUpdateDeployment.maxUnavailable",
        ),
        "volumes and their limits are drawn in tests/engines/test_placement_brute_force.py": (
            "CSINodeDriver.topologyKeys",
            "CSIVolume.driver",
            "CSIVolume.volumeHandle",
            "Volume.name",
            "VolumeResourceRequirements.limits",
        ),
        "a check alone goes by it, and decisions that both ask have it": (
            "NodeCondition.status",
            "NodeCondition.type",
            "OwnerReference.uid",
            "PodCondition.status",
            "PodCondition.type",
            "PodSpec.serviceAccountName",
            "ReplicationControllerSpec.selector",
            "Toleration.tolerationSeconds",
        ),
        "is what pods and ports are called, or whether pods end": (
            "ContainerPort.name",
            "PodSpec.restartPolicy",
            "StatefulSetOrdinals.start",
        ),
    },
}
"""Fields of which no change in the table matters, and why."""


@cache
def moved(use: str) -> frozenset[int]:
    """The rows of the table that change what is said, by number."""
    _, say = USES[use]
    before: dict[str, object] = {}
    found = []
    for number, row in enumerate(changes()):
        key = f"{row.place.scene} {row.first}"
        if key not in before:
            before[key] = say(edited(row.first) if row.first else list(scene(row.place.scene)))
        after = say(edited((*row.first, (row.place, row.value))))
        if REFUSED not in (before[key], after) and after != before[key]:
            found.append(number)
    return frozenset(found)


@pytest.mark.parametrize("use", USES)
def test_what_is_read_changes_something(use: str) -> None:
    """Of every field there is a change that matters, or a reason why there is none."""
    purpose, _ = USES[use]
    shown = {field for n in moved(use) for field in along(changes()[n].place, purpose)}
    missing = {f"{struct}.{name}" for struct, name in leaves(purpose) - shown}
    expected = {name for names in EXCEPT[use].values() for name in names}
    assert (sorted(missing - expected), sorted(expected - missing)) == ([], [])


def test_every_row_is_of_use() -> None:
    """Each change of the table matters to a check or a placement."""
    idle = set(range(len(changes()))) - moved("check") - moved("place")
    assert [changes()[number].place for number in sorted(idle)] == []


@pytest.mark.parametrize("use", USES)
def test_what_changes_something_is_not_called_irrelevant(use: str) -> None:
    """The converse: nothing that matters is said to have no effect."""
    purpose, _ = USES[use]
    wrong = [
        changes()[number].place
        for number in sorted(moved(use))
        for struct, name in along(changes()[number].place, purpose)
        if _is_irrelevant(purpose, struct, name)
    ]
    assert wrong == []


def _is_irrelevant(purpose: Purpose, struct: str, name: str) -> bool:
    notes = [notes for of, notes in purpose.fields.items() if of.__name__ == struct]
    note = notes[0].get(name) if notes else None
    return isinstance(note, Note) and note.severity == "irrelevant"
