"""What becomes of pods where the scheduler drives out less important ones for others.

A pod that passes the filters of some node goes there. One that passes none may drive out pods of
lower priority from one node (``components/scheduler/decision/preemption``), and takes their place;
whoever creates them again has them pending then, like all others. **A run ends where no pending pod
can go anywhere.** With preemption the answer is YES if some run ends with nobody pending.

The first run is the scheduler's own: the most important pods first, each to the node with the best
score. It tells who is placed and who has to go. Where it leaves pods pending, all that may be
driven out is taken to be free to move at once: if not even then everything has a place, the answer
is NO, with that proof. Else a few random runs are tried, and on small clusters all of them.

Every run that leads to an answer is gone through step by step by ``check_preemption``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple, TypeAlias, TypeVar

from msgspec.structs import replace as with_fields

from kubelemma.model.components.scheduler.decision import volumes
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo, node_infos
from kubelemma.model.components.scheduler.decision.preemption import (
    Candidate,
    pick,
    preempt,
    victims_on,
)
from kubelemma.model.components.scheduler.decision.profile import (
    Cycle,
    Snapshot,
    Verdict,
    filter_node,
    pre_filter,
    prioritize,
)
from kubelemma.model.components.scheduler.decision.status import Status
from kubelemma.model.objects.pod import Pod

from .check_peers import Sorts, anti_affinity_terms, has_peers
from .check_preemption import Step, objection
from .check_volumes import Volumes
from .checker import check
from .decision import Effort
from .displaced import afterwards, alike, belongs_to_node, creator, workloads_of
from .lasting import lasting
from .pending import NOT_HELPFUL
from .priorities import priority
from .problem import Afterwards, Assignment, Eviction, Placement, Problem, Workload

LARGEST = 100_000
"""Pods times nodes up to which preemption is looked at."""

RUNS, FEW_RUNS = 12, 3
"""Random runs, where the scheduler's own leaves pods pending and nothing says that all must: so
many, or only a few where pods times nodes exceed ``_SMALL``."""
_SMALL = 2_000

MOST_STATES = 2_000
_LARGEST_SEARCH = 200_000
"""States times kinds of pods times nodes up to which all runs are tried."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a run ends.

    Attributes:
        problem: without the existing pods that had to go; those that are created again are
            workloads of it, behind the others.
        placement: where its pods are.
        evictions: the existing pods that had to go.
        order: the pods in the order in which they came, those among them that had to go again.
        said: what preemption says, in the scheduler's words, of each workload with pending pods.
    """

    problem: Problem
    placement: Placement
    evictions: tuple[Eviction, ...]
    order: tuple[tuple[int, int], ...]
    said: tuple[tuple[int, str], ...]


def matters(problem: Problem) -> bool:
    """Whether some pod to be placed is more important than another one, there or to be placed."""
    asking = [priority(w.pod) for w in problem.workloads if w.count]
    others = {*asking, *map(priority, problem.cluster.pods)}
    return bool(asking) and max(asking) > min(others)


def unanswerable(problem: Problem) -> str:
    """Why preemption is not looked at; empty if it can be."""
    volumes_of = Volumes(problem)
    if any(volumes_of.depends_on_order(w) for w in problem.workloads if w.pod.spec.volumes):
        return "which volumes claims get depends on the order of the pods"
    if sum(w.count for w in problem.workloads) * len(problem.cluster.nodes) > LARGEST:
        return "the question is too large"
    return ""


def evictable(problem: Problem) -> tuple[int, ...]:
    """The existing pods that somebody might drive out, as indexes."""
    asking = (priority(problem.workloads[w].pod) for w in driving(problem))
    highest = max(asking, default=None)
    if highest is None:
        return ()
    return tuple(i for i, pod in enumerate(problem.cluster.pods) if priority(pod) < highest)


def driving(problem: Problem) -> tuple[int, ...]:
    """The workloads that are to be placed, and may drive out some existing pod, as indexes."""
    least = min(map(priority, problem.cluster.pods), default=None)
    return tuple(
        w
        for w, each in enumerate(problem.workloads)
        if each.count and least is not None and priority(each.pod) > least
        if each.pod.spec.preemption_policy != "Never"
    )


def freed(problem: Problem) -> Problem:
    """What has a place in the end, if everything has, however the scheduler goes about it.

    All that may be driven out is to be placed, too; constraints that others may belie by coming or
    going are dropped (``lasting``). Pods that could not come where they are now are left out, since
    nobody might drive them out; and so are those that belong to their nodes.
    """
    going = set(evictable(problem))
    pods = problem.cluster.pods
    displaced = [pods[i] for i in sorted(going) if _returns(pods[i]) and _roams(pods[i])]
    cluster = replace(problem.cluster, pods=tuple(p for i, p in enumerate(pods) if i not in going))
    node_of = {node.metadata.name: n for n, node in enumerate(cluster.nodes)}
    groups = alike(displaced)
    named = tuple(workloads_of(displaced, {w.name for w in problem.workloads}))
    whole = Problem(cluster, (*problem.workloads, *named))
    old = len(problem.workloads)
    top = max((priority(w.pod) for w in problem.workloads if w.count), default=0)
    fickle = {w for w, each in enumerate(whole.workloads) if w >= old or priority(each.pod) < top}
    rest = lasting(whole, fickle)
    kept = list(range(old, len(whole.workloads)))
    there = [Counter(node_of[pod.spec.node_name] for pod in group) for group in groups.values()]
    while kept:
        now = replace(rest, workloads=tuple(rest.workloads[w] for w in kept))
        lying = Placement(
            tuple(
                Assignment(k, n, count)
                for k, w in enumerate(kept)
                for n, count in sorted(there[w - old].items())
            )
        )
        refused = {c.workload for c in check(now, lying)}
        if not refused:
            break
        kept = [w for k, w in enumerate(kept) if k not in refused]
    return replace(rest, workloads=(*rest.workloads[:old], *(rest.workloads[w] for w in kept)))


def _returns(pod: Pod) -> bool:
    """Whether somebody creates the pod again when it had to go."""
    return afterwards(pod) is Afterwards.AGAIN


def _roams(pod: Pod) -> bool:
    return not belongs_to_node(pod)


@dataclass(frozen=True, slots=True)
class _State:
    """The nodes with the pods on them, and how many pods of each kind are pending.

    ``lost`` of these had a place, had to go, and nobody creates them again.
    """

    infos: tuple[NodeInfo, ...]
    left: tuple[int, ...]
    lost: tuple[int, ...]

    def waits(self, kind: int) -> bool:
        """Whether there is a pod of the kind to be scheduled."""
        return self.left[kind] > self.lost[kind]


class _Look(NamedTuple):
    """What the scheduler sees for a pod: nodes that fit, or else nodes with pods to drive out."""

    fitting: tuple[int, ...]
    candidates: tuple[tuple[int, tuple[Pod, ...]], ...] = ()
    said: str = ""

    def choices(self) -> tuple[tuple[int, tuple[Pod, ...]], ...]:
        """Where the pod may go, and who has to go for it."""
        return tuple((n, ()) for n in self.fitting) or self.candidates


T = TypeVar("T")
_Known: TypeAlias = dict[tuple[int, int], tuple[NodeInfo, T]]
"""What was found of a kind on a node, by the number of the object that the node is for now."""

Run = tuple[_State, tuple[Step, ...]]
Choose = Callable[[_State, int, _Look], tuple[int, tuple[Pod, ...]]]


class Scheduling:
    """All runs of one problem; kinds of pods are its workloads, then what may be driven out."""

    def __init__(self, problem: Problem, effort: Effort) -> None:
        self.problem = problem
        pods = problem.cluster.pods
        going = [pods[i] for i in evictable(problem) if _returns(pods[i])]
        displaced = tuple(workloads_of(going, {w.name for w in problem.workloads}))
        self.kinds: tuple[Workload, ...] = (*problem.workloads, *displaced)
        self.pods = [merge_label_keys(kind.pod) for kind in self.kinds]
        self.index = {id(pod): i for i, pod in enumerate(pods)}
        self.kind_of: dict[int, int] = {}
        for number, group in enumerate(alike(going).values(), len(problem.workloads)):
            self.kind_of |= {id(pod): number for pod in group}
        self.bodies: dict[tuple[int, int], Pod] = {}
        self.node_of = {n.metadata.name: i for i, n in enumerate(problem.cluster.nodes)}
        self.shelf = volumes.Shelf(problem.cluster.storage)
        counts = (*(w.count for w in problem.workloads), *(0 for _ in displaced))
        nobody = (0,) * len(counts)
        self.start = _State(node_infos(problem.cluster.nodes, pods), counts, nobody)
        self.minding = frozenset(_minding(self.pods, problem))
        self.cycles: dict[int, Cycle] = {}
        self.verdicts: _Known[Verdict] = {}
        self.dry_runs: _Known[Candidate | Verdict] = {}
        self.clock = effort.clock if effort.seconds is not None else None
        self.deadline = self.clock() + (effort.seconds or 0) if self.clock else 0.0

    def is_late(self) -> bool:
        """Whether the time of the effort is over."""
        return self.clock is not None and self.clock() > self.deadline

    # --- one pod ----------------------------------------------------------------------------------

    def look(self, state: _State, kind: int) -> _Look:
        """Where one more pod of the kind may go, by the scheduler's own filters."""
        pod = self.pods[kind]
        if pre_enqueue(pod).rejects:
            return _Look(())
        snapshot = Snapshot(state.infos, self.problem.cluster.namespaces)
        cycle = self._cycle(kind, snapshot)
        verdicts = {info.name: self._verdict(kind, cycle, info, state) for info in state.infos}
        fitting = (n for n, info in enumerate(state.infos) if verdicts[info.name].status.ok)
        found = _Look(tuple(fitting))
        if found.fitting:
            return found
        driven = preempt(
            pod, snapshot, verdicts, cycle=cycle, dry_run=lambda *of: self._dry_run(kind, *of)
        )
        if driven.ineligible:
            return _Look((), said=driven.ineligible)
        helped = [c for c in driven.candidates if self._fits_without(state, pod, c)]
        chosen = set(pick(helped))
        if not chosen:
            words = Counter(
                reason
                for info in state.infos
                for reason in (
                    driven.refused[info.name].status.reasons
                    if info.name in driven.refused
                    else (NOT_HELPFUL,)
                )
            )
            parts = ", ".join(sorted(f"{count} {text}" for text, count in words.items()))
            return _Look((), said=f"0/{len(state.infos)} nodes are available: {parts}.")
        going = tuple((self.node_of[c.node], c.victims) for c in helped if c.node in chosen)
        return _Look((), going)

    def _cycle(self, kind: int, snapshot: Snapshot) -> Cycle:
        """What PreFilter works out; the same in every state for pods that mind no others."""
        if kind in self.minding:
            return pre_filter(self.pods[kind], snapshot)
        if kind not in self.cycles:
            self.cycles[kind] = pre_filter(self.pods[kind], snapshot)
        return self.cycles[kind]

    def _verdict(self, kind: int, cycle: Cycle, info: NodeInfo, state: _State) -> Verdict:
        verdict = self._remembered(self.verdicts, kind, info, lambda: filter_node(cycle, info))
        if not verdict.status.ok or not cycle.pod.spec.volumes:
            return verdict
        return Verdict(self._volumes(cycle.pod, info, state.infos))

    def _dry_run(self, kind: int, cycle: Cycle, info: NodeInfo) -> Candidate | Verdict:
        budgets = self.problem.cluster.budgets
        return self._remembered(
            self.dry_runs, kind, info, lambda: victims_on(cycle, info, (), budgets)
        )

    def _remembered(self, known: _Known[T], kind: int, info: NodeInfo, find: Callable[[], T]) -> T:
        """What is found of a node, once for as long as it is as it is, if others do not matter."""
        if kind in self.minding:
            return find()
        if (kind, id(info)) not in known:
            known[kind, id(info)] = info, find()
        return known[kind, id(info)][1]

    def _volumes(self, pod: Pod, info: NodeInfo, infos: Iterable[NodeInfo]) -> Status:
        asked = volumes.pre_filter(pod, self.shelf)
        users = volumes.users_of((other for each in infos for other in each.pods), self.shelf)
        return volumes.filter_node(asked, info, users, self.shelf)

    def _fits_without(self, state: _State, pod: Pod, candidate: Candidate) -> bool:
        """Whether the pod fits where the victims are gone, also where the dry run cannot tell.

        It knows nothing of volumes here; and it counts one pod less for spread constraints when one
        goes that is terminating, though such pods do not count (``updateWithPod`` in
        ``pkg/scheduler/framework/plugins/podtopologyspread/filtering.go``).
        """
        ending = any(victim.metadata.deletion_timestamp for victim in candidate.victims)
        if not (pod.spec.volumes or ending):
            return True
        node = self.node_of[candidate.node]
        left = _without(state.infos[node], candidate.victims)
        infos = (*state.infos[:node], left, *state.infos[node + 1 :])
        cycle = pre_filter(pod, Snapshot(infos, self.problem.cluster.namespaces))
        fits = filter_node(cycle, left).status.ok
        return fits and (not pod.spec.volumes or self._volumes(pod, left, infos).ok)

    def take(
        self, state: _State, kind: int, node: int, victims: tuple[Pod, ...]
    ) -> tuple[_State, Step]:
        """The pod goes to the node, and the victims go."""
        left, lost = list(state.left), list(state.lost)
        left[kind] -= 1
        for victim in victims:
            its = self.kind_of.get(id(victim))
            if its is not None:
                left[its] += 1
                lost[its] += not _returns(self.kinds[its].pod)
        info = _without(state.infos[node], victims).with_pods(self._body(kind, node))
        infos = (*state.infos[:node], info, *state.infos[node + 1 :])
        existing = tuple(self.index[id(v)] for v in victims if id(v) in self.index)
        placed = tuple(self.kind_of[id(v)] for v in victims if id(v) not in self.index)
        return _State(infos, tuple(left), tuple(lost)), Step(kind, node, existing, placed)

    def _body(self, kind: int, node: int) -> Pod:
        """A pod of the kind on the node; they are all alike."""
        if (kind, node) not in self.bodies:
            pod, name = self.pods[kind], self.problem.cluster.nodes[node].metadata.name
            body = with_fields(pod, spec=with_fields(pod.spec, node_name=name))
            self.bodies[kind, node] = body
            self.kind_of[id(body)] = kind
        return self.bodies[kind, node]

    # --- runs -------------------------------------------------------------------------------------

    def run(self, random: Random | None = None) -> Run:
        """One run to its end: the scheduler's own, or a random one."""
        state, steps = self.start, list[Step]()
        order = sorted(range(len(self.kinds)), key=lambda k: -priority(self.pods[k]))
        choose = self._best if random is None else lambda *of: random.choice(of[2].choices())
        tried: dict[int, tuple[int, int]] = {}
        evictions = 0
        while not self.is_late():
            if random is not None:
                random.shuffle(order)
            for kind in order:
                # Pods that come close nodes, but to those that ask for others; others open them.
                version = (evictions, len(steps) if kind in self.minding else 0)
                if not state.waits(kind) or tried.get(kind) == version:
                    continue
                found = self.look(state, kind)
                if not found.choices():
                    tried[kind] = version
                    continue
                state, step = self.take(state, kind, *choose(state, kind, found))
                steps.append(step)
                evictions += bool(step.existing or step.placed)
                break
            else:
                break
        return state, tuple(steps)

    def _best(self, state: _State, kind: int, found: _Look) -> tuple[int, tuple[Pod, ...]]:
        """The node with the highest score, the first of several; of candidates the first."""
        if len(found.fitting) <= 1:
            return found.choices()[0]
        snapshot = Snapshot(state.infos, self.problem.cluster.namespaces)
        feasible = tuple(state.infos[n] for n in found.fitting)
        return self.node_of[prioritize(self.pods[kind], snapshot, feasible).best[0]], ()

    def runs(self) -> Iterator[Run]:
        """A few random runs."""
        size = sum(self.start.left) * len(self.start.infos)
        for seed in range(RUNS if size <= _SMALL else FEW_RUNS):
            if self.is_late():
                return
            yield self.run(Random(seed))  # noqa: S311 - the same runs each time

    def successful(self) -> tuple[Run | None, bool]:
        """A run that leaves nobody pending, if one is found, and whether all runs were tried."""
        cells = max(1, len(self.kinds) * len(self.problem.cluster.nodes))
        most = min(MOST_STATES, _LARGEST_SEARCH // cells)
        seen = {self._key(self.start)}
        agenda: list[Run] = [(self.start, ())]
        while agenda:
            state, steps = agenda.pop()
            for kind in range(len(state.left)):
                waits = state.waits(kind)
                for choice in self.look(state, kind).choices() if waits else ():
                    following, step = self.take(state, kind, *choice)
                    if not any(following.left):
                        return (following, (*steps, step)), False
                    key = self._key(following)
                    if key not in seen:
                        seen.add(key)
                        agenda.append((following, (*steps, step)))
            if len(seen) > most or self.is_late():
                return None, False
        return None, True

    def _key(self, state: _State) -> tuple[tuple[int, ...], ...]:
        """Equal for states that only differ in which of equal pods is where.

        Who has been on a node for longer is more important than others of its priority.
        """
        return (state.lost, *(tuple(map(id, info.pods)) for info in state.infos))

    # --- what came out ----------------------------------------------------------------------------

    def outcome(self, run: Run) -> Outcome:
        """Where the run ends, after it was gone through.

        Raises:
            RuntimeError: a step of it is none (an error in this program).
        """
        state, steps = run
        self._verify(steps)
        pods = self.problem.cluster.pods
        gone = {i: (s.node, s.workload) for s in steps for i in s.existing}
        back = Counter(self.kind_of[id(pods[i])] for i in gone if id(pods[i]) in self.kind_of)
        old = len(self.problem.workloads)
        kept = [*range(old), *sorted(back)]
        number = {kind: w for w, kind in enumerate(kept)}
        workloads = (
            *self.problem.workloads,
            *(replace(self.kinds[kind], count=back[kind]) for kind in kept[old:]),
        )
        left = tuple(pod for i, pod in enumerate(pods) if i not in gone)
        cluster = replace(self.problem.cluster, pods=left)
        on = Counter(
            (number[self.kind_of[id(pod)]], n)
            for n, info in enumerate(state.infos)
            for pod in info.pods
            if id(pod) not in self.index
        )
        return Outcome(
            Problem(cluster, workloads),
            Placement(tuple(Assignment(w, n, count) for (w, n), count in sorted(on.items()))),
            tuple(_eviction(pods[i], n, number[w]) for i, (n, w) in sorted(gone.items())),
            tuple((number[s.workload], s.node) for s in steps),
            tuple(
                (number[kind], said)
                for kind, waiting in enumerate(state.left)
                if waiting and (said := self.look(state, kind).said)
            ),
        )

    def _verify(self, steps: Sequence[Step]) -> None:
        """Have the steps gone through, with the kinds of pods only that they are about.

        Raises:
            RuntimeError: a step is none (an error in this program).
        """
        again = {i: self.kind_of[key] for key, i in self.index.items() if key in self.kind_of}
        gone = {again[i] for step in steps for i in step.existing if i in again}
        old = len(self.problem.workloads)
        kept = [*range(old), *sorted(kind for kind in gone if kind >= old)]
        number = {kind: k for k, kind in enumerate(kept)}
        told = tuple(
            Step(number[s.workload], s.node, s.existing, tuple(number[k] for k in s.placed))
            for s in steps
        )
        back = {i: number[kind] for i, kind in again.items() if kind in number}
        wrong = objection(self.problem, tuple(self.kinds[kind] for kind in kept), told, back)
        if wrong is not None:
            raise RuntimeError(f"the run that was found is none: {wrong}")


def _eviction(pod: Pod, node: int, workload: int) -> Eviction:
    return Eviction(pod, node, workload, afterwards(pod), creator(pod))


def _minding(pods: Sequence[Pod], problem: Problem) -> Iterator[int]:
    """The kinds of pods to which it matters what pods are on other nodes."""
    sorts = Sorts(problem.cluster.namespaces)
    for kind, pod in enumerate(pods):
        sorts.of(pod).workloads.append(kind)
        if has_peers(pod.spec) or pod.spec.volumes:
            yield kind
    for pod in (*problem.cluster.pods, *pods):
        for term in anti_affinity_terms(pod):
            yield from (w for sort in sorts.meant_by_existing(term) for w in sort.workloads)


def _without(info: NodeInfo, victims: Sequence[Pod]) -> NodeInfo:
    """The node when these pods are gone; of equal ones as many as there are victims."""
    going = Counter(map(id, victims))
    left = []
    for pod in info.pods:
        if going[id(pod)]:
            going[id(pod)] -= 1
        else:
            left.append(pod)
    return NodeInfo(info.node, tuple(left))
