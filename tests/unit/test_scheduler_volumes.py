"""The volume plugins: each rule by an example, in the scheduler's own words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.status import Code, Status
from kubelemma.model.components.scheduler.decision.volumes import (
    Shelf,
    filter_node,
    pre_filter,
    smallest_match,
    users_of,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    Storage,
    StorageClass,
)

ZONE = "topology.kubernetes.io/zone"
OLD_ZONE = "failure-domain.beta.kubernetes.io/zone"
Raw = dict[str, Any]

AFFINITY = "node(s) didn't match PersistentVolume's node affinity"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"
OTHER_ZONE = "node(s) had no available volume zone"
TAKEN = (
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
)
TOO_MANY = "node(s) exceed max volume count"


def node(name: str = "n", **labels: str) -> Node:
    """A node with labels; ``zone`` is short for that of the zone."""
    named = {ZONE if key == "zone" else key: value for key, value in labels.items()}
    return decode({"metadata": {"name": name, "labels": named}}, Node)


def pod(*claims: str, name: str = "p") -> Pod:
    """A pod with these claims."""
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return decode({"metadata": {"name": name}, "spec": {"volumes": volumes}}, Pod)


def bound(name: str, volume: str, *modes: str, **metadata: Any) -> PersistentVolumeClaim:
    """A claim that is bound to a volume."""
    notes = {"pv.kubernetes.io/bind-completed": "yes"}
    raw = {
        "metadata": {"name": name, "annotations": notes, **metadata},
        "spec": {"volumeName": volume, "accessModes": [*modes]},
    }
    return decode(raw, PersistentVolumeClaim)


def claim(name: str, size: str = "1Gi", **spec: Any) -> PersistentVolumeClaim:
    """A claim of class k that is not bound."""
    wish = {"storageClassName": "k", "resources": {"requests": {"storage": size}}}
    return decode({"metadata": {"name": name}, "spec": {**wish, **spec}}, PersistentVolumeClaim)


def volume(
    name: str, zone: str = "", size: str = "1Gi", labels: Raw | None = None, **spec: Any
) -> PersistentVolume:
    """A volume of class k, within reach of a zone only if one is given."""
    expression = {"key": ZONE, "operator": "In", "values": [zone]}
    terms = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    reach = {"nodeAffinity": terms} if zone else {}
    offer = {"storageClassName": "k", "capacity": {"storage": size}, **reach}
    raw = {"metadata": {"name": name, "labels": labels or {}}, "spec": {**offer, **spec}}
    return decode(raw, PersistentVolume)


def waiting(provisioner: str = "", **more: Any) -> StorageClass:
    """Class k, whose volumes wait for a consumer."""
    mode = {"volumeBindingMode": "WaitForFirstConsumer", "provisioner": provisioner}
    return decode({"metadata": {"name": "k"}, **mode, **more}, StorageClass)


def statuses(subject: Pod, nodes: Sequence[NodeInfo], storage: Storage) -> list[Status]:
    """For each node what the volume plugins say of the pod beside the pods that are there."""
    shelf = Shelf(storage)
    users = users_of((other for info in nodes for other in info.pods), shelf)
    return [filter_node(pre_filter(subject, shelf), info, users, shelf) for info in nodes]


def asked(
    subject: Pod, where: Node, storage: Storage, others: Iterable[Pod] = ()
) -> tuple[str, ...]:
    """The reasons against one node."""
    (status,) = statuses(subject, [NodeInfo(where, tuple(others))], storage)
    return status.reasons


def test_pods_without_claims() -> None:
    """They may go anywhere."""
    assert statuses(pod(), [NodeInfo(node())], Storage()) == [Status(Code.SUCCESS)]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((), 'persistentvolumeclaim "c" not found'),
        ((claim("c"),), "pod has unbound immediate PersistentVolumeClaims"),
        ((claim("c", volumeName="v"),), "pod has unbound immediate PersistentVolumeClaims"),
        (
            (bound("c", "v", deletionTimestamp="2026"),),
            'persistentvolumeclaim "c" is being deleted',
        ),
    ],
)
def test_claims_that_no_node_can_serve(
    given: tuple[PersistentVolumeClaim, ...], reason: str
) -> None:
    """A claim that is missing, or not bound although it does not wait, keeps its pod pending."""
    asking = pre_filter(pod("c"), Shelf(Storage(claims=given)))
    assert asking.rejection == Status(Code.UNRESOLVABLE, (reason,))


def test_lost_claims() -> None:
    """A claim that lost its volume is no use."""
    raw = {"metadata": {"name": "c"}, "spec": {"volumeName": "v"}, "status": {"phase": "Lost"}}
    storage = Storage(claims=(decode(raw, PersistentVolumeClaim),))
    reason = 'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"'
    assert asked(pod("c"), node(), storage) == (reason,)


def test_bound_volumes() -> None:
    """The volume's node affinity decides, by labels."""
    storage = Storage(claims=(bound("c", "v"),), volumes=(volume("v", "a"),))
    assert asked(pod("c"), node(zone="a"), storage) == ()
    assert asked(pod("c"), node(zone="b"), storage) == (AFFINITY,)
    gone = Storage(claims=(bound("c", "v"),))
    lost = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
    assert asked(pod("c"), node(), gone) == (lost,)


def test_zones_of_volumes() -> None:
    """Zone labels must agree, old names with new ones; a node without any is in every zone."""
    for label, value in ((ZONE, "a"), (OLD_ZONE, "a"), (ZONE, "a__c")):
        storage = Storage(
            claims=(bound("c", "v"),), volumes=(volume("v", labels={label: value, "x": "y"}),)
        )
        assert asked(pod("c"), node(zone="a"), storage) == ()
        assert asked(pod("c"), node(zone="b"), storage) == (OTHER_ZONE,)
        assert asked(pod("c"), node(), storage) == ()


def test_read_write_once_pod() -> None:
    """A claim for one pod is taken wherever its user is; preemption may help."""
    storage = Storage(claims=(bound("c", "v", "ReadWriteOncePod"),), volumes=(volume("v"),))
    infos = [NodeInfo(node("a")), NodeInfo(node("b"), (pod("c", name="other"),))]
    assert statuses(pod("c"), infos, storage) == [Status(Code.UNSCHEDULABLE, (TAKEN,))] * 2
    assert asked(pod("c"), node(), storage) == ()


def test_limits_count_volumes_once() -> None:
    """A driver's limit counts different volumes; those that are attached already cost nothing."""
    csi = [{"driver": "d", "volumeHandle": str(i)} for i in range(3)]
    drivers = [{"name": "d", "allocatable": {"count": 1}}, {"name": "e"}]
    storage = Storage(
        claims=tuple(bound(f"c{i}", f"v{i}") for i in range(3)),
        volumes=tuple(volume(f"v{i}", csi=csi[i]) for i in range(3)),
        csi_nodes=(decode({"metadata": {"name": "n"}, "spec": {"drivers": drivers}}, CSINode),),
    )
    assert asked(pod("c0"), node(), storage) == ()
    assert asked(pod("c0", "c1"), node(), storage) == (TOO_MANY,)
    assert asked(pod("c0"), node(), storage, [pod("c1", name="other")]) == (TOO_MANY,)
    assert asked(pod("c0"), node(), storage, [pod("c0", name="other")]) == ()
    full = [pod("c0", "c1", name="other")]
    assert asked(pod("c0"), node(), storage, full) == ()
    assert asked(pod("c0"), node("m"), storage, full) == ()


def test_volumes_for_claims_that_wait() -> None:
    """A free volume within reach serves; two claims of a pod need two."""
    storage = Storage(
        claims=(claim("c"), claim("d")), classes=(waiting(),), volumes=(volume("v", "a"),)
    )
    assert asked(pod("c"), node(zone="a"), storage) == ()
    assert asked(pod("c"), node(zone="b"), storage) == (NO_VOLUME,)
    assert asked(pod("c", "d"), node(zone="a"), storage) == (NO_VOLUME,)


@pytest.mark.parametrize(
    "unfit",
    [
        volume("v", size="512Mi"),
        volume("v", volumeMode="Block"),
        volume("v", storageClassName="other"),
        volume("v", accessModes=["ReadWriteOnce"]),
        volume("v", claimRef={"name": "other"}),
        decode({"metadata": {"name": "v"}, "status": {"phase": "Released"}}, PersistentVolume),
    ],
)
def test_volumes_that_do_not_match(unfit: PersistentVolume) -> None:
    """Size, mode, class, access and an earlier owner each exclude a volume."""
    wish = claim("c", accessModes=["ReadWriteMany"])
    storage = Storage(claims=(wish,), classes=(waiting(),), volumes=(unfit,))
    assert asked(pod("c"), node(), storage) == (NO_VOLUME,)


def test_the_smallest_volume_is_taken() -> None:
    """Unless one is kept for the claim: that comes first, whatever its size."""
    sizes = (volume("large", size="9Gi"), volume("small", size="2Gi"), volume("tiny", size="1Mi"))
    shelf = Shelf(Storage(volumes=sizes, classes=(waiting(),)))
    found = smallest_match(claim("c"), node(), shelf, set())
    assert found is not None
    assert found.metadata.name == "small"
    kept = volume("kept", size="50Gi", claimRef={"name": "c"})
    shelf = Shelf(Storage(volumes=(*sizes, kept), classes=(waiting(),)))
    assert smallest_match(claim("c"), node(), shelf, set()) == kept


def test_labels_of_volumes() -> None:
    """A claim's selector picks volumes by label."""
    wish = claim("c", selector={"matchLabels": {"tier": "fast"}})
    plain, fast = volume("plain"), volume("fast", labels={"tier": "fast"})
    shelf = Shelf(Storage(volumes=(plain, fast), classes=(waiting(),)))
    assert smallest_match(wish, node(), shelf, set()) == fast


def test_volumes_that_are_made() -> None:
    """A provisioner makes volumes where the class allows it, and on the selected node only."""
    zone_a = {"matchLabelExpressions": [{"key": ZONE, "values": ["a"]}]}
    storage = Storage(claims=(claim("c"),), classes=(waiting("d", allowedTopologies=[zone_a]),))
    assert asked(pod("c"), node(zone="a"), storage) == ()
    assert asked(pod("c"), node(zone="b"), storage) == (NO_VOLUME,)
    none = Storage(claims=(claim("c"),), classes=(waiting("kubernetes.io/no-provisioner"),))
    assert asked(pod("c"), node(zone="a"), none) == (NO_VOLUME,)
    notes = {"volume.kubernetes.io/selected-node": "n"}
    raw = {
        "metadata": {"name": "c", "annotations": notes},
        "spec": {"storageClassName": "k"},
    }
    chosen = Storage(claims=(decode(raw, PersistentVolumeClaim),), classes=(waiting("d"),))
    assert asked(pod("c"), node("n"), chosen) == ()
    assert asked(pod("c"), node("m"), chosen) == (NO_VOLUME,)


def test_capacity_that_is_left() -> None:
    """A driver that tells how much is left is believed, per node, by its largest volume."""
    driver = decode({"metadata": {"name": "d"}, "spec": {"storageCapacity": True}}, CSIDriver)
    raw = {
        "storageClassName": "k",
        "capacity": "100Gi",
        "maximumVolumeSize": "1Gi",
        "nodeTopology": {"matchLabels": {ZONE: "a"}},
    }
    storage = Storage(
        claims=(claim("c", "1Gi"), claim("d", "2Gi")),
        classes=(waiting("d"),),
        drivers=(driver,),
        capacities=(decode(raw, CSIStorageCapacity),),
    )
    assert asked(pod("c"), node(zone="a"), storage) == ()
    assert asked(pod("c"), node(zone="b"), storage) == (NO_SPACE,)
    assert asked(pod("d"), node(zone="a"), storage) == (NO_SPACE,)


def test_claims_of_their_own() -> None:
    """An ephemeral volume's claim is taken to be there, as its template says."""
    spec = {"storageClassName": "k"}
    volumes = [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}]
    own = decode({"metadata": {"name": "p"}, "spec": {"volumes": volumes}}, Pod)
    assert asked(own, node(), Storage(classes=(waiting("d"),))) == ()
    assert asked(own, node(), Storage(classes=(waiting(),))) == (NO_VOLUME,)
    single = {**spec, "accessModes": ["ReadWriteOncePod"]}
    volumes = [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": single}}}]
    one = decode({"spec": {"volumes": volumes}}, Pod)
    assert asked(one, node(), Storage(classes=(waiting("d"),)), [one]) == ()


def test_the_default_class() -> None:
    """A claim that names no class gets the default one; one that names "" gets none."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage_class = waiting("d", metadata={"name": "k", "annotations": default})
    absent = claim("c", storageClassName=None)
    none = claim("c", storageClassName="")
    assert asked(pod("c"), node(), Storage(claims=(absent,), classes=(storage_class,))) == ()
    reason = "pod has unbound immediate PersistentVolumeClaims"
    storage = Storage(claims=(none,), classes=(storage_class,))
    assert asked(pod("c"), node(), storage) == (reason,)
