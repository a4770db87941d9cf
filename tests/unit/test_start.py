"""The start is what was given: pods, what controls them, and what is not in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubelemma.model.cluster.snapshot import NOWHERE, PENDING, Snapshot
from kubelemma.model.cluster.state import DeploymentState, Phase
from kubelemma.model.components.scheduler.decision.resources import held_requests
from kubelemma.model.manifests import (
    Check,
    CheckSpec,
    Cluster,
    EventEntry,
    NodeGroup,
    Rollback,
    Rollout,
    nodes_of,
    with_defaults,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import OwnerReference
from kubelemma.model.objects.node import Node, NodeCondition
from kubelemma.model.objects.pod import (
    Container,
    Pod,
    PodCondition,
    PodStatus,
    PodTemplateSpec,
    ResourceRequirements,
)
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.objects.workloads import Deployment, ReplicaSet
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.properties.select import properties_for
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits

REVISION = "deployment.kubernetes.io/revision"


def template(image: str, **labels: str) -> dict[str, Any]:
    """A template of pods that ask for a gibibyte."""
    container = {"name": "c", "image": image, "resources": {"requests": {"memory": "1Gi"}}}
    return {"metadata": {"labels": {"app": "web", **labels}}, "spec": {"containers": [container]}}


def deployment(
    image: str = "web:1", replicas: int = 2, status: dict[str, int] | None = None
) -> Deployment:
    """A Deployment as the API has it."""
    raw = {
        "metadata": {"name": "web", "namespace": "default", "uid": "d"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
        },
        "status": status or {},
    }
    return with_defaults(decode(raw, Deployment))


def replica_set(revision: int, size: int, **status: int) -> ReplicaSet:
    """The ReplicaSet of a revision, whose image has its number."""
    controller = {"kind": "Deployment", "name": "web", "uid": "d", "controller": True}
    name = f"r{revision}"
    raw = {
        "metadata": {
            "name": f"web-{name}",
            "namespace": "default",
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [controller],
        },
        "spec": {
            "replicas": size,
            "selector": {"matchLabels": {"app": "web", "pod-template-hash": name}},
            "template": template(f"web:{revision}", **{"pod-template-hash": name}),
        },
        "status": status,
    }
    return with_defaults(decode(raw, ReplicaSet))


def pod(revision: int, node: str = "", phase: str = "Running", **metadata: Any) -> Pod:
    """A pod of a revision."""
    name = f"r{revision}"
    controller = {"kind": "ReplicaSet", "name": f"web-{name}", "controller": True}
    spec = template(f"web:{revision}", **{"pod-template-hash": name})
    raw = {
        "metadata": {
            **spec["metadata"],
            "name": f"web-{name}-x",
            "namespace": "default",
            "ownerReferences": [controller],
            **metadata,
        },
        "spec": {**spec["spec"], **({"nodeName": node} if node else {})},
        "status": {"phase": phase},
    }
    return with_defaults(decode(raw, Pod))


def nodes(memory: str = "2Gi") -> tuple[Node, ...]:
    """Two nodes."""
    amounts = {"cpu": Quantity(4), "memory": Quantity.parse(memory)}
    return nodes_of(Cluster(nodes=(NodeGroup(count=2, allocatable=amounts),)))


def start(
    owner: Deployment,
    *pods: Pod,
    parts: tuple[ReplicaSet, ...] = (),
    cluster: tuple[Node, ...] | None = None,
    events: tuple[EventEntry, ...] = (),
) -> Snapshot[Scenario]:
    """The start of the only scenario."""
    found = nodes() if cluster is None else cluster
    application = Application((owner,), parts=parts, nodes=found, pods=pods)
    (scenario,) = build(application, Check(spec=CheckSpec(events=events)))
    return Snapshot(scenario, scenario.system.initial)


def owner_of(seen: Snapshot[Scenario]) -> DeploymentState:
    """The Deployment at the start."""
    return seen.deployment(seen.world.workloads[0])


def crowd(seen: Snapshot[Scenario]) -> dict[tuple[str, str, int], int]:
    """How many pods of which controller are where, in which phase."""
    found = {}
    for place, number in seen.places().items():
        owners = seen.world.classes[place.pod_class].pod.metadata.owner_references or ()
        found[owners[0].name, place.node, place.phase] = number
    return found


def said(seen: Snapshot[Scenario]) -> str:
    """What is said of the start."""
    return "\n".join(seen.scenario.setting)


def test_a_rollout_under_way_goes_on() -> None:
    """Sizes, revisions and statuses are those of the ReplicaSets, and pods are where they are."""
    parts = (replica_set(2, 1, replicas=1), replica_set(1, 2, replicas=2, availableReplicas=2))
    pods = (pod(1, "node-1"), pod(1, "node-2"), pod(2, phase="Pending"))
    seen = start(deployment("web:2"), *pods, parts=parts)
    owner = owner_of(seen)
    assert owner.template == 1
    assert [(s.template, s.revision, s.replicas, s.status_available) for s in owner.sets] == [
        (0, 1, 2, 2),
        (1, 2, 1, 0),
    ]
    assert crowd(seen) == {
        ("web-r1", "node-1", Phase.AVAILABLE): 1,
        ("web-r1", "node-2", Phase.AVAILABLE): 1,
        ("web-r2", NOWHERE, PENDING): 1,
    }
    assert "web-r1 2 available; web-r2 1 without a node" in said(seen)


def test_surplus_pods_are_there() -> None:
    """Pods beyond the replicas hold their room until the controller deletes them."""
    seen = start(deployment(replicas=1), pod(1, "node-1"), pod(2, "node-2"))
    assert sum(crowd(seen).values()) == 2


def test_lacking_pods_are_not_made_up() -> None:
    """Where the input has some pods of a workload, the others do not exist."""
    seen = start(deployment(replicas=2), pod(1, "node-1"))
    assert sum(crowd(seen).values()) == 1
    assert owner_of(seen).sets[0].replicas == 2


def test_a_template_that_no_replicaset_has_is_new() -> None:
    """A Deployment whose controller has not seen its spec yet has a rollout before it."""
    parts = (replica_set(1, 2),)
    seen = start(deployment("web:2"), pod(1, "node-1"), pod(1, "node-2"), parts=parts)
    owner = owner_of(seen)
    assert (owner.template, [s.template for s in owner.sets]) == (1, [0])


def test_pods_tell_of_replicasets_that_are_not_given() -> None:
    """Pods unlike the template are of an older ReplicaSet, as large as there are pods."""
    pods = (pod(1, "node-1"), pod(1, "node-2"), pod(2, phase="Pending"))
    owner = owner_of(start(deployment("web:2"), *pods))
    assert [(s.template, s.replicas) for s in owner.sets] == [(0, 2), (1, 1)]
    assert owner.template == 1


def test_a_deployment_that_counts_all_as_updated_is_believed() -> None:
    """Admission may change pods: where the status says that all are new, they are."""
    status = {"replicas": 2, "updatedReplicas": 2}
    owner = owner_of(start(deployment("web:2", status=status), pod(1, "node-1"), pod(1, "node-2")))
    assert [s.replicas for s in owner.sets] == [2]


def test_replicasets_without_pods_in_the_input() -> None:
    """Pods are placed for each of them where the input has none."""
    parts = (replica_set(1, 1), replica_set(2, 1))
    seen = start(deployment("web:2"), parts=parts)
    assert sorted((name, number) for (name, _, _), number in crowd(seen).items()) == [
        ("web-r1", 1),
        ("web-r2", 1),
    ]


def test_replicasets_count_pods_that_are_not_given() -> None:
    """Their statuses say how many there are and how many of these are available."""
    one = {"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    parts = (replica_set(1, 2, **one), replica_set(2, 1, observedGeneration=1, replicas=1))
    seen = start(deployment("web:2"), parts=parts)
    phases = sorted((name, phase, number) for (name, _, phase), number in crowd(seen).items())
    assert phases == [
        ("web-r1", Phase.AVAILABLE, 1),
        ("web-r1", Phase.AVAILABLE, 1),
        ("web-r2", Phase.STARTING, 1),
    ]
    assert "all is rolled out" not in said(seen)
    counted = "the ReplicaSets of the input count its pods, which the input does not have"
    assert f"{counted}: web-r1 2 available; web-r2 1 not Ready yet" in said(seen)


def test_a_pod_that_is_counted_as_not_ready_may_have_no_node() -> None:
    """Available ones have; of the others the scheduler says."""
    one = {"observedGeneration": 1, "replicas": 3, "readyReplicas": 2, "availableReplicas": 2}
    seen = start(deployment(replicas=3), parts=(replica_set(1, 3, **one),), cluster=nodes("1Gi"))
    places = {place: number for (_, *place), number in crowd(seen).items() for place in [place[0]]}
    assert places == {"node-1": 1, "node-2": 1, NOWHERE: 1}
    assert "of which 1 finds no node at the start" in said(seen)


def test_a_status_that_says_otherwise_is_told() -> None:
    """Without its ReplicaSets a Deployment is taken as rolled out, and what it counts is said."""
    behind = {"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}
    seen = start(deployment("web:2", status=behind))
    words = "by its status it is not: 3 pods, of which 1 updated and 2 available"
    assert words in said(seen)
    fine = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    assert "by its status" not in said(start(deployment("web:2", status=fine)))


def test_pods_of_nobody_here_are_load() -> None:
    """Whose controller, or its owner, is not in the input is named, with what is assumed."""
    lost = replica_set(1, 1)
    above = msgspec.structs.replace(lost.metadata.owner_references[0], name="old", uid="")
    metadata = msgspec.structs.replace(lost.metadata, name="old-r1", owner_references=(above,))
    lost = msgspec.structs.replace(lost, metadata=metadata)

    def of(kind: str, name: str) -> Pod:
        one = pod(1, "node-1")
        controller = OwnerReference(kind=kind, name=name, controller=True)
        metadata = msgspec.structs.replace(
            one.metadata, name=f"{name}-x", labels={}, owner_references=(controller,)
        )
        return msgspec.structs.replace(one, metadata=metadata)

    stray = (of("ReplicaSet", "gone"), of("ReplicaSet", "old-r1"), of("DaemonSet", "agent"))
    found = said(start(deployment(), *stray, parts=(lost,)))
    load = "load that stays, and that nobody makes again here"
    above_of = "the Deployment of the ReplicaSet of each is not in the input"
    for sentence in (
        "not checked, and make no pods: ReplicaSet default/old-r1: the Deployment of each is not",
        f"{load}: Pod default/gone-x: the ReplicaSet of each is not in the input",
        f"{load}: Pod default/old-r1-x: {above_of}",
        f"{load}: Pod default/agent-x: each belongs to a DaemonSet, which is no part of a check",
    ):
        assert sentence in found


def test_old_templates_are_left_out_unless_somebody_goes_back() -> None:
    """An empty ReplicaSet costs states, and matters only to a rollback."""
    parts = tuple(replica_set(revision, 2 * (revision == 3)) for revision in (1, 2, 3))
    pods = (pod(3, "node-1"), pod(3, "node-2"))
    plain = start(deployment("web:3"), *pods, parts=parts)
    assert len(owner_of(plain).sets) == 1
    assert "left out: 2" in said(plain)
    back = (EventEntry(rollback=Rollback(workload="web")),)
    undone = start(deployment("web:3"), *pods, parts=parts, events=back)
    assert len(owner_of(undone).sets) == 2


def test_phases_are_those_of_the_status() -> None:
    """Pods that start, that are not Ready, and that terminate."""
    unready = pod(1, "node-1")
    condition = PodCondition(type="Ready", status="False")
    unready = msgspec.structs.replace(
        unready, status=PodStatus(phase="Running", conditions=(condition,))
    )
    pods = (
        pod(1, "node-1", phase="Pending"),
        unready,
        pod(1, "node-2", deletionTimestamp="2026-01-01T00:00:00Z"),
    )
    phases = {phase for _, _, phase in crowd(start(deployment(), *pods))}
    assert phases == {Phase.ASSIGNED, Phase.STARTING, Phase.TERMINATING}


def test_terminating_pods_are_dropped_where_nobody_minds() -> None:
    """With room for all there may be, a pod that terminates makes no difference."""
    ending = pod(1, "node-2", deletionTimestamp="2026-01-01T00:00:00Z")
    seen = start(deployment(), pod(1, "node-1"), ending, cluster=nodes("64Gi"))
    assert sum(crowd(seen).values()) == 1


def test_what_is_not_in_the_start_is_listed() -> None:
    """Pods that have ended, and pods of Nodes that are gone."""
    pods = (pod(1, "node-1"), pod(1, "node-2", phase="Failed"), pod(1, "node-9"))
    seen = start(deployment(), *pods)
    assert sum(crowd(seen).values()) == 1
    assert "Pod default/web-r1-x: Failed" in said(seen)
    assert 'there is no Node "node-9"' in said(seen)


def test_pods_without_their_nodes_are_somewhere() -> None:
    """Where the input has pods and no Nodes, they are on some of the default cluster."""
    seen = start(deployment(), pod(1, "worker-a"), pod(1, "worker-b"), cluster=())
    assert {phase for _, _, phase in crowd(seen)} == {Phase.AVAILABLE}
    assert sum(crowd(seen).values()) == 2


def test_pods_of_nodes_that_are_not_ready() -> None:
    """They are not Ready either, whatever their own status says."""
    first, second = nodes()
    down = (NodeCondition(type="Ready", status="Unknown"),)
    status = msgspec.structs.replace(first.status, conditions=down)
    cluster = (msgspec.structs.replace(first, status=status), second)
    seen = start(deployment(), pod(1, "node-1"), pod(1, "node-2"), cluster=cluster)
    assert crowd(seen)["web-v1", "node-1", Phase.STARTING] == 1


def test_a_nomination_is_said() -> None:
    """Whoever waits for a node that is promised to it is named."""
    waiting = pod(1, phase="Pending")
    status = PodStatus(phase="Pending", nominated_node_name="node-1")
    nominated = msgspec.structs.replace(waiting, status=status)
    assert "nominated for node-1" in said(start(deployment(), nominated))


def injected(one: Pod, memory: str = "512Mi", generation: int = 1, **more: Any) -> Pod:
    """The pod with a sidecar that a webhook has put into it, and a label."""
    resources = ResourceRequirements(requests={"memory": Quantity.parse(memory)})
    sidecar = Container(name="proxy", image="proxy", resources=resources)
    containers = (*(one.spec.containers or ()), sidecar)
    spec = msgspec.structs.replace(one.spec, containers=containers, **more)
    labels = {**one.metadata.label_map(), "mesh": "on"}
    metadata = msgspec.structs.replace(one.metadata, labels=labels, generation=generation)
    return msgspec.structs.replace(one, metadata=metadata, spec=spec)


def resized(one: Pod, memory: str) -> Pod:
    """The pod after somebody has resized it in place."""
    (container,) = one.spec.containers or ()
    resources = ResourceRequirements(requests={"memory": Quantity.parse(memory)})
    spec = msgspec.structs.replace(
        one.spec, containers=(msgspec.structs.replace(container, resources=resources),)
    )
    metadata = msgspec.structs.replace(one.metadata, generation=2)
    return msgspec.structs.replace(one, metadata=metadata, spec=spec)


def asked_memory(seen: Snapshot[Scenario]) -> list[int]:
    """What a pod of each class requests, in MiB."""
    return [int(held_requests(c.pod)[0]["memory"]) // 2**20 for c in seen.world.classes]


PARTS = (replica_set(1, 2),)


def test_what_all_pods_have_admission_adds() -> None:
    """New pods, and those of a restart, are as those that there are; their labels are, too."""
    pods = (injected(pod(1, "node-1")), injected(pod(1, "node-2")))
    rollout = (EventEntry(rollout=Rollout(workload="web")),)
    seen = start(deployment(), *pods, parts=PARTS, events=rollout)
    assert asked_memory(seen) == [1536, 1536]
    own = [c.pod.metadata.label_map() for c in seen.world.classes]
    assert [labels["mesh"] for labels in own] == ["on", "on"]
    assert [labels["pod-template-hash"] for labels in own] == ["r1", "v2"]
    words = "new pods of Deployment default/web are taken to be as those that there are"
    assert f"{words}, all of which differ from the template in requests" in said(seen)
    assert not seen.scenario.held


def test_pods_that_differ_among_each_other_leave_it_open() -> None:
    """Each counts as it is; nobody knows what admission makes of the next one."""
    pods = (injected(pod(1, "node-1")), pod(1, "node-2"))
    seen = start(deployment(), *pods, parts=PARTS)
    assert asked_memory(seen) == [1024, 1536]
    assert {place.pod_class: place.node for place in seen.places()} == {1: "node-1", 0: "node-2"}
    assert "what admission makes of new ones is not known" in seen.scenario.held
    assert "so admission makes them" not in said(seen)


def test_resized_pods_are_not_what_admission_makes() -> None:
    """They count as they are, and the next one has the size of the template."""
    pods = (resized(pod(1, "node-1"), "2Gi"), resized(pod(1, "node-2"), "2Gi"))
    seen = start(deployment(), *pods, parts=PARTS)
    assert asked_memory(seen) == [1024, 2048]
    assert {place.pod_class for place in seen.places()} == {1}
    assert [s.replicas for s in owner_of(seen).sets] == [2]
    assert "count as they are: Pod default/web-r1-x in requests" in said(seen)
    assert not seen.scenario.held


def test_many_kinds_of_pods_are_taken_as_the_template_says() -> None:
    """Else nothing would be alike."""
    sizes = ("1100Mi", "1200Mi", "1300Mi", "1400Mi")
    pods = [resized(pod(1, f"node-{1 + i % 2}"), size) for i, size in enumerate(sizes)]
    seen = start(deployment(replicas=4), *pods, parts=(replica_set(1, 4),), cluster=nodes("8Gi"))
    assert asked_memory(seen) == [1024]
    assert "pods are taken as their templates say" in seen.scenario.held


@pytest.mark.parametrize(("size", "verdict"), [("1Gi", "holds"), ("2Gi", "violated")])
def test_room_that_a_resized_pod_takes_decides(size: str, verdict: str) -> None:
    """A rollout finds no place beside a pod that has grown, and goes on where it has not."""
    own = resized(pod(1, "node-1"), size)
    surging = deployment(replicas=1)
    rollout = (EventEntry(rollout=Rollout(workload="web")),)
    one = nodes("2Gi")[:1]
    seen = start(surging, own, parts=(replica_set(1, 1),), cluster=one, events=rollout)
    found = check(seen.scenario.system, properties_for(seen.scenario, ("DEP-4",)), Limits())
    assert [str(p.verdict) for p in found.properties] == [verdict]
    assert asked_memory(seen)[-1] == (2048 if size == "2Gi" else 1024)


def test_a_pending_pod_of_its_own_waits_as_what_it_is() -> None:
    """It is in the queue of its owner, behind the templates."""
    pods = (pod(1, "node-1"), injected(pod(1, phase="Pending")))
    seen = start(deployment(), *pods, parts=PARTS)
    assert {(p.pod_class, p.node) for p in seen.places()} == {(0, "node-1"), (1, NOWHERE)}
    assert "1 without a node" in said(seen)
    assert owner_of(seen).sets[0].replicas == 2


def test_a_terminating_pod_says_nothing_of_admission() -> None:
    """What was made before the webhook came goes."""
    gone = pod(1, "node-1", deletionTimestamp="2026-01-01T00:00:00Z")
    pods = (gone, injected(pod(1, "node-1")), injected(pod(1, "node-2")))
    seen = start(deployment(), *pods, parts=PARTS)
    assert asked_memory(seen) == [1536, 1024]
    assert not seen.scenario.held


def test_gates_of_a_template_are_not_taken_away() -> None:
    """Whoever has opened the gates of the pods that there are has not opened those of others."""
    base = template("web:1", **{"pod-template-hash": "r1"})
    base["spec"]["schedulingGates"] = [{"name": "wait"}]
    part = replica_set(1, 2)
    gated = msgspec.structs.replace(part.spec, template=decode(base, PodTemplateSpec))
    parts = (with_defaults(msgspec.structs.replace(part, spec=gated)),)
    pods = (injected(pod(1, "node-1")), injected(pod(1, "node-2")))
    seen = start(deployment(), *pods, parts=parts)
    assert [c.gated for c in seen.world.classes if c.template == 0] == [True]
