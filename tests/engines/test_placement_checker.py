"""The checker on placements of which each rule's verdict is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.storage import (
    CSINode,
    PersistentVolume,
    PersistentVolumeClaim,
    Storage,
    StorageClass,
)
from kubelemma.solver.placement.checker import check
from kubelemma.solver.placement.problem import Assignment, Cluster, Placement, Problem, Workload

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
APP = {"matchLabels": {"app": "x"}}
Raw = dict[str, Any]


def node(name: str, zone: str | None = None, **status: str) -> Node:
    """A node with room for nine pods, unless ``status`` says other."""
    labels = {HOSTNAME: name, **({ZONE: zone} if zone else {})}
    allocatable = {"cpu": "4", "pods": "9", **status}
    return decode(
        {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": allocatable}}, Node
    )


def pod(app: str = "x", **spec: Any) -> Pod:
    """A pod with the label ``app``."""
    return decode({"metadata": {"namespace": "one", "labels": {"app": app}}, "spec": spec}, Pod)


def asking(**requests: str) -> Raw:
    """Containers that request so much."""
    return {"containers": [{"resources": {"requests": requests}}]}


def spread(key: str, skew: int = 1, **more: Any) -> Raw:
    """A hard constraint over the pods of app x."""
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": APP,
        **more,
    }


def required(kind: str, key: str, app: str = "x") -> Raw:
    """A required term of affinity or anti-affinity."""
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def rules(
    nodes: Iterable[Node], kinds: Iterable[Pod], on: Iterable[Mapping[int, int]], **cluster: Any
) -> list[str]:
    """The rules that are broken where the pods of each kind lie so: counts by node."""
    kinds, on = tuple(kinds), tuple(on)
    workloads = tuple(
        Workload(f"w{i}", p, sum(counts.values()))
        for i, (p, counts) in enumerate(zip(kinds, on, strict=True))
    )
    assignments = [
        Assignment(w, n, count) for w, counts in enumerate(on) for n, count in counts.items()
    ]
    problem = Problem(Cluster(tuple(nodes), **cluster), workloads)
    return sorted({c.rule for c in check(problem, Placement(tuple(assignments)))})


def resident(on: str, app: str = "x", **spec: Any) -> Pod:
    """An existing pod."""
    return pod(app, nodeName=on, **spec)


A, B, C = node("a", "1"), node("b", "1"), node("c", "2")


def test_malformed_placements() -> None:
    """Indexes out of range, counts below one and pods too many are complaints of their own."""
    problem = Problem(Cluster((A,)), (Workload("w", pod(), 1),))
    for bad in (Assignment(1, 0, 1), Assignment(0, 1, 1), Assignment(0, 0, 0), Assignment(0, 0, 2)):
        assert [c.rule for c in check(problem, Placement((bad,)))] == ["Placement"]
    assert check(problem, Placement(())) == ()


def test_existing_pods_lie_on_nodes() -> None:
    """An existing pod on a node that is not there is an error, and the message names both."""
    problem = Problem(Cluster((A,), (resident("z"),)), ())
    with pytest.raises(ValueError, match="one/ lies on 'z'"):
        check(problem, Placement(()))


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ({"schedulingGates": [{"name": "g"}]}, "SchedulingGates"),
        ({"nodeName": "b"}, "NodeName"),
        ({"nodeSelector": {ZONE: "2"}}, "NodeAffinity"),
    ],
)
def test_static_rules(spec: Raw, rule: str) -> None:
    """What the pod says of itself."""
    assert rules([A], [pod(**spec)], [{0: 1}]) == [rule]


def test_taints_and_cordons() -> None:
    """A taint repels unless tolerated; a cordon is one as well."""
    tainted = decode(
        {
            "metadata": {"name": "t"},
            "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoExecute"}]},
            "status": {"allocatable": {"pods": "9"}},
        },
        Node,
    )
    assert rules([tainted], [pod()], [{0: 1}]) == ["NodeUnschedulable", "TaintToleration"]
    assert rules([tainted], [pod(tolerations=[{"operator": "Exists"}])], [{0: 1}]) == []


def test_room() -> None:
    """Requests add up with those of existing pods; who asks for nothing is not held to it."""
    half, none = pod(**asking(cpu="2")), pod()
    assert rules([A], [half], [{0: 2}]) == []
    assert rules([A], [half], [{0: 3}]) == ["NodeResourcesFit"]
    full = [resident("a", **asking(cpu="3"))]
    assert rules([A], [half], [{0: 1}], pods=tuple(full)) == ["NodeResourcesFit"]
    assert rules([A], [none], [{0: 1}], pods=tuple(full * 2)) == []
    assert rules([A], [none], [{0: 10}]) == ["NodeResourcesFit"]
    assert rules([A], [pod(**asking(**{"example.com/gpu": "1"}))], [{0: 1}]) == ["NodeResourcesFit"]


def test_init_containers_sidecars_and_overhead() -> None:
    """The peak of the start counts if it is more; sidecars count in both; overhead on top."""
    both = pod(
        **asking(cpu="1"),
        initContainers=[
            {"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
            {"resources": {"requests": {"cpu": "2500m"}}},
        ],
        overhead={"cpu": "500m"},
    )
    assert rules([A], [both], [{0: 1}]) == []
    assert rules([node("n", cpu="3999m")], [both], [{0: 1}]) == ["NodeResourcesFit"]


def test_host_ports() -> None:
    """A port of one address clashes with itself and with that of any address, not with another."""

    def port(address: str) -> Pod:
        ports = [{"hostPort": 80, "hostIP": address}]
        return pod(containers=[{"ports": ports}])

    one, other, every = port("10.0.0.1"), port("10.0.0.2"), port("")
    assert rules([A], [one, other], [{0: 1}, {0: 1}]) == []
    assert rules([A], [one, every], [{0: 1}, {0: 1}]) == ["NodePorts"]
    assert rules([A, B], [one], [{0: 1, 1: 1}]) == []
    assert rules([A], [one], [{0: 2}]) == ["NodePorts"]


def test_spread() -> None:
    """Skew is measured at the end, over the domains that count, and against minDomains."""
    even = pod(topologySpreadConstraints=[spread(ZONE)])
    assert rules([A, B, C], [even], [{0: 1, 1: 1, 2: 1}]) == []
    assert rules([A, B, C], [even], [{0: 1, 1: 1}]) == ["PodTopologySpread"]
    three = pod(topologySpreadConstraints=[spread(ZONE, minDomains=3)])
    assert rules([A, B, C], [three], [{0: 1, 2: 1}]) == []
    assert rules([A, B, C], [three], [{0: 1, 1: 1, 2: 1}]) == ["PodTopologySpread"]
    keyless = node("k")
    assert rules([keyless], [even], [{0: 1}]) == ["PodTopologySpread"]


def test_spread_does_not_count_leaving_pods() -> None:
    """Existing pods count, those on their way out do not."""
    even = pod(topologySpreadConstraints=[spread(ZONE)])
    there = resident("a")
    raw = {
        "metadata": {"namespace": "one", "labels": {"app": "x"}, "deletionTimestamp": "2026"},
        "spec": {"nodeName": "a"},
    }
    assert rules([A, C], [even], [{0: 1}], pods=(there,)) == ["PodTopologySpread"]
    assert rules([A, C], [even], [{0: 1}], pods=(decode(raw, Pod),)) == []


@pytest.mark.parametrize(("replicas", "legal"), [(5, True), (6, False), (7, True)])
def test_two_constraints(replicas: int, legal: bool) -> None:  # noqa: FBT001 - a table
    """kubernetes#109364: on 3 + 2 + 1 hosts seven replicas have a legal final state, six none."""
    nodes = [node(f"n{i}", zone) for i, zone in enumerate("aaabbc")]
    both = pod(topologySpreadConstraints=[spread(HOSTNAME), spread(ZONE)])

    def ways(left: int, hosts: int) -> Iterable[tuple[int, ...]]:
        if not hosts:
            return [()] if not left else []
        return ((n, *more) for n in range(left + 1) for more in ways(left - n, hosts - 1))

    found = any(
        not rules(nodes, [both], [{n: count for n, count in enumerate(way) if count}])
        for way in ways(replicas, 6)
    )
    assert found == legal


def test_anti_affinity_is_symmetric() -> None:
    """Whose term it is does not matter, nor whether the other one was there before."""
    alone, other = pod("x", **required("podAntiAffinity", ZONE, "y")), pod("y")
    assert rules([A, B], [alone, other], [{0: 1}, {1: 1}]) == ["InterPodAffinity"]
    assert rules([A, C], [alone, other], [{0: 1}, {1: 1}]) == []
    assert rules([A, B], [alone], [{0: 2}]) == []
    jealous = resident("a", "z", **required("podAntiAffinity", ZONE, "y"))
    assert rules([A, B], [other], [{1: 1}], pods=(jealous,)) == ["InterPodAffinity"]


def test_affinity_and_the_first_of_a_group() -> None:
    """Somebody else must be there, unless nobody is anywhere and the pod means itself."""
    together = pod("x", **required("podAffinity", ZONE))
    assert rules([A, C], [together], [{0: 1}]) == []
    assert rules([A, C], [together], [{0: 2}]) == []
    assert rules([A, C], [together], [{0: 1, 1: 1}]) == ["InterPodAffinity"]
    assert rules([A, C], [together], [{0: 2, 1: 2}]) == []
    assert rules([A, C], [together], [{1: 1}], pods=(resident("a"),)) == ["InterPodAffinity"]
    needy = pod("y", **required("podAffinity", ZONE))
    assert rules([A], [needy], [{0: 1}]) == ["InterPodAffinity"]
    mutual = [
        pod("x", **required("podAffinity", ZONE, "y")),
        pod("y", **required("podAffinity", ZONE, "x")),
    ]
    assert rules([A], mutual, [{0: 1}, {0: 1}]) == []


def claimed(name: str) -> Raw:
    """The volumes of a pod with this claim."""
    return {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]}


def storage(*, modes: Iterable[str] = ("ReadWriteMany",), limit: int = 9) -> Storage:
    """A bound claim in zone 1, two waiting claims with two free volumes, and a limit on node a."""

    def volume(name: str, zone: str, **spec: Any) -> PersistentVolume:
        expression = {"key": ZONE, "operator": "In", "values": [zone]}
        terms = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
        csi = {"driver": "d", "volumeHandle": name}
        offer = {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteMany"], "csi": csi}
        raw = {"metadata": {"name": name}, "spec": {**offer, "nodeAffinity": terms, **spec}}
        return decode(raw, PersistentVolume)

    def claim(name: str, **spec: Any) -> PersistentVolumeClaim:
        notes = {"pv.kubernetes.io/bind-completed": "yes"} if "volumeName" in spec else {}
        metadata = {"name": name, "namespace": "one", "annotations": notes}
        wish = {"resources": {"requests": {"storage": "1Gi"}}, "accessModes": [*modes]}
        return decode({"metadata": metadata, "spec": {**wish, **spec}}, PersistentVolumeClaim)

    local = {"volumeBindingMode": "WaitForFirstConsumer", "metadata": {"name": "local"}}
    made = {**local, "metadata": {"name": "made"}, "provisioner": "d"}
    drivers = [{"name": "d", "topologyKeys": [ZONE], "allocatable": {"count": limit}}]
    return Storage(
        volumes=(
            volume("bound", "1", claimRef={"namespace": "one", "name": "zonal"}),
            volume("free1", "1", storageClassName="local"),
            volume("free2", "2", storageClassName="local"),
        ),
        claims=(
            claim("zonal", volumeName="bound"),
            claim("first", storageClassName="local"),
            claim("second", storageClassName="local"),
            claim("fresh", storageClassName="made"),
            claim("lost", volumeName="gone"),
            claim("none", storageClassName=""),
        ),
        classes=(decode(local, StorageClass), decode(made, StorageClass)),
        csi_nodes=tuple(
            decode({"metadata": {"name": name}, "spec": {"drivers": drivers}}, CSINode)
            for name in "abc"
        ),
    )


@pytest.mark.parametrize(
    ("claims", "on", "broken"),
    [
        (["zonal"], [{0: 2, 1: 1}], []),
        (["zonal"], [{2: 1}], ["VolumeBinding"]),
        (["missing"], [{0: 1}], ["VolumeBinding"]),
        (["lost"], [{0: 1}], ["VolumeBinding"]),
        (["none"], [{0: 1}], ["VolumeBinding"]),
        (["first"], [{0: 1, 1: 1}], []),
        (["first"], [{0: 1, 2: 1}], ["VolumeBinding"]),
        (["first", "second"], [{0: 1}, {2: 1}], []),
        (["first", "second"], [{0: 1}, {1: 1}], ["VolumeBinding"]),
        (["fresh"], [{0: 1, 1: 1}], []),
        (["fresh"], [{0: 1, 2: 1}], ["VolumeBinding"]),
    ],
)
def test_claims(claims: list[str], on: list[dict[int, int]], broken: list[str]) -> None:
    """Bound volumes tie pods to a zone, and so does one that is found or made for several pods."""
    pods = [pod(**claimed(name)) for name in claims]
    assert rules([A, B, C], pods, on, storage=storage()) == broken


def test_volumes_for_one_pod_and_limits() -> None:
    """A ReadWriteOncePod claim has one user; a driver's volumes are counted once each."""
    mine, other = pod(**claimed("zonal")), pod(**claimed("first"))
    single = storage(modes=["ReadWriteOncePod"])
    assert rules([A], [mine], [{0: 1}], storage=single) == []
    assert rules([A, B], [mine], [{0: 1, 1: 1}], storage=single) == ["VolumeRestrictions"]
    used = (resident("a", **claimed("zonal")),)
    assert rules([A, B], [mine], [{1: 1}], pods=used, storage=single) == ["VolumeRestrictions"]
    few = storage(limit=1)
    assert rules([A], [mine], [{0: 3}], storage=few) == []
    assert rules([A, B], [mine, mine], [{0: 1}, {0: 1}], storage=few) == []
    fresh = pod(**claimed("fresh"))
    assert rules([A], [mine, fresh], [{0: 1}, {0: 1}], storage=few) == ["NodeVolumeLimits"]
    assert rules([A, B], [mine, other], [{0: 1}, {1: 1}], storage=storage()) == []


def test_many_pods() -> None:
    """A full cluster of a thousand nodes is accepted, and one pod more is not."""
    nodes = [node(f"n{i}", "abc"[i % 3], pods="30") for i in range(1000)]
    small = pod(**asking(cpu="100m"), topologySpreadConstraints=[spread(ZONE, 30)])
    full = [dict.fromkeys(range(1000), 30)]
    assert rules(nodes, [small], full) == []
    assert rules(nodes, [small, pod("y")], [*full, {7: 1}]) == ["NodeResourcesFit"]


def test_another_domain_can_make_states_illegal() -> None:
    """With spread constraints one more node may forbid what was legal."""
    even = pod(topologySpreadConstraints=[spread(ZONE)])
    assert rules([A], [even], [{0: 2}]) == []
    assert rules([A, C], [even], [{0: 2}]) == ["PodTopologySpread"]


@given(
    wishes=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=4),
    offers=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=4),
)
def test_claims_that_wait_share_volumes_out(
    wishes: list[tuple[int, int]], offers: list[tuple[int, int]]
) -> None:
    """Pods on (node, size) have volumes exactly if some way to deal out (node, size) serves all."""
    local = {"metadata": {"name": "local"}, "volumeBindingMode": "WaitForFirstConsumer"}
    volumes, claims = [], []
    for i, (where, size) in enumerate(offers):
        expression = {"key": HOSTNAME, "operator": "In", "values": ["abc"[where]]}
        terms = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
        offer = {"capacity": {"storage": f"{size}Gi"}, "storageClassName": "local"}
        raw = {"metadata": {"name": f"v{i}"}, "spec": {**offer, "nodeAffinity": terms}}
        volumes.append(decode(raw, PersistentVolume))
    for i, (_, size) in enumerate(wishes):
        wish = {"storageClassName": "local", "resources": {"requests": {"storage": f"{size}Gi"}}}
        metadata = {"name": f"c{i}", "namespace": "one"}
        claims.append(decode({"metadata": metadata, "spec": wish}, PersistentVolumeClaim))
    found = rules(
        [A, B, C],
        [pod(**claimed(f"c{i}")) for i in range(len(wishes))],
        [{where: 1} for where, _ in wishes],
        storage=Storage(
            volumes=tuple(volumes), claims=tuple(claims), classes=(decode(local, StorageClass),)
        ),
    )
    served = any(
        all(
            there == here and large >= size
            for (there, large), (here, size) in zip(dealt, wishes, strict=True)
        )
        for dealt in permutations(offers, len(wishes))
    )
    assert (found == []) == served
