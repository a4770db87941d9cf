"""Placement on tiny random clusters: everybody's answer against trying everything.

The brute force shares nothing with solver and checker: it counts pods on nodes, and asks the
filters of ``components/scheduler`` about every single pod. To try more than a test run does::

    python tests/engines/test_placement_brute_force.py 10000 [FIRST_SEED]

prints what disagrees, how often the answer was UNKNOWN, and exits 1 if anything disagrees.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations_with_replacement, product
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.model.components.scheduler.decision import volumes
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo, node_infos
from kubelemma.model.components.scheduler.decision.profile import Snapshot, filter_node, pre_filter
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.storage import (
    CSINode,
    PersistentVolume,
    PersistentVolumeClaim,
    Storage,
)
from kubelemma.solver.placement.checker import check
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.decision import Effort
from kubelemma.solver.placement.order_replay import Order
from kubelemma.solver.placement.orders import every_order, reach
from kubelemma.solver.placement.problem import (
    Answer,
    Assignment,
    Cluster,
    Placement,
    Problem,
    Question,
    Workload,
)

Pick = Callable[[Sequence[Any]], Any]
State = tuple[tuple[int, ...], ...]

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
EFFORT = Effort(relaxations=False)
KEYS = (HOSTNAME, ZONE, "rack")


def at_least(examples: int) -> int:
    """So many examples, or more if the Hypothesis profile asks for more."""
    return max(examples, settings().max_examples)


# --- tiny clusters --------------------------------------------------------------------------------


class Drawer:
    """Draws the parts of a problem; ``pick`` takes one of several things, the plainest first."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.app = "x"

    def _one_in(self, cases: int) -> bool:
        """Whether to do what is done in one of so many cases."""
        return self.pick((False,) * (cases - 1) + (True,))

    def _raw_node(self, number: int) -> dict[str, Any]:
        """A node as it is written."""
        pick = self.pick
        labels = {
            HOSTNAME: None if self._one_in(20) else f"n{number}",
            ZONE: None if self._one_in(12) else pick(("a", "b", "a", "b", "c")),
            "rack": pick(("1", "2", "2", None)),
            "size": pick((None, "3", "7")),
        }
        allocatable = {"cpu": pick(("2", "1500m", "4")), "pods": pick(("9", "4", "3", "2"))}
        if gpus := pick((None, None, "1", "2")):
            allocatable["example.com/gpu"] = gpus
        taints = (
            [{"key": "t", "value": pick(("x", "y")), "effect": pick(("NoSchedule", "NoExecute"))}]
            if self._one_in(9)
            else []
        )
        return {
            "metadata": {
                "name": f"n{number}",
                "labels": {k: v for k, v in labels.items() if v is not None},
            },
            "spec": {"taints": taints, "unschedulable": self._one_in(10)},
            "status": {"allocatable": allocatable},
        }

    def _selector(self) -> dict[str, Any]:
        pick = self.pick
        own = {"matchLabels": {"app": self.app}}
        return pick(
            (
                own,
                own,
                own,
                {"matchLabels": {"app": pick(("x", "y"))}},
                {"matchExpressions": [{"key": "app", "operator": "In", "values": ["x", "y"]}]},
                {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["x"]}]},
                {"matchExpressions": [{"key": "rev", "operator": "Exists"}]},
                {},
            )
        )

    def _spread(self) -> dict[str, Any]:
        pick = self.pick
        optional = {
            "minDomains": pick((None, None, 2, 3)),
            "nodeAffinityPolicy": pick((None, "Honor", "Ignore")),
            "nodeTaintsPolicy": pick((None, "Honor", "Ignore")),
            "matchLabelKeys": pick((None, None, ["rev"])),
        }
        return {
            "topologyKey": pick((ZONE, HOSTNAME, ZONE, HOSTNAME, "rack")),
            "maxSkew": pick((1, 1, 2, 3)),
            "whenUnsatisfiable": pick(("DoNotSchedule",) * 4 + ("ScheduleAnyway",)),
            "labelSelector": self._selector(),
            **{k: v for k, v in optional.items() if v is not None},
        }

    def _term(self) -> dict[str, Any]:
        pick = self.pick
        optional = {
            "namespaces": pick((None, None, ["one", "two"], ["two"])),
            "namespaceSelector": pick(
                (
                    None,
                    None,
                    None,
                    {},
                    {"matchLabels": {"team": "red"}},
                    {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["red"]}]},
                )
            ),
            "matchLabelKeys": pick((None, None, None, ["rev"])),
            "mismatchLabelKeys": pick((None, None, None, ["app"])),
        }
        if optional["matchLabelKeys"] and optional["mismatchLabelKeys"]:
            del optional["mismatchLabelKeys"]
        return {
            "topologyKey": pick(KEYS),
            "labelSelector": self._selector(),
            **{k: v for k, v in optional.items() if v is not None},
        }

    def _node_affinity(self) -> dict[str, Any]:
        expression = self.pick(
            (
                {"key": ZONE, "operator": "In", "values": ["a", "b"]},
                {"key": "rack", "operator": "NotIn", "values": ["1"]},
                {"key": "rack", "operator": "Exists"},
                {"key": "size", "operator": "Gt", "values": ["4"]},
                {"key": "size", "operator": "DoesNotExist"},
            )
        )
        name = {"key": "metadata.name", "operator": self.pick(("In", "NotIn")), "values": ["n1"]}
        terms: Any = self.pick(
            (
                [{"matchExpressions": [expression]}],
                [{"matchExpressions": [expression]}],
                [{"matchFields": [name]}],
                [{"matchFields": [name]}, {"matchExpressions": [expression]}, {}],
            )
        )
        return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}

    def _pod_terms(self) -> dict[str, Any]:
        terms = [self._term() for _ in range(self.pick((1, 1, 1, 2)))]
        return {"requiredDuringSchedulingIgnoredDuringExecution": terms}

    def _affinity(self, *, resident: bool) -> dict[str, Any]:
        parts = {
            "nodeAffinity": self._node_affinity() if not resident and self._one_in(10) else None,
            "podAffinity": self._pod_terms() if not resident and self._one_in(5) else None,
            "podAntiAffinity": self._pod_terms() if self._one_in(5) else None,
        }
        return {k: v for k, v in parts.items() if v is not None}

    def _container(self) -> dict[str, Any]:
        pick = self.pick
        asked = {
            "cpu": pick((None, "500m", "800m", "300m", "300m")),
            "example.com/gpu": "1" if self._one_in(8) else None,
        }
        container: dict[str, Any] = {
            "resources": {"requests": {k: v for k, v in asked.items() if v is not None}}
        }
        if self._one_in(8):
            port = {"hostPort": pick((80, 81)), "protocol": pick(("TCP", "UDP"))}
            container["ports"] = [{**port, "hostIP": pick(("", "10.0.0.1", "10.0.0.2"))}]
        return container

    def _raw_pod(self, *, resident: bool) -> dict[str, Any]:
        """A pod, or a template of pods, as it is written."""
        pick = self.pick
        self.app = pick(("x", "y", "z"))
        labels = {"app": self.app, "rev": pick((None, "1", "2"))}
        spec: dict[str, Any] = {
            "containers": [self._container()],
            "affinity": self._affinity(resident=resident),
        }
        if self._one_in(6):
            init = {"resources": {"requests": {"cpu": pick(("1", "1600m"))}}}
            spec["initContainers"] = [{**init, "restartPolicy": pick(("", "Always"))}]
        if claim := self._claim():
            spec["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]
        if not resident:
            spec["nodeSelector"] = {"rack": "1"} if self._one_in(20) else None
            tolerations: tuple[Any, ...] = (
                [],
                [],
                [{"operator": "Exists"}],
                [{"key": "t", "value": "x", "effect": "NoSchedule"}],
            )
            spec["tolerations"] = pick(tolerations)
            spreads = pick((0, 1, 0, 1, 0, 2))
            spec["topologySpreadConstraints"] = [self._spread() for _ in range(spreads)]
            if self._one_in(40):
                spec["schedulingGates"] = [{"name": "wait"}]
        return {
            "metadata": {
                "namespace": pick(("one", "one", "two")),
                "labels": {k: v for k, v in labels.items() if v is not None},
            },
            "spec": {k: v for k, v in spec.items() if v},
        }

    def _claim(self) -> str | None:
        """The name of a claim of ``storage``."""
        return self.pick((None,) * 11 + ("zonal", "single", "plain"))

    def _storage(self, nodes: Sequence[Node]) -> Storage:
        """A bound claim in a zone, one for a single pod, one anywhere; some nodes have limits."""
        pick = self.pick
        zone = {"key": ZONE, "operator": "In", "values": [pick(("a", "b"))]}
        affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}}
        where: dict[str, Any] = {"zonal": {"nodeAffinity": affinity}, "single": {}, "plain": {}}
        volumes = [
            {
                "metadata": {"name": name, "labels": {ZONE: "a"} if self._one_in(8) else {}},
                "spec": {"csi": {"driver": "d", "volumeHandle": name}, **spec},
            }
            for name, spec in where.items()
        ]
        bound = {"pv.kubernetes.io/bind-completed": "yes"}
        claims = [
            {
                "metadata": {
                    "namespace": namespace,
                    "name": name,
                    "annotations": {} if self._one_in(12) else bound,
                },
                "spec": {
                    "volumeName": name,
                    "accessModes": ["ReadWriteOncePod" if name == "single" else "ReadWriteMany"],
                },
            }
            for name in where
            for namespace in ("one", "two")
        ]
        csi = [
            {
                "metadata": {"name": node.metadata.name},
                "spec": {"drivers": [{"name": "d", "allocatable": {"count": pick((1, 2))}}]},
            }
            for node in nodes
            if self._one_in(6)
        ]
        return Storage(
            volumes=tuple(decode(raw, PersistentVolume) for raw in volumes),
            claims=tuple(decode(raw, PersistentVolumeClaim) for raw in claims),
            csi_nodes=tuple(decode(raw, CSINode) for raw in csi),
        )

    def _resident(self, number: int, nodes: Sequence[Node]) -> Pod:
        raw = self._raw_pod(resident=True)
        raw["metadata"]["name"] = f"old{number}"
        raw["spec"]["nodeName"] = self.pick([n.metadata.name for n in nodes])
        if self._one_in(4):
            raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        return merge_label_keys(decode(raw, Pod))

    def problem(self) -> Problem:
        """Up to four nodes, three existing pods, three workloads, five pods to place."""
        pick = self.pick
        nodes = tuple(decode(self._raw_node(i), Node) for i in range(pick((2, 3, 1, 4, 3))))
        resident = tuple(self._resident(i, nodes) for i in range(pick((0, 0, 1, 2, 3))))
        workloads: list[Workload] = []
        left = 5
        for i in range(pick((1, 2, 2, 3))):
            if not left:
                break
            count = pick(tuple(range(1, left + 1)))
            left -= count
            workloads.append(Workload(f"w{i}", decode(self._raw_pod(resident=False), Pod), count))
        namespaces = {"one": {"team": "red"}, "two": pick(({}, {"team": "blue"}))}
        cluster = Cluster(nodes, resident, namespaces, self._storage(nodes))
        return Problem(cluster, tuple(workloads))


def seeded(seed: int) -> Problem:
    """The problem of a seed."""
    return Drawer(Random(seed).choice).problem()  # noqa: S311 - no secret


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Problems that Hypothesis can make smaller."""
    return Drawer(lambda options: draw(st.sampled_from(list(options)))).problem()


# --- trying everything ----------------------------------------------------------------------------


class BruteForce:
    """All ways to lay the pods of a problem on its nodes, by the scheduler's own filters.

    A state counts the pods by workload and node.
    """

    def __init__(self, problem: Problem) -> None:
        self.nodes = problem.cluster.nodes
        self.counts = tuple(w.count for w in problem.workloads)
        self.pods = tuple(merge_label_keys(w.pod) for w in problem.workloads)
        self.base = node_infos(self.nodes, problem.cluster.pods)
        self.namespaces = problem.cluster.namespaces
        self.shelf = volumes.Shelf(problem.cluster.storage)
        self.start: State = tuple((0,) * len(self.nodes) for _ in self.pods)
        self.info = cache(self._info)
        self.open = cache(self._open)

    def _info(self, node: int, here: tuple[int, ...]) -> NodeInfo:
        pods = [pod for pod, number in zip(self.pods, here, strict=True) for _ in range(number)]
        return self.base[node].with_pods(*pods)

    def _open(self, workload: int, state: State) -> frozenset[int]:
        """The nodes that would take one more pod of the workload."""
        pod = self.pods[workload]
        if pre_enqueue(pod).rejects:
            return frozenset()
        infos = tuple(self.info(n, tuple(row[n] for row in state)) for n in range(len(self.nodes)))
        cycle = pre_filter(pod, Snapshot(infos, self.namespaces))
        fitting = (n for n, i in enumerate(infos) if filter_node(cycle, i).status.ok)
        if not pod.spec.volumes:
            return frozenset(fitting)
        asked = volumes.pre_filter(pod, self.shelf)
        users = volumes.users_of((other for i in infos for other in i.pods), self.shelf)
        return frozenset(
            n for n in fitting if volumes.filter_node(asked, infos[n], users, self.shelf).ok
        )

    def is_legal(self, state: State) -> bool:
        """Whether each pod, as the last one, would be let through where it is.

        Two pods that share a volume must not let each other past a limit of volumes.
        """
        return self._keeps_limits(state) and all(
            n in self.open(w, moved(state, w, n, -1))
            for w, row in enumerate(state)
            for n, number in enumerate(row)
            if number
        )

    def _keeps_limits(self, state: State) -> bool:
        for n, before in enumerate(self.base):
            info = self.info(n, tuple(row[n] for row in state))
            old, new = (
                {h for pod in i.pods for h in volumes.handles(pod, self.shelf)}
                for i in (before, info)
            )
            limit = self.shelf.limits.get(info.name, {}).get("d")
            if limit is not None and len(new) > max(limit, len(old)):
                return False
        return True

    def is_complete(self, state: State) -> bool:
        """Whether all pods are placed."""
        return all(sum(row) == count for row, count in zip(state, self.counts, strict=True))

    def states(self) -> Iterator[State]:
        """All complete states, legal or not."""
        nodes = range(len(self.nodes))
        rows = []
        for count in self.counts:
            chosen = combinations_with_replacement(nodes, count)
            rows.append([tuple(Counter(c)[n] for n in nodes) for c in chosen])
        return product(*rows)

    def final(self) -> bool:
        """Whether there is a complete legal state."""
        return any(self.is_legal(state) for state in self.states())

    def orders(self) -> tuple[bool, bool]:
        """Whether some order, and whether every order, places all pods; nothing else is asked."""
        some, every = False, True
        seen, agenda = {self.start}, [self.start]
        while agenda:
            state = agenda.pop()
            nexts = list(self.successors(state))
            if not nexts:
                good = self.is_complete(state)
                some, every = some or good, every and good
            for following in nexts:
                if following not in seen:
                    seen.add(following)
                    agenda.append(following)
        return some, every

    def leads(self, order: Order) -> bool:
        """Whether the filters let each step of an order pass, and it places all pods."""
        state = self.start
        for w, n in order:
            if n not in self.open(w, state):
                return False
            state = moved(state, w, n, 1)
        return self.is_complete(state)

    def successors(self, state: State) -> Iterator[State]:
        """Every state that is one pod further."""
        for w, (row, count) in enumerate(zip(state, self.counts, strict=True)):
            if sum(row) < count:
                for n in sorted(self.open(w, state)):
                    yield moved(state, w, n, 1)


def moved(state: State, workload: int, node: int, by: int) -> State:
    """The state with so many more pods of the workload on the node."""
    return tuple(
        tuple(x + by if (w, n) == (workload, node) else x for n, x in enumerate(row))
        for w, row in enumerate(state)
    )


def placement_of(state: State) -> Placement:
    """The state as a placement."""
    return Placement(
        tuple(
            Assignment(w, n, number)
            for w, row in enumerate(state)
            for n, number in enumerate(row)
            if number
        )
    )


# --- the checker against the filters --------------------------------------------------------------


def disagreements_of_checker(problem: Problem, random: Random, tries: int = 12) -> Iterator[str]:
    """Random states, complete or not, that checker and filters judge differently."""
    force = BruteForce(problem)
    nodes = range(len(force.nodes))
    for _ in range(tries):
        rows = []
        for count in force.counts:
            chosen = Counter(random.choice(nodes) for _ in range(random.randint(0, count)))
            rows.append(tuple(chosen[n] for n in nodes))
        state: State = tuple(rows)
        complaints = check(problem, placement_of(state))
        if force.is_legal(state) == bool(complaints):
            yield f"{state}: filters say {force.is_legal(state)}, checker says {complaints}"


@settings(max_examples=at_least(200))
@given(problem=problems(), random=st.randoms(use_true_random=False))
def test_checker_agrees_with_filters(problem: Problem, random: Random) -> None:
    """The checker calls a state legal exactly if the filters let each pod through as the last."""
    assert list(disagreements_of_checker(problem, random)) == []


# --- everybody's answer ---------------------------------------------------------------------------


class Comparison:
    """The answers to all three questions against brute force, and how often they are UNKNOWN."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.disagreements: list[str] = []

    def compare(self, name: str, problem: Problem) -> None:
        """Ask all three questions, and ``orders`` by itself."""
        force = BruteForce(problem)
        some, every = force.orders()
        truth = {
            Question.FINAL: force.final(),
            Question.REACHABLE: some,
            Question.ANY_ORDER: every,
        }
        for question, expect in truth.items():
            decision = decide(problem.cluster, problem.workloads, question, EFFORT)
            self._count(name, f"decide {question}", decision.answer, expect=expect)
            witnessed = {
                Question.FINAL: lambda d: not any(d.unplaced) and not check(problem, d.placement),
                Question.REACHABLE: lambda d: not any(d.unplaced) and force.leads(d.order),
                Question.ANY_ORDER: lambda _: True,
            }[question]
            if decision.answer is Answer.YES and not witnessed(decision):
                self.disagreements.append(f"{name}: {question} has no witness")
        self._count(name, "reach", reach(problem).answer, expect=some)
        self._count(name, "every_order", every_order(problem).answer, expect=every)

    def _count(self, name: str, what: str, answer: Answer, *, expect: bool) -> None:
        self.counts[f"{what}: {answer}"] += 1
        if answer is not Answer.UNKNOWN and (answer is Answer.YES) != expect:
            self.disagreements.append(f"{name}: {what} says {answer}, brute force {expect}")

    def unknown(self) -> int:
        """How many of all answers were UNKNOWN."""
        return sum(n for what, n in self.counts.items() if what.endswith(f": {Answer.UNKNOWN}"))


def test_answers_agree_with_brute_force() -> None:
    """All three questions come out as by trying everything, and nothing this small is left open."""
    comparison = Comparison()
    cases = at_least(150)
    for seed in range(cases):
        comparison.compare(f"seed {seed}", seeded(seed))
    assert comparison.disagreements == []
    assert comparison.unknown() <= cases // 50


@settings(max_examples=at_least(40))
@given(problem=problems())
def test_answers_agree_on_drawn_problems(problem: Problem) -> None:
    """The same for problems that Hypothesis draws, and makes small where they differ."""
    comparison = Comparison()
    comparison.compare("drawn", problem)
    assert comparison.disagreements == []


def main(count: int, first: int = 0) -> int:
    """Compare so many problems by seed; the exit code is 1 if anything disagrees."""
    comparison = Comparison()
    for seed in range(first, first + count):
        problem = seeded(seed)
        comparison.compare(f"seed {seed}", problem)
        random = Random(seed)  # noqa: S311 - no secret
        for found in disagreements_of_checker(problem, random, tries=4):
            comparison.disagreements.append(f"seed {seed}: {found}")
    lines = [f"{number:8} {what}" for what, number in sorted(comparison.counts.items())]
    found = comparison.disagreements
    print(*lines, f"{len(found)} disagreements", *found[:50], sep="\n")  # noqa: T201 - a script
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
