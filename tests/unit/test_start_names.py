"""No verdict depends on what nodes and workloads are called, or on the order of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kubelemma.model.manifests import (
    Check,
    CheckSpec,
    Cordon,
    EventEntry,
    NodeCrash,
    Rollout,
    with_defaults,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, build
from kubelemma.properties.select import properties_for
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import Verdict

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
ASKED = ("DEP-4", "STUCK")
WORKLOADS = ("web", "api", "db")
NODES = ("node-1", "node-2", "node-3")


class Part(NamedTuple):
    """A Deployment: its replicas, what a pod asks for, and what it keeps to or from."""

    replicas: int
    millicores: int
    surge: int
    near: int
    apart: bool


class Machine(NamedTuple):
    """A node."""

    millicores: int
    zone: str


class System(NamedTuple):
    """Deployments on nodes, and what happens to which of them."""

    parts: tuple[Part, ...]
    machines: tuple[Machine, ...]
    cordoned: int
    crashed: int


class Naming(NamedTuple):
    """What everything is called, and in which order it comes."""

    workloads: tuple[str, ...]
    nodes: tuple[str, ...]
    owners: tuple[int, ...]
    machines: tuple[int, ...]


def parts(number: int) -> st.SearchStrategy[Part]:
    """One of so many Deployments."""
    return st.builds(
        Part,
        replicas=st.integers(1, 2),
        millicores=st.sampled_from((300, 600, 800)),
        surge=st.integers(0, 1),
        near=st.sampled_from((-1, -1, *range(number))),
        apart=st.booleans(),
    )


MACHINES = st.builds(Machine, st.sampled_from((1000, 1000, 1500)), st.sampled_from(("a", "b")))


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Few workloads on few nodes that are tight."""
    number = draw(st.integers(1, 2))
    owners = tuple(draw(parts(number)) for _ in range(number))
    machines = tuple(draw(st.lists(MACHINES, min_size=2, max_size=3)))
    which = st.integers(-1, len(machines) - 1)
    return System(owners, machines, draw(which), draw(which))


@st.composite
def cases(draw: st.DrawFn) -> tuple[System, Naming]:
    """A system, and other names and another order."""
    system = draw(systems())
    owners, machines = (tuple(range(len(found))) for found in (system.parts, system.machines))
    naming = Naming(
        tuple(draw(st.permutations(WORKLOADS)))[: len(owners)],
        tuple(draw(st.permutations(NODES)))[: len(machines)],
        tuple(draw(st.permutations(owners))),
        tuple(draw(st.permutations(machines))),
    )
    return system, naming


def plain(system: System) -> Naming:
    """The usual names, in the usual order."""
    owners, machines = len(system.parts), len(system.machines)
    return Naming(
        WORKLOADS[:owners], NODES[:machines], tuple(range(owners)), tuple(range(machines))
    )


def deployment(system: System, index: int, names: Sequence[str]) -> Deployment:
    """One of the Deployments; labels are those of its place, not of its name."""
    part = system.parts[index]
    labels = {"app": f"part-{index}"}
    affinity: dict[str, Any] = {}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    if part.apart:
        term = {"topologyKey": HOST, "labelSelector": {"matchLabels": labels}}
        affinity["podAntiAffinity"] = {required: [term]}
    elif part.near >= 0:
        near = {"app": f"part-{part.near}"}
        term = {"topologyKey": ZONE, "labelSelector": {"matchLabels": near}}
        affinity["podAffinity"] = {required: [term]}
    requests = {"cpu": f"{part.millicores}m"}
    container = {"name": "c", "image": "c:1", "resources": {"requests": requests}}
    rolling = {"maxSurge": part.surge, "maxUnavailable": 1 - part.surge}
    raw = {
        "metadata": {"name": names[index], "namespace": "default"},
        "spec": {
            "replicas": part.replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "affinity": affinity},
            },
        },
    }
    return with_defaults(decode(raw, Deployment))


def node(machine: Machine, name: str) -> Node:
    """A node of this name."""
    raw = {
        "metadata": {"name": name, "labels": {HOST: name, ZONE: machine.zone}},
        "status": {"allocatable": {"cpu": f"{machine.millicores}m", "pods": "10"}},
    }
    return with_defaults(decode(raw, Node))


def verdicts(system: System, naming: Naming) -> Counter[tuple[int, str, Verdict]]:
    """How often what was found of which Deployment."""
    owners = tuple(deployment(system, index, naming.workloads) for index in naming.owners)
    nodes = tuple(node(system.machines[index], naming.nodes[index]) for index in naming.machines)
    events = [EventEntry(rollout=Rollout(workload=name)) for name in naming.workloads]
    if system.cordoned >= 0:
        events.append(EventEntry(cordon=Cordon(node=naming.nodes[system.cordoned])))
    if system.crashed >= 0:
        events.append(EventEntry(node_crash=NodeCrash(node=naming.nodes[system.crashed])))
    found: Counter[tuple[int, str, Verdict]] = Counter()
    spec = CheckSpec(events=tuple(events))
    for scenario in build(Application(owners, nodes=nodes), Check(spec=spec)):
        asked = properties_for(scenario, ASKED)
        for result in check(scenario.system, asked, Limits(max_states=5_000)).properties:
            index = naming.workloads.index(result.property.subject.rpartition("/")[2])
            found[index, result.property.id, result.verdict] += 1
    return found


@settings(max_examples=8, deadline=None)
@given(cases())
def test_names_and_order_change_no_verdict(case: tuple[System, Naming]) -> None:
    """Renamed, and in another order, the same is found of the same, as often.

    What a limit leaves open depends on what is looked at first.
    """
    system, naming = case
    usual = verdicts(system, plain(system))
    assume(not any(verdict is Verdict.INCONCLUSIVE for _, _, verdict in usual))
    assert verdicts(system, naming) == usual
