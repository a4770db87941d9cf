"""From objects and events to scenarios."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kubelemma.model.cluster.state import DeploymentState, Phase, Queue
from kubelemma.model.cluster.world import NODES, Behaviour
from kubelemma.model.components.registry import ASKED
from kubelemma.model.components.scheduler.decision import nodeinfo
from kubelemma.model.components.scheduler.decision.resources import held_requests
from kubelemma.model.manifests import (
    Check,
    CheckSpec,
    Cluster,
    EventEntry,
    Faults,
    NodeCrash,
    NodeGroup,
    Rollout,
    Scale,
    nodes_of,
    with_defaults,
)
from kubelemma.model.manifests.check import event_names
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import (
    Application,
    Scenario,
    build,
    check_findings,
    owner_findings,
)
from kubelemma.model.scenario.cluster import default_cluster
from kubelemma.model.scenario.start import Given, Spot, place_all

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"


def deployment(name: str, replicas: int = 1, **spec: Any) -> Deployment:
    """A Deployment whose pods ask for a tenth of a core."""
    container = {"name": "c", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
    raw = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container], **spec},
            },
        },
    }
    return with_defaults(decode(raw, Deployment))


def group(count: int = 3, name: str = "", **amounts: str) -> NodeGroup:
    """Nodes with a core each, unless amounts say otherwise."""
    allocatable = {"cpu": "1", "memory": "1Gi", **amounts}
    quantities = {key: Quantity.parse(value) for key, value in allocatable.items()}
    return NodeGroup(count=count, name=name, allocatable=quantities)


EVENTS = (EventEntry(rollout=Rollout()), EventEntry(node_crash=NodeCrash()))


def only(deployments: list[Deployment], **spec: Any) -> Scenario:
    """The one scenario of a Check, in which there may be a rollout and a crash unless it says."""
    (scenario,) = scenarios_of(Application(tuple(deployments)), **{"events": EVENTS, **spec})
    return scenario


def scenarios_of(application: Application, **spec: Any) -> tuple[Scenario, ...]:
    """All scenarios of a Check."""
    return build(application, Check(metadata=ObjectMeta(name="t"), spec=CheckSpec(**spec)))


def state_of(scenario: Scenario) -> DeploymentState:
    """The first Deployment at the start."""
    found: DeploymentState = scenario.system.initial[0]
    return found


def available(scenario: Scenario) -> int:
    """The pods that are available at the start."""
    nodes = [scenario.system.initial[p] for p in scenario.system.positions[NODES]]
    return sum(g.size for n in nodes for g in n.pods if g.phase == Phase.AVAILABLE)


AVOID = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "web"}}}
        ]
    }
}


# The default cluster


def test_default_cluster_has_room_for_one_node_less() -> None:
    """All pods, and every rollout's surge, find a node when one is missing."""
    deployments = (deployment("web", 5), deployment("api", 3))
    sizing = default_cluster(deployments)
    placed = place_all(Given(deployments), sizing.nodes[1:], ()).placed
    assert len(sizing.nodes) == 3
    assert not any(there.pending for there in placed.values())


def test_default_cluster_grows_with_the_pods() -> None:
    """Pods that do not fit the smallest node get a larger one, with room for all there may be."""
    big = {"name": "c", "resources": {"requests": {"cpu": "6", "memory": "20Gi"}}}
    small, large = (
        default_cluster((deployment("web", **spec),)).nodes[0].status.allocatable
        for spec in ({}, {"containers": [big]})
    )
    assert small is not None
    assert large is not None
    assert small["cpu"].amount == 4
    assert large["cpu"].amount == 128
    assert large["memory"].amount == 512 * 2**30


def test_default_cluster_gives_repelling_pods_hosts() -> None:
    """Pods that keep off each other need a host each, the surge one too, and one may fail."""
    sizing = default_cluster((deployment("web", 3, affinity=AVOID),))
    assert len(sizing.nodes) == 3 + 1 + 1


def test_default_cluster_has_the_labels_that_are_asked_for() -> None:
    """Node selectors and required affinities find their labels; zones appear where they matter."""
    spread = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    web = deployment("web", nodeSelector={"disk": "ssd"}, topologySpreadConstraints=[spread])
    labels = [node.metadata.label_map() for node in default_cluster((web,)).nodes]
    assert {found["disk"] for found in labels} == {"ssd"}
    assert len({found[ZONE] for found in labels}) == 3


def test_default_cluster_says_when_nothing_fits() -> None:
    """A pod that no node can take has no cluster; it costs the others nothing."""
    expressions = [{"key": "x", "operator": "In", "values": [value]} for value in "ab"]
    never = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": never}}
    web, api = deployment("web", affinity=affinity), deployment("api")
    assert default_cluster((web,)).homeless == (web,)
    sizing = default_cluster((web, api))
    assert sizing.homeless == (web,)
    assert (len(sizing.nodes), "fits on 2" in sizing.reason) == (3, True)
    (scenario,) = scenarios_of(Application((web, api)), events=EVENTS)
    assert scenario.focus == ("Deployment default/api",)


PORT = [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]


def test_default_cluster_grows_in_number_for_host_ports() -> None:
    """Each pod that claims a host port needs a node, whichever workload it is of."""
    web, api = deployment("web", 3, containers=PORT), deployment("api", 2, containers=PORT)
    assert len(default_cluster((web,)).nodes) == 3 + 1 + 1
    assert len(default_cluster((web, api)).nodes) == 3 + 1 + 2 + 1 + 1


def test_default_cluster_grows_in_number_for_pods() -> None:
    """A node holds so many pods and no more, however large it is."""
    sizing = default_cluster((deployment("web", 250),))
    assert len(sizing.nodes) == 4
    assert {str((n.status.allocatable or {})["pods"]) for n in sizing.nodes} == {"110"}


@pytest.mark.parametrize(("how", "nodes"), [("DoNotSchedule", 6), ("ScheduleAnyway", 3)])
def test_default_cluster_has_two_nodes_in_each_zone(how: str, nodes: int) -> None:
    """Where pods must be spread over zones, the loss of a node loses no zone."""
    spread = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": how,
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    sizing = default_cluster((deployment("web", topologySpreadConstraints=[spread]),))
    zones = Counter(node.metadata.label_map()[ZONE] for node in sizing.nodes)
    assert (len(zones), set(zones.values())) == (3, {nodes // 3})


def test_default_cluster_has_a_zone_for_each_pod_that_wants_its_own() -> None:
    """Pods that repel each other in a zone find one each, the surge one too."""
    term = {"topologyKey": "rack", "labelSelector": {"matchLabels": {"app": "web"}}}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    sizing = default_cluster((deployment("web", 4, affinity={"podAntiAffinity": required}),))
    racks = Counter(node.metadata.label_map()["rack"] for node in sizing.nodes)
    assert (len(racks), set(racks.values())) == (5, {2})
    assert sizing.reason.endswith("made up, as workloads ask for them: label rack")


def test_default_cluster_names_what_is_made_up() -> None:
    """Labels and resources that are there only because somebody asks for them are named."""
    gpu = {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    web = deployment("web", containers=[gpu], nodeSelector={"disk": "ssd"})
    assert default_cluster((web,)).reason.endswith(
        "; made up, as workloads ask for them: label disk=ssd; resource nvidia.com/gpu"
    )
    assert "made up" not in default_cluster((deployment("web"),)).reason


def test_default_cluster_for_selectors_that_contradict_each_other() -> None:
    """Each gets nodes of its own, and a host that is asked for by name is there."""
    one, two = (deployment(n, nodeSelector={"disk": n}) for n in ("a", "b"))
    labels = [n.metadata.label_map()["disk"] for n in default_cluster((one, two)).nodes]
    assert labels == ["a"] * 3 + ["b"] * 3
    pinned = deployment("web", nodeSelector={HOST: "mine"})
    sizing = default_cluster((pinned,))
    assert [n.metadata.label_map()[HOST] for n in sizing.nodes] == ["mine", "node-2", "node-3"]
    assert "but not when a node is lost" in sizing.reason


def test_made_up_nodes_are_like_real_ones() -> None:
    """The node controller gives every node its labels under their old names, too."""
    labels = default_cluster(()).nodes[0].metadata.label_map()
    assert labels["beta.kubernetes.io/os"] == labels["kubernetes.io/os"] == "linux"
    given = NodeGroup(labels={"kubernetes.io/arch": "arm64"})
    (node,) = nodes_of(Cluster(nodes=(given,)))
    assert node.metadata.label_map()["beta.kubernetes.io/arch"] == "arm64"


def test_ephemeral_storage_of_nodes_of_which_nobody_says_how_much() -> None:
    """It is there where pods ask for it, and that is said; what somebody says is so."""
    asks = {"name": "c", "resources": {"requests": {"ephemeral-storage": "1Gi"}}}
    scenario = only([deployment("web", containers=[asks])], cluster=Cluster(nodes=(group(),)))
    assert "with 100Gi of ephemeral storage where nobody says" in scenario.setting[0]
    assert available(scenario) == 1
    none = group(**{"ephemeral-storage": "0"})
    scenario = only([deployment("web", containers=[asks])], cluster=Cluster(nodes=(none,)))
    assert available(scenario) == 0
    plain = only([deployment("web")], cluster=Cluster(nodes=(group(),)))
    assert "ephemeral" not in plain.setting[0]


# The start


def test_start_is_rolled_out() -> None:
    """Every replica is available on some node, and the ReplicaSet's status says so."""
    scenario = only([deployment("web", 3)], cluster=Cluster(nodes=(group(),)))
    (only_set,) = state_of(scenario).sets
    assert available(scenario) == only_set.status_available == only_set.replicas == 3


def test_start_without_room_has_pending_pods() -> None:
    """What does not fit waits from the beginning, and the setting says it."""
    scenario = only([deployment("web", 3)], cluster=Cluster(nodes=(group(1, cpu="200m"),)))
    (workload,) = scenario.world.workloads
    queue = scenario.system.initial[scenario.system.positions[workload.queue].start]
    assert queue == Queue.of((1, 0))
    assert any("1 finds no node at the start" in sentence for sentence in scenario.setting)


def test_start_adds_up_equal_pods_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of placing many pods grows with their number, not with its square."""
    calls = []

    def counted(pod: Pod) -> tuple[dict[str, int], dict[str, int]]:
        calls.append(pod)
        return held_requests(pod)

    monkeypatch.setattr(nodeinfo, "held_requests", counted)
    nodes = nodes_of(Cluster(nodes=(group(3, cpu="100", memory="1Ti"),)))
    placement = place_all(Given((deployment("web", 200),)), nodes, ())
    assert placement.placed["Deployment", "default", "web"].count(0, Phase.AVAILABLE) == 200
    assert len(calls) <= 2 * 200


def test_bound_pods_are_the_replicas() -> None:
    """Pods of a running cluster are where they are; what lacks is for their controller to make."""
    web = deployment("web", 2)
    raw = {
        "metadata": {
            "name": "web-abc",
            "namespace": "default",
            "labels": {"app": "web"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": True}],
        },
        "spec": {"nodeName": "node-3"},
        "status": {"phase": "Running"},
    }
    nodes = nodes_of(Cluster(nodes=(group(),)))
    placement = place_all(Given((web,), pods=(decode(raw, Pod),)), nodes, ())
    there = placement.placed["Deployment", "default", "web"]
    assert there.on_nodes == {"node-3": {Spot(0, Phase.AVAILABLE): 1}}
    assert there.pending == 0
    assert not any(placement.existing.values())


def test_lone_pods_are_load() -> None:
    """A bound pod of nobody's takes its room, and one that fits nowhere is named."""
    raw: dict[str, Any] = {
        "metadata": {"name": "lone", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "950m"}}}]},
    }
    bound = {**raw, "spec": {**raw["spec"], "nodeName": "node-1"}}
    nodes = nodes_of(Cluster(nodes=(group(1),)))
    pods = (decode(bound, Pod), decode(raw, Pod))
    placement = place_all(Given((deployment("web"),), pods=pods), nodes, ())
    assert len(placement.existing["node-1"]) == 1
    assert [pod.metadata.name for pod in placement.homeless] == ["lone"]
    assert placement.placed["Deployment", "default", "web"].pending == 1


# Which workloads, and which events


def test_each_workload_alone_unless_together() -> None:
    """Workloads are checked one by one, those named together in one system."""
    deployments = tuple(deployment(name) for name in ("a", "b", "c"))
    application = Application(deployments)
    apart = scenarios_of(application, events=EVENTS)
    joint = scenarios_of(application, events=EVENTS, together=("a", "default/c"))
    assert [s.subject for s in apart] == [f"Deployment default/{name}" for name in "abc"]
    assert [len(s.world.workloads) for s in joint] == [2, 1]


def test_others_stand_by() -> None:
    """The pods of other workloads hold their room and never move."""
    application = Application((deployment("web"), deployment("api", 4)))
    first, _ = scenarios_of(application, events=EVENTS)
    standing = sum(
        len(shape.standing) * size
        for shape, size in zip(first.world.shapes, first.world.sizes, strict=True)
    )
    assert standing == 4
    assert any("standing by" in sentence and "api" in sentence for sentence in first.setting)


def test_rollouts_of_one_workload_add_up() -> None:
    """The templates come in the order of the events, each with its behaviour."""
    events = (
        EventEntry(rollout=Rollout(deployment="web", new_version="neverReady")),
        EventEntry(rollout=Rollout(deployment="web", max=2)),
        EventEntry(scale=Scale(deployment="other", replicas=3)),
    )
    scenario = only([deployment("web")], events=events)
    assert [c.behaviour for c in scenario.world.classes] == [
        Behaviour.HEALTHY,
        Behaviour.NEVER_READY,
        Behaviour.HEALTHY,
        Behaviour.HEALTHY,
    ]
    assert "scale" not in " ".join(scenario.setting)


@pytest.mark.parametrize("spec", [{}, {"events": None}])
def test_where_nothing_is_said_questions_are_asked(spec: dict[str, Any]) -> None:
    """Each is a scenario of its own, in which only what it is about may happen."""
    found = scenarios_of(Application((deployment("web"),)), **spec)
    assert [(s.name, s.question, [event.action for event in s.events]) for s in found] == [
        ("t: rollout", "rollout", ["rollout"]),
        ("t: bad-version", "bad-version", ["rollout"]),
        ("t: node-lost", "node-lost", ["node-crash"]),
        ("t: drain", "drain", ["drain"]),
    ]


def test_no_events_are_none() -> None:
    """An empty list is nothing, and one scenario."""
    found = only([deployment("web")], events=())
    assert (found.events, found.question) == ((), "")


def test_without_events() -> None:
    """The report says that nothing may happen; faults of the control plane are left."""
    quiet = only([deployment("web")], events=())
    assert "events: none, the control plane runs by itself" in quiet.setting
    assert not any(rule.environment for rule in quiet.system.rules)
    faulty = only([deployment("web")], events=(), faults=Faults(controller_restarts=1))
    (told,) = (s for s in faulty.setting if s.startswith("events"))
    assert told == "events, at any time: controller-restart once"


def test_restarts_are_events() -> None:
    """The budget of controller restarts becomes an event."""
    scenario = only([deployment("web")], faults=Faults(controller_restarts=2))
    assert any("controller-restart" in cell.name for cell in scenario.system.cells)


# Shapes


@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        ({}, 1),
        ({"affinity": AVOID}, 1),
        ({"nodeSelector": {HOST: "node-2"}}, 3),
    ],
)
def test_nodes_that_nothing_tells_apart_share_a_shape(spec: dict[str, Any], shapes: int) -> None:
    """Host names matter only to pods that ask for one by value."""
    scenario = only([deployment("web", **spec)], cluster=Cluster(nodes=(group(),)))
    assert len(scenario.world.shapes) == shapes
    assert sum(scenario.world.sizes) == 3


def test_every_event_and_fault_of_a_check_is_of_a_component() -> None:
    """What can be asked for is what components know, by the same name, but for lagging caches.

    That something is taken away follows from what is applied, and is no event of its own.
    """
    reconciled = {"staleReads", "staleLists"}
    given = {*event_names(), *Faults.__struct_encode_fields__} - reconciled
    assert given == set(ASKED) - {"prune"}


def test_a_node_that_an_event_names_stands_alone() -> None:
    """The event must find its node, so that node is no longer one of many."""
    events = (EventEntry(node_crash=NodeCrash(node="node-2")),)
    scenario = only([deployment("web")], cluster=Cluster(nodes=(group(),)), events=events)
    assert sorted(scenario.world.sizes) == [1, 2]
    assert len(scenario.system.starts) == 2


def test_terminating_pods_are_dropped_only_with_room() -> None:
    """A roomy cluster need not follow them, a tight one and repelling pods must."""
    roomy = only([deployment("web")], cluster=Cluster(nodes=(group(cpu="8", memory="8Gi"),)))
    tight = only([deployment("web")], cluster=Cluster(nodes=(group(cpu="200m"),)))
    repelling = only(
        [deployment("web", affinity=AVOID)], cluster=Cluster(nodes=(group(cpu="8", memory="8Gi"),))
    )
    follows = [s.world.follows_terminating for s in (roomy, tight, repelling)]
    assert follows == [False, True, True]


# What does not go together


def test_findings_about_nodes() -> None:
    """Unknown and doubled node names, and stale reads, are refused with a suggestion."""
    spec = CheckSpec(
        cluster=Cluster(nodes=(group(2), group(1, name="node-1"))),
        events=(EventEntry(node_crash=NodeCrash(node="node-3")),),
        faults=Faults(stale_reads=1),
    )
    messages = [finding.message for finding in check_findings(spec, ())]
    assert messages == [
        '2 nodes are called "node-1"',
        'there is no Node "node-3" (did you mean "node-2"?)',
        (
            "is 1: controllers read the store here, only 0 can be, unless a controller of your own "
            "is loaded (--load)"
        ),
    ]
    assert len(list(check_findings(spec, (), caches=True))) == 2
    bare = CheckSpec(events=(EventEntry(node_crash=NodeCrash(node="node-1")),))
    (finding,) = check_findings(bare, ())
    assert finding.message.endswith("(describe the cluster, with --nodes for example)")


def test_findings_about_templates() -> None:
    """A template that names a node needs that node."""
    node = Node(metadata=ObjectMeta(name="node-1"))
    web = deployment("web", nodeName="node-2")
    ((found, finding),) = owner_findings((web,), CheckSpec(), (node,))
    assert found is web
    assert finding.message.startswith('there is no Node "node-2"')
    assert not list(owner_findings((web,), CheckSpec(cluster=Cluster(nodes=(group(),))), ()))


def test_a_node_that_rejects_its_pods_starts_without_them() -> None:
    """Where the kubelet would not admit the pods of a template that names it, there are none."""
    taint = {"key": "gpu", "value": "yes", "effect": "NoExecute"}
    raw = {
        "metadata": {"name": "node-1", "labels": {HOST: "node-1"}},
        "spec": {"taints": [taint]},
        "status": {"allocatable": {"cpu": "4", "memory": "4Gi", "pods": "10"}},
    }
    web = deployment("web", nodeName="node-1")
    (scenario,) = scenarios_of(Application((web,), nodes=(decode(raw, Node),)), events=EVENTS)
    assert available(scenario) == 0
    assert state_of(scenario).sets[0].replicas == 1
    tolerant = deployment("web", nodeName="node-1", tolerations=[{"operator": "Exists"}])
    (scenario,) = scenarios_of(Application((tolerant,), nodes=(decode(raw, Node),)), events=EVENTS)
    assert available(scenario) == 1


def test_a_node_that_is_not_ready_starts_down() -> None:
    """A running cluster may have lost a node already: its pods are not Ready."""
    raw = {
        "metadata": {"name": "node-1", "labels": {HOST: "node-1"}},
        "spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]},
        "status": {
            "allocatable": {"cpu": "4", "memory": "4Gi", "pods": "10"},
            "conditions": [{"type": "Ready", "status": "Unknown"}],
        },
    }
    pod = {
        "metadata": {
            "name": "web-abc",
            "namespace": "default",
            "labels": {"app": "web"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": True}],
        },
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Running"},
    }
    application = Application(
        (deployment("web"),), nodes=(decode(raw, Node),), pods=(decode(pod, Pod),)
    )
    (scenario,) = scenarios_of(application, events=EVENTS)
    (node,) = (scenario.system.initial[p] for p in scenario.system.positions[NODES])
    assert (node.up, node.ready, node.evicting) == (False, False, True)
    assert available(scenario) == 0
    assert state_of(scenario).sets[0].status_available == 0


def test_an_event_of_each_workload() -> None:
    """An event that names no workload is one of each that takes it, so many times of each."""
    both = [deployment("web"), deployment("api")]
    events = (EventEntry(rollout=Rollout(max=2)), EventEntry(scale=Scale(replicas=3)))
    scenario = only(both, events=events, together=("web", "api"))
    assert [(e.action, e.budget, e.workload, e.value) for e in scenario.events] == [
        ("rollout", 2, 0, 0),
        ("rollout", 2, 1, 0),
        ("scale", 1, 0, 3),
        ("scale", 1, 1, 3),
    ]
