"""Who may lack room because of others, against all orders of placement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, TypeAlias

from hypothesis import event, given, settings
from hypothesis import strategies as st

from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario.crowding import Lost, Mover, crowded
from kubelemma.model.scenario.lodging import Floor

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
State: TypeAlias = tuple[tuple[tuple[int, str], ...], ...]
"""Of each mover: the pods on nodes, by the numbers of their kinds."""


def node(name: str, cpu: int, zone: str = "a", pods: int = 9, **spec: Any) -> Node:
    """A node of so many cores."""
    labels = {HOST: name, ZONE: zone}
    allocatable = {"cpu": str(cpu), "memory": "9Gi", "pods": str(pods)}
    parts = {"metadata": {"name": name, "labels": labels}, "spec": spec}
    return decode({**parts, "status": {"allocatable": allocatable}}, Node)


def pod(app: str, cpu: int, **spec: Any) -> Pod:
    """A pod that asks for so many cores."""
    port = [{"containerPort": 80, "hostPort": 80}] if spec.pop("port", False) else []
    requests = {"requests": {"cpu": str(cpu)}}
    containers = [{"name": "c", "image": "i", "resources": requests, "ports": port}]
    metadata = {"name": app, "namespace": "default", "labels": {"app": app}}
    return decode({"metadata": metadata, "spec": {"containers": containers, **spec}}, Pod)


def floor_of(nodes: Sequence[Node], *fixed: tuple[Pod, str]) -> Floor:
    """These nodes, and what stays on them."""
    floor = Floor({n.metadata.name: NodeInfo(n) for n in nodes}, {}, anywhere=True)
    for each, name in fixed:
        floor.add(each, name)
    return floor


def rule(app: str, key: str) -> dict[str, Any]:
    """A term that means pods of an app in a domain."""
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}


def spread(app: str) -> dict[str, Any]:
    """A constraint that keeps pods of an app even over zones."""
    return {**rule(app, ZONE), "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}


@st.composite
def pods(draw: st.DrawFn, app: str) -> Pod:
    """A pod, often plain."""
    spec: dict[str, Any] = {}
    extra = draw(st.sampled_from(["", "", "", "zone", "port", "anti", "near", "spread"]))
    key, other = draw(st.sampled_from([HOST, ZONE])), draw(st.sampled_from(["a", "b"]))
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [rule(other, key)]}
    if extra == "zone":
        spec["nodeSelector"] = {ZONE: draw(st.sampled_from("ab"))}
    elif extra == "port":
        spec["port"] = True
    elif extra in ("anti", "near"):
        name = "podAntiAffinity" if extra == "anti" else "podAffinity"
        spec["affinity"] = {name: required}
    elif extra == "spread":
        spec["topologySpreadConstraints"] = [spread(other)]
    return pod(app, draw(st.integers(0, 3)), **spec)


@st.composite
def clusters(draw: st.DrawFn) -> tuple[Floor, tuple[Mover, ...], Lost]:
    """Two or three nodes, perhaps with a pod that stays, and two movers."""
    sizes = draw(st.lists(st.integers(1, 8), min_size=2, max_size=3))
    nodes = [
        node(f"n{i}", cpu, draw(st.sampled_from("ab")), draw(st.integers(1, 5)))
        for i, cpu in enumerate(sizes)
    ]
    fixed = [(draw(pods("c")), "n0")] if draw(st.booleans()) else []
    movers = tuple(
        Mover(tuple(draw(st.lists(pods(app), min_size=1, max_size=2))), draw(st.integers(1, 2)))
        for app in "ab"
    )
    named = frozenset(draw(st.sets(st.sampled_from(["n0", "n1"]), max_size=1)))
    return floor_of(nodes, *fixed), movers, Lost(draw(st.integers(0, 1)), named)


def infos_of(floor: Floor, movers: Sequence[Mover], state: State) -> dict[str, NodeInfo]:
    """The nodes in a state, with the pods of these movers only."""
    infos = floor.infos
    for mover, there in zip(movers, state, strict=True):
        for kind, name in there:
            infos = floor.with_pod(infos, mover.pods[kind], name)
    return infos


def following(floor: Floor, movers: Sequence[Mover], state: State) -> Iterator[State]:
    """The states after one pod is placed, or has gone."""
    infos = infos_of(floor, movers, state)
    for index, (mover, there) in enumerate(zip(movers, state, strict=True)):
        after = [there[:i] + there[i + 1 :] for i in range(len(there))]
        for kind, own in enumerate(mover.pods if len(there) < mover.most else ()):
            after += [tuple(sorted((*there, (kind, name)))) for name in floor.choices(infos, own)]
        for each in after:
            yield (*state[:index], each, *state[index + 1 :])


def states(floor: Floor, movers: Sequence[Mover]) -> set[State]:
    """All states that some order of placing and taking away leads to."""
    seen: set[State] = set()
    found: list[State] = [((),) * len(movers)]
    while found:
        state = found.pop()
        if state not in seen:
            seen.add(state)
            found += following(floor, movers, state)
    return seen


def losses(floor: Floor, lost: Lost) -> Iterator[frozenset[str]]:
    """The sets of nodes that may be gone."""
    for size in range(lost.number + 1):
        for some in combinations(sorted(floor.infos), size):
            for named in (frozenset(), lost.named):
                yield named | set(some)


def lacks(
    floor: Floor, movers: Sequence[Mover], lost: Lost, index: int, state: State
) -> Iterator[int]:
    """The kinds of pods of a mover that find no node in a state, and would without others."""
    nobody = tuple(there if i == index else () for i, there in enumerate(state))
    whole, own = (infos_of(floor, movers, each) for each in (state, nobody))
    for gone in losses(floor, lost):
        left, alone = ({n: i for n, i in f.items() if n not in gone} for f in (whole, own))
        for kind, each in enumerate(movers[index].pods):
            if not floor.choices(left, each) and floor.choices(alone, each):
                yield kind


@settings(max_examples=max(300, settings.default.max_examples))
@given(clusters())
def test_whom_nobody_crowds_finds_a_node_in_every_order(
    drawn: tuple[Floor, tuple[Mover, ...], Lost],
) -> None:
    """Whatever came before: a pod that its own would leave a node has one."""
    floor, movers, lost = drawn
    found = crowded(movers, floor, lost)
    free = [index for index in range(len(movers)) if index not in found]
    event(f"free: {len(free)} of 2")
    for state in states(floor, movers) if free else ():
        for index in free:
            if len(state[index]) < movers[index].most:
                assert not [*lacks(floor, movers, lost, index, state)], (index, state)


SMALL = tuple(Mover((pod(f"w{i}", 0), pod(f"w{i}", 1)), 2) for i in range(12))


def test_many_small_ones_have_room() -> None:
    """Twelve of two pods each, of a core at most, on three nodes of which one may be lost."""
    three = [node(f"n{i}", 13, pods=110) for i in range(3)]
    assert not crowded(SMALL, floor_of(three), Lost(1))
    assert len(crowded(SMALL, floor_of([node("n0", 13, pods=110)]), Lost())) == 12


def test_one_greedy_order_proves_nothing() -> None:
    """Pods that fit anywhere may lie on the nodes that others need."""
    nodes = [*(node(f"big{i}", 4) for i in range(3)), *(node(f"small{i}", 2) for i in range(3))]
    small, big = Mover((pod("a", 1),), 3), Mover((pod("b", 4),), 2)
    assert crowded((small, big), floor_of(nodes), Lost()) == (1,)


def test_what_stays_takes_room() -> None:
    """A pod that does not move leaves room on one node for one of two."""
    nodes, movers = (
        [node("n0", 9), node("n1", 4)],
        (Mover((pod("a", 2),), 1), Mover((pod("b", 2),), 1)),
    )
    assert not crowded(movers, floor_of(nodes), Lost(1))
    stays = pod("c", 2)
    assert crowded(movers, floor_of(nodes, (stays, "n1")), Lost(1)) == (0, 1)
    assert not crowded(movers, floor_of(nodes, (stays, "n1")), Lost())
    assert crowded(movers, floor_of(nodes, (stays, "n1")), Lost(named=frozenset({"n0"}))) == (0, 1)
    assert not crowded(movers, floor_of(nodes, (stays, "n1")), Lost(named=frozenset({"n1"})))


def test_those_that_never_meet_do_not_crowd() -> None:
    """However full their own nodes are."""
    nodes = [node("n0", 2, "a"), node("n1", 2, "b")]
    own = (Mover((pod(z, 2, nodeSelector={ZONE: z}),), 2) for z in "ab")
    assert not crowded(tuple(own), floor_of(nodes), Lost(1))


def test_scores_see_what_others_bring() -> None:
    """Spread over zones is decided by where pods are, which scores decide by the load of all."""
    nodes = [node("n0", 9, "a"), node("n1", 9, "b")]
    even = Mover((pod("a", 1, topologySpreadConstraints=[spread("a")]),), 2)
    movers, floor = (even, Mover((pod("b", 1),), 2)), floor_of(nodes)
    assert not crowded(movers, floor, Lost())
    assert crowded(movers, floor, Lost(), scoring=True) == (0,)


def test_who_minds_others_is_never_alone() -> None:
    """Spread by the pods of others goes where these are not, however much room there is."""
    nodes = [node("n0", 9, "a"), node("n1", 9, "b")]
    minding = Mover((pod("a", 1, topologySpreadConstraints=[spread("b")]),), 1)
    assert crowded((minding, Mover((pod("b", 1),), 1)), floor_of(nodes), Lost()) == (0,)
    assert not crowded((minding, Mover((pod("c", 1),), 1)), floor_of(nodes), Lost())
