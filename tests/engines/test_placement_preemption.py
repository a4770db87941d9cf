"""Placement with preemption: who is placed and who has to go, against trying everything.

The brute force asks the scheduler's filters and its preemption about every single pod, in every
order, and knows nothing of how the answer is found. To try more than a test run does::

    python tests/engines/test_placement_preemption.py 10000 [FIRST_SEED]
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import settings
from test_placement_brute_force import Drawer

from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.preemption import preempt
from kubelemma.model.components.scheduler.decision.profile import Snapshot, filter_node, pre_filter
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.check_preemption import Step, objection
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.decision import Decision, Effort
from kubelemma.solver.placement.displaced import (
    afterwards,
    belongs_to_node,
    only_on,
)
from kubelemma.solver.placement.preempted import Preempted, preempted
from kubelemma.solver.placement.preempting import Scheduling
from kubelemma.solver.placement.problem import (
    Afterwards,
    Answer,
    Cluster,
    Problem,
    Question,
    Workload,
)

EFFORT = Effort(relaxations=False)
Raw = dict[str, Any]


# --- small clusters with a known outcome ----------------------------------------------------------


def nodes(*cpu: str) -> tuple[Node, ...]:
    """Nodes with so much cpu."""
    return tuple(
        decode(
            {
                "metadata": {"name": f"n{i}", "labels": {"kubernetes.io/hostname": f"n{i}"}},
                "status": {"allocatable": {"cpu": amount, "pods": "9"}},
            },
            Node,
        )
        for i, amount in enumerate(cpu)
    )


def pod(cpu: str, priority: int, name: str = "", node: str = "", **more: Any) -> Pod:
    """A pod with a priority; ``labels``, ``owner`` and fields of its specification beside."""
    metadata: Raw = {"name": name, "namespace": "one", "labels": more.pop("labels", {})}
    kind = more.pop("owner", "ReplicaSet")
    if kind:
        metadata["ownerReferences"] = [{"kind": kind, "name": f"of-{name}", "controller": True}]
    spec = {"containers": [{"resources": {"requests": {"cpu": cpu}}}], "priority": priority}
    return decode({"metadata": metadata, "spec": {**spec, "nodeName": node, **more}}, Pod)


def answered(problem: Problem, question: Question = Question.FINAL) -> Preempted:
    """The answer with preemption; without, where that makes nothing of it."""
    found = decide(problem.cluster, problem.workloads, question, EFFORT)
    return preempted(problem, found, EFFORT) or Preempted(problem, found)


def gone(found: Preempted) -> list[str]:
    """Who had to go."""
    return [one.pod.metadata.name for one in found.decision.evictions]


PLACEHOLDER = pod("3", -10, "placeholder", "n0")


def one_node(*workloads: Workload, there: tuple[Pod, ...] = (PLACEHOLDER,)) -> Problem:
    """A node of four cores with a placeholder for three."""
    return Problem(Cluster(nodes("4"), there), workloads)


def test_the_less_important_go_and_are_pending() -> None:
    """The placeholder makes room for a shop, and waits for room itself: not all is placed."""
    found = answered(one_node(Workload("shop", pod("2", 0), 1)))
    assert found.decision.answer is Answer.NO
    assert gone(found) == ["placeholder"]
    assert found.decision.unplaced == (0, 1)
    assert found.decision.reason is not None
    (waiting,) = found.decision.pending
    assert waiting.message == (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: "
        "0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_who_goes_may_find_another_node() -> None:
    """A pod that can be elsewhere makes room for one that cannot: all is placed in the end."""
    only_n0 = {"nodeSelector": {"kubernetes.io/hostname": "n0"}}
    problem = Problem(
        Cluster(nodes("4", "3"), (PLACEHOLDER,)), (Workload("shop", pod("2", 0, **only_n0), 1),)
    )
    assert decide(problem.cluster, problem.workloads).answer is Answer.NO
    found = answered(problem)
    assert found.decision.answer is Answer.YES
    assert gone(found) == ["placeholder"]
    assert [(a.workload, a.node) for a in found.decision.placement.assignments] == [(0, 0), (1, 1)]
    assert found.problem.cluster.pods == ()


@pytest.mark.parametrize(
    ("shop", "words"),
    [
        (pod("2", 0, preemptionPolicy="Never"), "not eligible due to preemptionPolicy=Never."),
        (
            pod("2", -10),
            "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
        ),
    ],
)
def test_nobody_goes(shop: Pod, words: str) -> None:
    """Who renounces preemption, or is no more important, waits, and all others stay."""
    found = answered(one_node(Workload("shop", shop, 1)))
    assert found.decision.answer is Answer.NO
    assert gone(found) == []
    assert found.decision.unplaced == (1,)
    assert found.decision.pending[0].preemption == words


def test_the_most_important_come_first() -> None:
    """With nobody to drive out, the order of scheduling says who is placed and who is not."""
    problem = one_node(Workload("low", pod("3", 0), 1), Workload("high", pod("3", 5), 1), there=())
    assert answered(problem).decision.unplaced == (1, 0)


def test_budgets_are_spared_where_they_can_be() -> None:
    """Of two nodes the one is chosen where no disruption budget is violated."""
    there = (
        pod("4", 0, "guarded", "n0", labels={"app": "guarded"}),
        pod("4", 0, "free", "n1", labels={"app": "free"}),
    )
    raw = {
        "metadata": {"name": "b", "namespace": "one"},
        "spec": {"selector": {"matchLabels": {"app": "guarded"}}},
        "status": {"disruptionsAllowed": 0},
    }
    budget = decode(raw, PodDisruptionBudget)
    problem = Problem(
        Cluster(nodes("4", "4"), there, budgets=(budget,)), (Workload("shop", pod("4", 9), 1),)
    )
    assert gone(answered(problem)) == ["free"]


def test_no_more_than_needed_go() -> None:
    """Of three small pods two make room, the least important ones."""
    there = tuple(pod("1", i, f"p{i}", "n0") for i in (1, 2, 3))
    found = answered(one_node(Workload("shop", pod("3", 9), 1), there=there))
    assert gone(found) == ["p1", "p2"]
    assert found.decision.unplaced == (0, 1, 1)


def test_pods_that_end_are_not_created_again() -> None:
    """A terminating pod may be driven out, and nobody waits for room for it afterwards."""
    leaving = msgspec.structs.replace(
        PLACEHOLDER,
        metadata=msgspec.structs.replace(
            PLACEHOLDER.metadata, deletion_timestamp="2026-01-01T00:00:00Z"
        ),
    )
    found = answered(one_node(Workload("shop", pod("2", 0), 1), there=(leaving,)))
    assert found.decision.answer is Answer.YES
    assert len(found.problem.workloads) == 1


LONE = pod("3", -10, "lone", "n0", owner="")


@pytest.mark.parametrize("question", [Question.FINAL, Question.REACHABLE])
@pytest.mark.parametrize("there", [LONE, pod("3", -10, "custom", "n0", owner="GameServer")])
def test_who_has_no_controller_is_gone(there: Pod, question: Question) -> None:
    """Nobody waits for room for a pod that nobody creates again; what was asked for has a place."""
    found = answered(one_node(Workload("shop", pod("2", 0), 1), there=(there,)), question)
    assert found.decision.answer is Answer.YES
    assert gone(found) == [there.metadata.name]
    assert len(found.problem.workloads) == 1
    assert found.decision.unplaced == (0,)
    assert found.decision.stuck is None
    assert found.decision.order == (((0, 0),) if question is Question.REACHABLE else ())


def test_a_lone_pod_is_placed_before_all_others_go() -> None:
    """Where one pod has a controller and one has none, only the first one is pending in the end."""
    there = (pod("2", -10, "placeholder", "n0"), pod("2", -10, "lone", "n0", owner=""))
    found = answered(one_node(Workload("shop", pod("4", 0), 1), there=there))
    assert found.decision.answer is Answer.NO
    assert gone(found) == ["placeholder", "lone"]
    assert [w.count for w in found.problem.workloads] == [1, 1]
    assert found.decision.unplaced == (0, 1)


@pytest.mark.parametrize("kind", ["DaemonSet", "Node"])
def test_who_belongs_to_a_node_comes_back_there(kind: str) -> None:
    """A daemon's pod is created again for its node, and pending though another one has room."""
    there = pod("3", -10, "daemon", "n0", owner=kind)
    problem = Problem(
        Cluster(nodes("4", "3"), (there,)),
        (Workload("shop", pod("4", 0), 1),),
    )
    found = answered(problem)
    assert found.decision.answer is Answer.NO
    assert gone(found) == ["daemon"]
    assert found.decision.unplaced == (0, 1)


def test_what_becomes_of_a_pod() -> None:
    """Controllers of Kubernetes create their pods again, and nobody does so for a lone pod."""
    kinds = ("ReplicaSet", "StatefulSet", "Job", "DaemonSet", "Node")
    assert {afterwards(pod("1", 0, owner=kind)) for kind in kinds} == {Afterwards.AGAIN}
    assert afterwards(pod("1", 0, owner="GameServer")) is Afterwards.OPEN
    assert afterwards(LONE) is Afterwards.GONE


# --- the checker ----------------------------------------------------------------------------------

LARGE = Workload("shop", pod("4", 0), 1)
SHOP, AGAIN = Workload("shop", pod("2", 0), 1), Workload("again", pod("3", -10), 0)


@pytest.mark.parametrize(
    ("problem", "steps", "words"),
    [
        (one_node(SHOP), [Step(0, 0, (0,))], None),
        (one_node(SHOP), [Step(0, 0)], "does not fit"),
        (one_node(SHOP, there=(LONE,)), [Step(0, 0, (0,))], None),
        (one_node(replace(SHOP, count=0)), [Step(0, 0, (0,))], "no such pod"),
        (
            Problem(Cluster(nodes("4", "3"), (PLACEHOLDER,)), (LARGE,)),
            [Step(0, 0, (0,)), Step(1, 1)],
            None,
        ),
        (
            Problem(Cluster(nodes("4", "3"), (PLACEHOLDER,)), (LARGE,)),
            [Step(0, 0, (0,)), Step(1, 1), Step(1, 1)],
            "not fit",
        ),
        (
            Problem(Cluster(nodes("4", "3"), (LONE,)), (LARGE,)),
            [Step(0, 0, (0,)), Step(1, 1)],
            "no such pod",
        ),
        (one_node(SHOP), [Step(0, 0, (1,))], "not there"),
        (one_node(SHOP), [Step(0, 0, (), (1,))], "not there"),
        (one_node(SHOP), [Step(0, 0, (0,)), Step(1, 0)], "does not fit"),
        (one_node(replace(SHOP, pod=pod("1", 0))), [Step(0, 0, (0,))], "fits without"),
        (one_node(replace(SHOP, pod=pod("2", -10))), [Step(0, 0, (0,))], "no less important"),
        (
            one_node(replace(SHOP, pod=pod("2", 0, preemptionPolicy="Never"))),
            [Step(0, 0, (0,))],
            "Never",
        ),
        (
            one_node(SHOP, there=(pod("1", -1, "a", "n0"), pod("2", -1, "b", "n0"))),
            [Step(0, 0, (0,))],
            None,
        ),
        (
            one_node(replace(SHOP, pod=pod("4", 0)), there=(PLACEHOLDER, pod("1", 5, "b", "n0"))),
            [Step(0, 0, (0,))],
            "does not fit afterwards",
        ),
    ],
)
def test_the_checker_knows_the_rules(
    problem: Problem, steps: list[Step], words: str | None
) -> None:
    """Only lower priority goes, from that node, for who may and must; and then there is room."""
    back = {i: 1 for i, there in enumerate(problem.cluster.pods) if there.metadata.name != "lone"}
    found = objection(problem, (*problem.workloads, AGAIN), steps, back)
    assert (found is None) is (words is None)
    assert words is None or words in (found or "")


@pytest.mark.parametrize(
    ("there", "back", "words"),
    [(PLACEHOLDER, {}, "nobody says as what"), (LONE, {0: 1}, "nobody creates lone again")],
)
def test_the_checker_knows_who_comes_back(there: Pod, back: dict[int, int], words: str) -> None:
    """It reads by itself whose pods are created again."""
    problem = one_node(SHOP, there=(there,))
    found = objection(problem, (SHOP, AGAIN), [Step(0, 0, (0,))], back)
    assert words in (found or "")


# --- what the scheduler says ---------------------------------------------------------------------


def unsaid(seed: int, counts: Counter[str]) -> Iterator[str]:
    """Where what is told of pending pods is not what the scheduler's own preemption says."""
    drawn = seeded(seed)
    alike = tuple(replace(w, pod=unimportant(w.pod)) for w in drawn.workloads)
    cluster = replace(drawn.cluster, pods=tuple(map(unimportant, drawn.cluster.pods)))
    problem = Problem(cluster, alike)
    found = decide(problem.cluster, problem.workloads, Question.FINAL, EFFORT)
    scheduling = Scheduling(problem, EFFORT)
    state = scheduling.start
    for a in found.placement.assignments:
        for _ in range(a.count):
            state, _ = scheduling.take(state, a.workload, a.node, ())
    for one in found.pending:
        look = scheduling.look(state, one.workload)
        counts["fits" if look.fitting else "said"] += 1
        # A legal final state is more than the scheduler asks: it may still put the pod somewhere.
        if not look.fitting and one.preemption != look.said:
            yield f"seed {seed}: {one.message}, and the scheduler says {look.said}"


def unimportant(pod: Pod) -> Pod:
    """The pod with the priority that all have, and without volumes: these are filtered apart."""
    spec = msgspec.structs.replace(pod.spec, priority=0, volumes=None)
    return msgspec.structs.replace(pod, spec=spec)


def test_what_is_said_of_preemption() -> None:
    """Where nobody is less important, what is told is what the scheduler's preemption says."""
    counts: Counter[str] = Counter()
    cases = max(300, settings().max_examples)
    assert [x for seed in range(cases) for x in unsaid(seed, counts)] == []
    assert counts["said"] > cases // 4 > counts["fits"]


# --- trying everything ----------------------------------------------------------------------------


class Token(NamedTuple):
    """A pod: an existing one by its number, or one of a workload, which may be lost for ever."""

    existing: bool
    number: int
    lost: bool = False


State = tuple[tuple[tuple[Token, ...], ...], tuple[tuple[Token, int], ...]]
"""The pods on each node in the order in which they came, and how many of what are pending."""


class BruteForce:
    """All runs, whoever comes next, whichever node is taken."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.names = [node.metadata.name for node in problem.cluster.nodes]

    def _pod(self, token: Token, node: str) -> Pod:
        cluster = self.problem.cluster
        if token.existing:
            found = cluster.pods[token.number]
            if belongs_to_node(found) and not node:
                found = only_on(found, found.spec.node_name)
        else:
            found = merge_label_keys(self.problem.workloads[token.number].pod)
        return msgspec.structs.replace(
            found, spec=msgspec.structs.replace(found.spec, node_name=node)
        )

    def start(self) -> State:
        """The existing pods, and all others pending."""
        on: list[list[Token]] = [[] for _ in self.names]
        for i, there in enumerate(self.problem.cluster.pods):
            on[self.names.index(there.spec.node_name)].append(Token(True, i))
        counts = [(Token(False, w), x.count) for w, x in enumerate(self.problem.workloads)]
        return tuple(tuple(each) for each in on), tuple(sorted(counts))

    def successors(self, state: State) -> Iterator[State]:
        """Every state that is one pod further."""
        on, pending = state
        bodies = [
            [(t, self._pod(t, name)) for t in each]
            for each, name in zip(on, self.names, strict=True)
        ]
        infos = tuple(
            NodeInfo(node, tuple(body for _, body in each))
            for node, each in zip(self.problem.cluster.nodes, bodies, strict=True)
        )
        snapshot = Snapshot(infos, self.problem.cluster.namespaces)
        for token, number in pending:
            if number and not token.lost:
                yield from self._moves(state, token, snapshot, bodies)

    def _moves(
        self, state: State, token: Token, snapshot: Snapshot, bodies: list[list[tuple[Token, Pod]]]
    ) -> Iterator[State]:
        incoming = self._pod(token, "")
        if pre_enqueue(incoming).rejects:
            return
        cycle = pre_filter(incoming, snapshot)
        verdicts = {info.name: filter_node(cycle, info) for info in snapshot.nodes}
        fitting = [name for name in self.names if verdicts[name].status.ok]
        for name in fitting:
            yield self._moved(state, token, name, [])
        if fitting:
            return
        found = preempt(incoming, snapshot, verdicts)
        for candidate in found.candidates:
            if candidate.node in found.chosen:
                here = bodies[self.names.index(candidate.node)]
                ids = [id(victim) for victim in candidate.victims]
                going = [t for t, body in here if id(body) in ids]
                if self._fits_after(incoming, snapshot, candidate.node, ids):
                    yield self._moved(state, token, candidate.node, going)

    def _fits_after(self, incoming: Pod, snapshot: Snapshot, name: str, victims: list[int]) -> bool:
        """Whether it really does: the dry run is wrong about spreads where terminating pods go."""
        infos = tuple(
            NodeInfo(info.node, tuple(p for p in info.pods if id(p) not in victims))
            for info in snapshot.nodes
        )
        cycle = pre_filter(incoming, replace(snapshot, nodes=infos))
        return filter_node(cycle, infos[self.names.index(name)]).status.ok

    def _moved(self, state: State, token: Token, name: str, going: list[Token]) -> State:
        on, pending = [list(each) for each in state[0]], Counter(dict(state[1]))
        here = on[self.names.index(name)]
        for victim in going:
            here.remove(victim)
            back = afterwards(self._pod(victim, name)) is Afterwards.AGAIN
            if back or not victim.existing:
                pending[victim._replace(lost=not back)] += 1
        here.append(token)
        pending[token] -= 1
        return tuple(tuple(each) for each in on), tuple(sorted(pending.items()))

    def succeeds(self, most: int = 4000) -> bool | None:
        """Whether some run leaves nobody pending; None if there are too many states."""
        seen, agenda = {self.start()}, [self.start()]
        while agenda:
            state = agenda.pop()
            if not any(number for _, number in state[1]):
                return True
            for following in self.successors(state):
                if following not in seen:
                    seen.add(following)
                    agenda.append(following)
            if len(seen) > most:
                return None
        return False


class ImportanceDrawer(Drawer):
    """Problems whose pods have priorities, and no volumes."""

    def _raw_pod(self, *, resident: bool) -> Raw:
        raw = super()._raw_pod(resident=resident)
        raw["spec"].pop("volumes", None)
        raw["spec"]["priority"] = self.pick((0, 5, -5) if resident else (0, 5, 5, 10, None))
        if self._one_in(8):
            raw["spec"]["preemptionPolicy"] = "Never"
        # Whose pods are alike has more to do with the owner than that it would draw many of them.
        kinds = ("ReplicaSet", "StatefulSet", "DaemonSet" if resident else "Job", "GameServer", "")
        if kind := self.pick((*kinds[:2], *kinds)):
            owner = {"kind": kind, "name": "o", "controller": True}
            raw["metadata"]["ownerReferences"] = [owner]
        return raw


def seeded(seed: int) -> Problem:
    """The problem of a seed."""
    return ImportanceDrawer(Random(seed).choice).problem()  # noqa: S311 - no secret


def disagreements(seed: int, counts: Counter[str]) -> Iterator[str]:
    """What brute force says otherwise, of final states and of orders."""
    problem = seeded(seed)
    truth = BruteForce(problem).succeeds()
    for question in (Question.FINAL, Question.REACHABLE):
        found = decide(problem.cluster, problem.workloads, question, EFFORT)
        made = preempted(problem, found, EFFORT)
        counts[f"{question}: {'none' if made is None else made.decision.answer}"] += 1
        if made is not None:
            yield from _wrong(f"seed {seed}, {question}", found, made.decision, truth=truth)


def _wrong(name: str, before: Decision, after: Decision, *, truth: bool | None) -> Iterator[str]:
    says = {Answer.YES: True, Answer.NO: False, Answer.UNKNOWN: truth}[after.answer]
    # Without anybody who had to go, a legal final state is what it is: orders may end elsewhere.
    only_final = before.question is Question.FINAL and says is False and not after.evictions
    if truth is not None and says != truth and not only_final:
        yield f"{name}: {after.answer} with {after.reason}, brute force says {truth}"
    if (after.answer is Answer.YES) != (not any(after.unplaced)):
        yield f"{name}: {after.answer}, and {after.unplaced} are left"


def test_preemption_agrees_with_brute_force() -> None:
    """Somebody is pending in the end exactly if every run of the scheduler leaves somebody."""
    counts: Counter[str] = Counter()
    cases = max(120, settings().max_examples)
    assert [x for seed in range(cases) for x in disagreements(seed, counts)] == []
    assert sum(n for what, n in counts.items() if what.endswith("unknown")) <= cases // 50


def main(count: int, first: int = 0) -> int:
    """Compare so many problems by seed; the exit code is 1 if anything disagrees."""
    counts: Counter[str] = Counter()
    found = [x for seed in range(first, first + count) for x in disagreements(seed, counts)]
    lines = [f"{number:8} {what}" for what, number in sorted(counts.items())]
    print(*lines, f"{len(found)} disagreements", *found[:50], sep="\n")  # noqa: T201 - a script
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
