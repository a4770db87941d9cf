"""The whole way from what is asked about a placement to a report."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kubelemma import __version__
from kubelemma.model.kinds.registry import stamp_of
from kubelemma.model.manifests import Position
from kubelemma.model.manifests import Problem as Complaint
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.reports.placement import PlacementReport, Share, overfull_row, placement_report
from kubelemma.solver.placement import preempting, whatif
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.decision import Decision, Effort
from kubelemma.solver.placement.overfull import overfull
from kubelemma.solver.placement.preempted import preempted
from kubelemma.solver.placement.problem import (
    Answer,
    Cluster,
    Problem,
    Question,
    Workload,
)

from .aside import PREEMPTION, left_aside
from .asking import (
    ALL,
    Asked,
    check_combination,
    classes_meant,
    lost,
    nodes_meant,
    refuse,
    scales,
    workload_meant,
)
from .inventory import Key, Origin, controller_of, key_of
from .machines import Offer, machines
from .plan import Input, Plan, plan, read
from .refused import storing
from .several import several
from .why import why


class Answered(NamedTuple):
    """A report, and what should be said about the input beside.

    ``variant`` is what the alternative is called, if there are any; ``unread`` are parts of the
    input that could not be read.
    """

    report: PlacementReport
    warnings: tuple[Complaint, ...]
    variant: str = ""
    unread: tuple[Complaint, ...] = ()


def answers(asked: Asked) -> tuple[Answered, ...]:
    """Read the input, and answer what is asked about it, for each alternative by itself.

    Raises:
        InvalidInput: something is wrong with the input or with what is asked about it.
    """
    check_combination(asked)
    inputs = read(
        asked.paths,
        asked.stdin,
        asked.nodes,
        asked.namespace,
        kustomize=asked.kustomize,
        strict=asked.strict,
        variant=asked.variant,
    )
    return tuple(_answer(asked, found) for found in inputs)


def _answer(asked: Asked, found: Input) -> Answered:
    """Change the input as is asked, decide, and put the answer together."""
    offers = machines(asked.machines) if asked.machines else {}
    found = _with_added(found, asked.add, offers)
    scale = scales(asked.scale, found.workloads())
    scaled = tuple(f"scaled: {key} to {count:,}" for key, count in scale.items())
    planned = plan(found, scale, reschedule=asked.reschedule)
    changed = _changed(planned, asked, scale)
    limit = asked.time_limit_seconds
    effort = Effort(seconds=limit, clock=None if limit is None else time.monotonic)
    beside = several(asked, planned, changed.problem, offers, effort)
    problem = beside.problem
    if beside.decision is not None:
        room = _Room(problem, beside.decision, beside.said)
    else:
        started = effort.now()
        decision = decide(problem.cluster, problem.workloads, asked.question, effort)
        room = _room_made(problem, decision, asked, effort.since(started))
    if not asked.preemption:
        room = room._replace(decision=_without_preemption(room.decision))
    gone = {id(one.pod) for one in room.decision.evictions}
    report = placement_report(
        __version__,
        room.problem,
        room.decision,
        _shares(room.problem.workloads, planned, found),
        setting=(*planned.setting, *scaled, *changed.said, *room.said),
        whatifs=(*storing(planned.refused), *beside.whatifs),
        extra=((pod, _share(origin)) for pod, origin in planned.added if id(pod) not in gone),
        not_modelled=planned.not_modelled,
    )
    whys = tuple(why(text, found, planned, room.problem, room.decision) for text in asked.why)
    standing = changed.problem.cluster
    rows = tuple(overfull_row(standing, each) for each in overfull(standing))
    report = replace(report, overfull=rows)
    lines = _positions(found, report)
    evictions = tuple(row._replace(position=lines.get(row.pod)) for row in report.evictions)
    rows = tuple(
        row._replace(
            refused=tuple(one._replace(position=lines.get(one.pod)) for one in row.refused)
        )
        for row in rows
    )
    report = replace(report, whys=whys, evictions=evictions, overfull=rows)
    return Answered(report, planned.warnings, found.variant, found.unread)


def _positions(found: Input, report: PlacementReport) -> dict[str, Position]:
    """Where those stand that have to go, or are refused."""
    gone = {row.pod for row in report.evictions}
    gone |= {one.pod for row in report.overfull for one in row.refused}
    pods = found.manifests.of(Pod) if gone else ()
    named = ((str(key_of("Pod", m.object.metadata)), m.document.at()) for m in pods)
    return {name: position for name, position in named if name in gone}


def _without_preemption(decision: Decision) -> Decision:
    """The decision as of a scheduler that does not even think of it."""
    pending = tuple(replace(one, preemption="") for one in decision.pending)
    return replace(decision, pending=pending)


class _Room(NamedTuple):
    """The answer with what preemption makes of it, and that in words."""

    problem: Problem
    decision: Decision
    said: tuple[str, ...] = ()


def _room_made(problem: Problem, found: Decision, asked: Asked, effort: Effort) -> _Room:
    """Who is placed and who has to go if less important pods make room for others."""
    room = _Room(problem, found)
    if found.answer is Answer.YES or not preempting.matters(problem):
        return room
    objection = preempting.unanswerable(problem)
    if objection or not asked.preemption or asked.question is Question.ANY_ORDER:
        aside = left_aside(problem, asked)
        more = f"{aside}, and then more may have a place" if aside else _ASIDE
        return room._replace(said=(more,))
    made = preempted(problem, found, effort)
    if made is None:
        return room
    return _Room(made.problem, made.decision, (PREEMPTION,))


_ASIDE = "preemption is left aside, so that pods on nodes stay"


def _with_added(found: Input, texts: Sequence[str], offers: Mapping[str, Offer]) -> Input:
    """The input with more nodes, so that daemons get their pods there, too."""
    problem = Problem(Cluster(found.nodes), ())
    for model, count in classes_meant(texts, found.nodes, offers):
        problem = whatif.add(problem, model, count)
    return found._replace(nodes=problem.cluster.nodes)


class _Changed(NamedTuple):
    """The problem after what happens to its cluster, and that in words."""

    problem: Problem
    said: tuple[str, ...]


def _changed(planned: Plan, asked: Asked, scale: Mapping[Key, int]) -> _Changed:
    nodes = planned.problem.cluster.nodes
    drained = nodes_meant(asked.drain, nodes, "--drain")
    cordoned = nodes_meant(asked.cordon, nodes, "--cordon")
    gone = lost(asked.lose, nodes)
    if len(gone) == len(nodes):
        refuse("--lose", "no node would be left")
    rollouts = tuple(_rollouts(planned, asked.surge, scale))
    problem = whatif.surge(planned.problem, rollouts)
    problem = whatif.cordon(problem, cordoned)
    problem = whatif.drain(problem, drained)
    reading = whatif.Reading(asked.reading or whatif.Reading.GONE)
    problem = whatif.lose(problem, gone, reading)
    said = (
        *_said("rolled out, up to their surge", (rollout.name for rollout in rollouts)),
        *_said("added", asked.add),
        *_said("cordoned", _names(nodes, cordoned)),
        *_said("drained, whatever disruption budgets say", _names(nodes, drained)),
        *_said(f"lost, {_READINGS[reading]}", _names(nodes, gone)),
    )
    return _Changed(problem, said)


_READINGS = {
    whatif.Reading.GONE: "and their Node objects with them",
    whatif.Reading.UNREACHABLE: "but their Node objects are there, tainted unreachable",
}
_MOST_SAID = 5


def _said(what: str, names: Iterable[str]) -> Iterator[str]:
    every = list(names)
    left = len(every) - _MOST_SAID
    more = f" and {left:,} more" if left > 0 else ""
    if every:
        yield f"{what}: {', '.join(every[:_MOST_SAID])}{more}"


def _names(nodes: Sequence[Node], indexes: Iterable[int]) -> Iterator[str]:
    return (nodes[index].metadata.name for index in indexes)


def _rollouts(
    planned: Plan, texts: Iterable[str], scale: Mapping[Key, int]
) -> Iterator[whatif.Rollout]:
    """The workloads that are rolled out, each with its own surge."""
    surging = {
        key: (origin, controller, pod, stamp.wanted, stamp.surge)
        for key, (origin, pod) in planned.templates.items()
        if (controller := origin.controller) is not None
        and (stamp := stamp_of(controller)) is not None
        and stamp.wanted is not None
        and stamp.surge is not None
    }
    keys = {workload_meant(text, list(surging), "--surge") for text in texts if text != ALL}
    for key, (origin, controller, pod, wanted, surge) in surging.items():
        if ALL in texts or key in keys:
            replicas = scale[key] if key in scale else wanted(controller)
            most = replicas + surge(controller, replicas)
            yield whatif.Rollout(str(key), pod, max(most - origin.wanted, 0))


def _shares(workloads: Iterable[Workload], planned: Plan, found: Input) -> dict[str, Share]:
    """Where each workload comes from; ``whatif`` puts what it does in brackets behind names."""
    known = dict(planned.origins)
    known |= {str(key): template.origin for key, template in planned.templates.items()}
    if any(_base(workload.name) not in known for workload in workloads):
        known = {**_of_pods(found), **known}
    origins = {w.name: known.get(w.name) or known.get(_base(w.name)) for w in workloads}
    return {name: _share(origin) for name, origin in origins.items() if origin is not None}


def _base(name: str) -> str:
    return name.partition(" (")[0]


def _of_pods(found: Input) -> dict[str, Origin]:
    """A pod of each owner, as it is written: displaced pods come from those of the input."""
    origins: dict[str, Origin] = {}
    for manifest in found.manifests.of(Pod):
        metadata = manifest.object.metadata
        owner = controller_of(metadata)
        key = key_of("Pod", metadata)
        if owner is not None:
            key = Key(owner.kind, metadata.namespace, owner.name)
        origins.setdefault(str(key), Origin(key, 0, 0, manifest.document, ()))
    return origins


def _share(origin: Origin) -> Share:
    at = origin.document.at()
    return Share(
        str(origin.key), origin.wanted, origin.staying, str(at), origin.written(), position=at
    )
