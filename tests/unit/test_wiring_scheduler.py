"""The scheduler on counts and sums against the scheduler on a full list of nodes and pods.

Random clusters and Deployments are built into systems and walked at random. In every state met,
every node and every pod is written out as an API object of its own, and the whole profile decides
on these; the feasible nodes and the nodes of the best score must be the ones that the wiring finds
through its tallies and bests.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from kubelemma.model.cluster.state import ACTIVE, NodeState, Phase, Queue
from kubelemma.model.cluster.world import NODES, PodClass
from kubelemma.model.components.scheduler.decision.default_selector import Workload
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import Decision, Snapshot, decide
from kubelemma.model.components.scheduler.rules import feasibility
from kubelemma.model.components.scheduler.scoring import Scoring, scoring_of
from kubelemma.model.components.scheduler.topology import Topology, topology_of
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import (
    Check,
    CheckSpec,
    Cordon,
    DeletePod,
    Drain,
    EventEntry,
    NodeCrash,
    ProbeFailure,
    Rollout,
    Scale,
)
from kubelemma.model.manifests.options import Bounds, SchedulerOptions
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Namespace, Node, Taint
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.model.scenario.start import Given, place_all
from kubelemma.model.scenario.templates import key_of, pod_of
from kubelemma.model.system import State, Transition
from kubelemma.properties.formula import Always, EachStep
from kubelemma.properties.select import properties_for

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
DELETED = "2026-01-01T00:00:00Z"
STEPS = 14
"""States of one walk."""

Raw = dict[str, Any]

# Random objects, as plain data

SELECTORS: st.SearchStrategy[Raw | None] = st.sampled_from(
    [
        {"matchLabels": {"app": "web"}},
        {"matchLabels": {"app": "api"}},
        {"matchLabels": {"app": "web"}},
        {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]},
        {},
        None,
    ]
)
KEYS = st.sampled_from([HOSTNAME, HOSTNAME, ZONE, ZONE, "disk"])
LABEL_KEYS = st.sampled_from([None, None, ["pod-template-hash"]])


def some(items: st.SearchStrategy[Any], most: int = 1) -> st.SearchStrategy[list[Any]]:
    """Usually nothing, sometimes up to ``most`` items."""
    return st.one_of(st.just([]), st.lists(items, max_size=most))


def present(raw: Mapping[str, Any]) -> Raw:
    """The fields that are given."""
    return {key: value for key, value in raw.items() if value is not None and value != []}


@st.composite
def pod_terms(draw: st.DrawFn) -> Raw:
    """A term of inter-pod affinity, of the own or another namespace."""
    keys = draw(LABEL_KEYS)
    return present(
        {
            "topologyKey": draw(KEYS),
            "labelSelector": draw(SELECTORS),
            "namespaces": draw(
                st.sampled_from([None, None, None, ["other"], ["default", "other"]])
            ),
            "namespaceSelector": draw(
                st.sampled_from([None, None, None, {}, {"matchLabels": {"team": "a"}}])
            ),
            "matchLabelKeys": keys,
        }
    )


@st.composite
def node_terms(draw: st.DrawFn) -> Raw:
    """A term over the labels of nodes, or the name of one."""
    key = draw(st.sampled_from(["disk", "disk", ZONE, HOSTNAME, "metadata.name"]))
    values = {"disk": ["ssd"], ZONE: ["a"]}.get(key, ["n0"])
    operator = draw(st.sampled_from(["In", "NotIn"]))
    field = "matchFields" if key == "metadata.name" else "matchExpressions"
    return {field: [{"key": key, "operator": operator, "values": values}]}


@st.composite
def spreads(draw: st.DrawFn) -> Raw:
    """A topology spread constraint with any of its options."""
    action = draw(st.sampled_from(["DoNotSchedule", "DoNotSchedule", "ScheduleAnyway"]))
    few = draw(st.sampled_from([None, None, 2, 3])) if action == "DoNotSchedule" else None
    policy = st.sampled_from([None, "Honor", "Ignore"])
    return present(
        {
            "maxSkew": draw(st.integers(1, 2)),
            "topologyKey": draw(KEYS),
            "whenUnsatisfiable": action,
            "labelSelector": draw(SELECTORS),
            "minDomains": few,
            "nodeAffinityPolicy": draw(policy),
            "nodeTaintsPolicy": draw(policy),
            "matchLabelKeys": draw(LABEL_KEYS),
        }
    )


def weighted(item: str, terms: st.SearchStrategy[Raw]) -> st.SearchStrategy[Raw]:
    """A preferred term and its weight."""
    return st.builds(lambda w, term: {"weight": w, item: term}, st.integers(1, 100), terms)


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def pod_affinities() -> st.SearchStrategy[Raw]:
    """Terms of inter-pod affinity or anti-affinity, required or preferred."""
    return st.one_of(
        st.builds(lambda terms: {REQUIRED: terms}, st.lists(pod_terms(), min_size=1, max_size=2)),
        st.builds(
            lambda terms: {PREFERRED: terms},
            st.lists(weighted("podAffinityTerm", pod_terms()), min_size=1, max_size=2),
        ),
    )


def node_affinities() -> st.SearchStrategy[Raw]:
    """Terms of node affinity, required or preferred."""
    return st.one_of(
        st.builds(
            lambda terms: {REQUIRED: {"nodeSelectorTerms": terms}},
            st.lists(node_terms(), min_size=1, max_size=2),
        ),
        st.builds(
            lambda terms: {PREFERRED: terms},
            st.lists(weighted("preference", node_terms()), min_size=1, max_size=2),
        ),
    )


TOLERATIONS = some(
    st.sampled_from(
        [
            {"key": "dedicated", "operator": "Exists"},
            {"key": "dedicated", "operator": "Equal", "value": "x", "effect": "NoSchedule"},
            {"key": UNREACHABLE, "operator": "Exists", "effect": "NoSchedule"},
            {"key": UNSCHEDULABLE, "operator": "Exists"},
        ]
    ),
    2,
)


FEATURES = (
    "nodeAffinity",
    "podAffinity",
    "podAntiAffinity",
    "podAntiAffinity",
    "spread",
    "spread",
    "nodeSelector",
    "hostPort",
)


@st.composite
def pod_specs(draw: st.DrawFn) -> Raw:
    """What a pod asks for: of all that may constrain it, one or two things."""
    features = draw(st.lists(st.sampled_from(FEATURES), max_size=2))
    requests = draw(
        st.sampled_from([None, {"cpu": "500m", "memory": "1Gi"}, {"cpu": "1", "memory": "256Mi"}])
    )
    kinds = {"nodeAffinity": node_affinities(), "podAffinity": pod_affinities()}
    kinds["podAntiAffinity"] = pod_affinities()
    affinity = {kind: draw(terms) for kind, terms in kinds.items() if kind in features}
    container = present(
        {
            "name": "main",
            "image": draw(st.sampled_from(["registry/a:1", "registry/b:1"])),
            "resources": {"requests": requests} if requests else None,
            "ports": [{"containerPort": 80, "hostPort": 8080}] * ("hostPort" in features),
        }
    )
    return present(
        {
            "containers": [container],
            "nodeSelector": {"disk": "ssd"} if "nodeSelector" in features else None,
            "affinity": affinity or None,
            "tolerations": draw(TOLERATIONS),
            "topologySpreadConstraints": [draw(spreads()) for f in features if f == "spread"],
        }
    )


@st.composite
def nodes(draw: st.DrawFn, index: int) -> Raw:
    """A node; its host name is now and then missing, or another's."""
    host = draw(st.sampled_from([f"n{index}"] * 18 + ["n0", None]))
    zone = draw(st.sampled_from(["a", "b", "a", "b", "a", "b", "c", None]))
    taint = [
        {"key": "dedicated", "value": "x", "effect": "NoSchedule"},
        {"key": "slow", "effect": "PreferNoSchedule"},
        {"key": "dedicated", "value": "x", "effect": "NoExecute"},
    ]
    image = {"names": ["registry/a:1"], "sizeBytes": 500_000_000}
    return {
        "metadata": {
            "name": f"n{index}",
            "labels": present(
                {HOSTNAME: host, ZONE: zone, "disk": draw(st.sampled_from(["ssd", None]))}
            ),
        },
        "spec": present(
            {
                "taints": draw(some(st.sampled_from(taint), 2)),
                "unschedulable": draw(st.sampled_from([None] * 6 + [True])),
            }
        ),
        "status": {
            "allocatable": {"cpu": "2", "memory": "4Gi", "pods": draw(st.sampled_from(["3", "6"]))},
            "images": draw(some(st.just(image))),
        },
    }


@st.composite
def standing_pods(draw: st.DrawFn, size: int) -> Raw:
    """A pod of nobody's that is bound to one of ``size`` nodes."""
    spec = draw(pod_specs())
    return {
        "metadata": {
            "name": "alone",
            "namespace": draw(st.sampled_from(["default", "other"])),
            "labels": {"app": draw(st.sampled_from(["web", "api"]))},
            "deletionTimestamp": draw(st.sampled_from([None, None, DELETED])),
        },
        "spec": {**spec, "nodeName": f"n{draw(st.integers(0, size - 1))}"},
    }


@st.composite
def deployments(draw: st.DrawFn, name: str) -> Raw:
    """A Deployment of up to three pods."""
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": draw(st.integers(1, 3)),
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": draw(pod_specs())},
        },
    }


@st.composite
def applications(draw: st.DrawFn) -> Application:
    """One or two Deployments in a cluster of up to five nodes."""
    size = draw(st.integers(2, 5))
    names = ["web", "api"][: draw(st.integers(1, 2))]
    labels = {"other": {"team": "a"}}
    return Application(
        owners=tuple(with_defaults(decode(draw(deployments(name)), Deployment)) for name in names),
        nodes=tuple(with_defaults(decode(draw(nodes(i)), Node)) for i in range(size)),
        pods=tuple(with_defaults(decode(raw, Pod)) for raw in draw(some(standing_pods(size), 2))),
        namespaces=tuple(
            Namespace(metadata=ObjectMeta(name=n, labels=labels.get(n)))
            for n in ("default", "other")
        ),
    )


def check_of(application: Application, *, together: bool) -> Check:
    """Everything that may happen to pods and nodes may happen once."""
    names = tuple(deployment.metadata.name for deployment in application.owners)
    events = [
        *(EventEntry(rollout=Rollout(deployment=name)) for name in names),
        *(EventEntry(delete_pod=DeletePod(deployment=name)) for name in names),
        *(EventEntry(probe_failure=ProbeFailure(deployment=name)) for name in names),
        EventEntry(scale=Scale(deployment=names[0], replicas=4)),
        EventEntry(cordon=Cordon()),
        EventEntry(drain=Drain()),
        EventEntry(node_crash=NodeCrash()),
    ]
    return Check(
        spec=CheckSpec(
            events=tuple(events),
            together=names if together else (),
            scheduler=SchedulerOptions(scoring=True),
            bounds=Bounds(max_pods=20),
        )
    )


# A state written out as API objects


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a scenario abstracts from: each node by name, and the pods that stand by on it."""

    scenario: Scenario
    nodes: Mapping[str, Node]
    standing: Mapping[str, tuple[Pod, ...]]

    def infos(self, state: State) -> Iterator[NodeInfo]:
        """Every node with every pod on it, in the order of the state."""
        for name, here in zip(self.scenario.node_names, self._nodes_of(state), strict=True):
            pods = [
                bound(self.scenario.world.classes[group.pod_class].pod, name, group.phase)
                for group in here.pods
                for _ in range(group.size)
            ]
            yield NodeInfo(as_shown(self.nodes[name], here), (*self.standing[name], *pods))

    def _nodes_of(self, state: State) -> tuple[NodeState, ...]:
        return tuple(state[position] for position in self.scenario.system.positions[NODES])

    def decision(self, state: State, pod_class: PodClass) -> Decision:
        """What the profile says of the class's next pod."""
        world = self.scenario.world
        (owner,) = pod_class.pod.metadata.owner_references or ()
        workload = Workload(owner.kind, pod_class.pod.metadata.namespace, owner.name)
        snapshot = Snapshot(
            tuple(self.infos(state)),
            {n.metadata.name: n.metadata.label_map() for n in world.namespaces},
            workloads={workload: pod_class.selector},
        )
        return decide(pod_class.pod, snapshot)


def bound(pod: Pod, node: str, phase: int) -> Pod:
    """The pod on its node, with a deletionTimestamp if it terminates."""
    metadata = pod.metadata
    if phase not in ACTIVE:
        metadata = msgspec.structs.replace(metadata, deletion_timestamp=DELETED)
    spec = msgspec.structs.replace(pod.spec, node_name=node)
    return msgspec.structs.replace(pod, metadata=metadata, spec=spec)


def as_shown(node: Node, state: NodeState) -> Node:
    """The Node object with what the state says of it."""
    taints = list(node.spec.taints or ())
    if state.cordoned:
        taints.append(Taint(key=UNSCHEDULABLE, effect="NoSchedule"))
    if state.tainted:
        taints.append(Taint(key=UNREACHABLE, effect="NoSchedule"))
    if state.evicting:
        taints.append(Taint(key=UNREACHABLE, effect="NoExecute"))
    spec = msgspec.structs.replace(node.spec, taints=tuple(taints), unschedulable=state.cordoned)
    return msgspec.structs.replace(node, spec=spec)


def cluster_of(application: Application, scenario: Scenario) -> Cluster:
    """The nodes and the pods that stand by, for the Deployments that are in focus."""
    given = Given(application.owners, pods=application.pods)
    placement = place_all(given, application.nodes, application.namespaces)
    focus = {(w.kind, w.namespace, w.name) for w in scenario.world.workloads}
    standing = {name: list(pods) for name, pods in placement.existing.items()}
    for deployment in application.owners:
        if key_of(deployment) not in focus:
            for name, spots in placement.placed[key_of(deployment)].on_nodes.items():
                number = sum(spots.values())
                standing[name] += [bound(pod_of(deployment, 0), name, Phase.AVAILABLE)] * number
    return Cluster(
        scenario,
        {node.metadata.name: node for node in application.nodes},
        {name: tuple(pods) for name, pods in standing.items()},
    )


# The comparison


def walk(scenario: Scenario, seed: int) -> Iterator[tuple[State, list[Transition]]]:
    """States of one random run with their successors; nodes keep their positions."""
    draw = random.Random(seed)  # noqa: S311 - a walk that repeats, no secret
    state = scenario.system.initial
    for _ in range(STEPS):
        steps = list(scenario.system.successors(state))
        yield state, steps
        if not steps:
            return
        state = draw.choice(steps).state


def scoring_for(topology: Topology) -> Scoring:
    """The scores of a class, as the assembled system has them."""

    def feasible(node: NodeState, *seen: object) -> bool:
        return feasibility(topology.world, topology, node, *seen).ok

    return scoring_of(topology, feasible)


def found(cluster: Cluster, state: State, pod_class: PodClass) -> tuple[set[str], set[str]]:
    """The feasible nodes and the best ones, through the summaries of the system."""
    scenario = cluster.scenario
    topology = topology_of(scenario.world, pod_class)
    scoring = scoring_for(topology)
    summary = scenario.system.summary(state)
    filters = [summary[name] for name in topology.reads]
    scores = [summary[name] for name in scoring.reads]
    by_name = dict(
        zip(
            scenario.node_names,
            (state[p] for p in scenario.system.positions[NODES]),
            strict=True,
        )
    )
    feasible = {
        name
        for name, node in by_name.items()
        if feasibility(scenario.world, topology, node, *filters).ok
    }
    return feasible, {name for name in feasible if scoring.is_best(by_name[name], *scores)}


def bound_by_rule(cluster: Cluster, steps: list[Transition], pod_class: PodClass) -> set[str]:
    """The nodes that some transition binds a pod of the class to."""
    first = cluster.scenario.system.positions[NODES].start
    return {
        cluster.scenario.node_names[step.positions[1] - first]
        for step in steps
        if step.outcome.action == "bind" and step.outcome.arguments == (("class", pod_class.index),)
    }


def pending(scenario: Scenario, state: State, pod_class: PodClass) -> int:
    """The pods of the class that have no node."""
    workload = scenario.world.workloads[pod_class.workload]
    queue: Queue = state[scenario.system.positions[workload.queue].start]
    return queue.waiting[pod_class.template]


def compare(cluster: Cluster, seed: int) -> None:
    """Hold both schedulers against each other in all states of one walk."""
    for state, steps in walk(cluster.scenario, seed):
        for pod_class in cluster.scenario.world.classes:
            plain = cluster.decision(state, pod_class)
            expected = set(plain.feasible), set(plain.choices)
            event(f"{len(expected[0])} feasible, {len(expected[1])} best")
            assert found(cluster, state, pod_class) == expected
            pressing = any(step.rule.urgent for step in steps)
            if pending(cluster.scenario, state, pod_class) and not pressing:
                assert bound_by_rule(cluster, steps, pod_class) == expected[1]


@settings(max_examples=25)
@given(applications(), st.sampled_from(["together", "apart"]), st.integers(0, 2**32))
def test_summaries_stand_for_the_nodes(application: Application, how: str, seed: int) -> None:
    """In every state met, sums and bests lead to the nodes that the whole profile chooses."""
    for scenario in build(application, check_of(application, together=how == "together")):
        compare(cluster_of(application, scenario), seed)


KEPT = ("DEP-1", "DEP-6", "RS-2", "RS-4", "SCH-1", "SCH-2", "SCH-3", "KUB-7")
"""What the components keep in every run, whatever users and faults do."""


def broken(scenario: Scenario, state: State, steps: list[Transition]) -> list[str]:
    """The promises that this state or one of its steps breaks."""
    system = scenario.system
    found: list[str] = []
    for prop in properties_for(scenario, KEPT):
        formula = prop.formula
        if isinstance(formula, Always):
            answers = [formula.holds(*seen) for seen in system.look(formula.view, state)]
            found += [prop.id] * answers.count(False)
        elif isinstance(formula, EachStep):
            before = list(system.look(formula.view, state))
            for step in (s for s in steps if s.outcome.action in formula.actions):
                after = system.look(formula.view, step.state)
                answers = [
                    formula.holds(a, step.outcome.action, b)
                    for a, b in zip(before, after, strict=True)
                ]
                found += [f"{prop.id} by {step.rule.name}"] * answers.count(False)
    return found


@settings(max_examples=5)
@given(applications(), st.sampled_from(["together", "apart"]), st.integers(0, 2**32))
def test_components_keep_their_promises(application: Application, how: str, seed: int) -> None:
    """Judged from the documentation alone, every step along random runs is legal."""
    for scenario in build(application, check_of(application, together=how == "together")):
        for state, steps in walk(scenario, seed):
            assert broken(scenario, state, steps) == []
