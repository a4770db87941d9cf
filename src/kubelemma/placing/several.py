"""Questions that look at more than one cluster: what may be lost, what must be added, what fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from fractions import Fraction
from typing import Any

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.resources import pod_requests
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.quantity import Quantity
from kubelemma.reports.placement import WhatIf
from kubelemma.reports.style import enumeration
from kubelemma.solver.placement import preempting
from kubelemma.solver.placement.counting import (
    HowMany,
    Preempting,
    how_many,
    how_many_preempting,
)
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.decision import Decision, Effort
from kubelemma.solver.placement.preempted import preempted
from kubelemma.solver.placement.problem import Answer, Problem, Workload
from kubelemma.solver.placement.purchase import Machine, Purchase, fewest_nodes
from kubelemma.solver.placement.survive import Outcome, Survival, survive, survive_domain
from kubelemma.solver.placement.whatif import HOSTNAME, Reading

from .aside import PREEMPTION, could_go, gone_for, left_aside
from .asking import Asked, refuse, workload_meant
from .daemons import eligible
from .machines import Offer
from .plan import Plan


@dataclass(frozen=True, slots=True)
class Beside:
    """What came out.

    ``problem`` and its ``decision`` are what the placement of the report is about; the decision is
    None where it is still to be made. ``said`` is what was assumed for that.
    """

    problem: Problem
    decision: Decision | None = None
    whatifs: tuple[WhatIf, ...] = ()
    said: tuple[str, ...] = ()


def several(
    asked: Asked,
    planned: Plan,
    problem: Problem,
    offers: Mapping[str, Offer],
    effort: Effort,
) -> Beside:
    """Answer what is asked beside whether all pods have a place in the cluster as it is.

    Raises:
        InvalidInput: it cannot be asked of this cluster.
    """
    if asked.fewest_nodes:
        return _bought(asked, planned, problem, offers, effort)
    if asked.how_many:
        return _counted(asked, planned, problem, effort)
    return _survived(asked, problem, effort)


def _survived(asked: Asked, problem: Problem, effort: Effort) -> Beside:
    """Whether any nodes, or any zone, may be lost."""
    reading = Reading(asked.reading or Reading.GONE)
    found: list[tuple[str, Survival]] = []
    if asked.survive is not None:
        if asked.survive >= len(problem.cluster.nodes):
            refuse("--survive", f"there are {len(problem.cluster.nodes)} nodes: none would be left")
        nodes = "node is" if asked.survive == 1 else "nodes are"
        title = f"any {asked.survive} {nodes} lost"
        any_of_them = survive(problem, asked.survive, reading, effort, preemption=asked.preemption)
        found.append((title, any_of_them))
    if asked.survive_zone:
        try:
            zones = survive_domain(
                problem, reading=reading, effort=effort, preemption=asked.preemption
            )
        except ValueError as error:
            refuse("--survive-zone", str(error))
        found.append(("any zone is lost", zones))
    whatifs = tuple(_whatif(title, each, asked) for title, each in found)
    if not found:
        return Beside(problem)
    base = found[0][1]
    made = any(each.preempting or each.base.evictions for _, each in found)
    return Beside(base.problem, base.base, whatifs, (PREEMPTION,) * made)


def _whatif(title: str, found: Survival, asked: Asked) -> WhatIf:
    lines = (*_lines(found), *_after_preemption(found, asked))
    return WhatIf(title, found.answer, lines, _data(found))


def _after_preemption(found: Survival, asked: Asked) -> Iterator[str]:
    """Who has to go so that others survive; or that this was not looked at."""
    for number, outcome in enumerate(found.preempting):
        if number == _MOST_NAMED:
            yield f"and so on, after {len(found.preempting) - number:,} more losses"
            return
        yield f"after the loss of {_lost(outcome)}, {gone_for(outcome.decision)}"
    for outcome in found.failed:
        aside = left_aside(outcome.after, asked)
        if aside:
            yield f"{aside}, and then the loss of {_lost(outcome)} may be survived"
            return


def _lines(found: Survival) -> Iterator[str]:
    if found.base.answer is not Answer.YES:
        known = "has a place" if found.base.answer is Answer.NO else "is known to have a place"
        yield f"not looked at, as not everything {known} even without a loss"
        return
    losses = f"{found.total:,} {'loss' if found.total == 1 else 'losses'}"
    if found.answer is Answer.YES:
        yield f"everything finds a place after each of {losses}"
        return
    if found.answer is Answer.UNKNOWN:
        why = f" ({found.stopped_by})" if found.stopped_by else ""
        left = sum(o.number for o in found.failed) + found.total - found.covered
        yield f"{left:,} of {losses} were not decided{why}"
    for outcome in found.failed[-1:]:
        yield f"not after the loss of {_lost(outcome)}"
        if outcome.decision.reason is not None:
            yield from outcome.decision.reason.lines


_MOST_NAMED = 5


def _lost(outcome: Outcome) -> str:
    if outcome.value is not None:
        return f"zone {outcome.value}"
    names = ", ".join(outcome.nodes[:_MOST_NAMED])
    left = len(outcome.nodes) - _MOST_NAMED
    more = f" and {left} more" if left > 0 else ""
    alike = outcome.number - 1
    like = f" (or {alike:,} like it)" if alike else ""
    return f"{names}{more}{like}"


def _data(found: Survival) -> Mapping[str, Any]:
    return {
        "reading": found.reading.value,
        "losses": found.total,
        "decided": found.covered,
        "failed": [
            {
                "nodes": list(outcome.nodes),
                "alike": outcome.number,
                "answer": outcome.decision.answer.value,
                "reason": list(outcome.decision.reason.lines) if outcome.decision.reason else [],
            }
            for outcome in found.failed
        ],
    }


def _without_buying(asked: Asked, problem: Problem, effort: Effort) -> Iterator[str]:
    """What preemption would make of the pods that no node has room for."""
    if not preempting.driving(problem):
        return
    found = decide(problem.cluster, problem.workloads, effort=effort)
    made = preempted(problem, found, effort) if asked.preemption else None
    if found.answer is Answer.YES:
        return
    if made is not None and made.decision.answer is Answer.YES:
        yield f"with preemption no node is needed: {gone_for(made.decision)}"
    else:
        yield f"{could_go(problem)}, and then fewer nodes may be enough"


def _bought(
    asked: Asked, planned: Plan, problem: Problem, offers: Mapping[str, Offer], effort: Effort
) -> Beside:
    """The nodes to add: machine types if any are given, else more of what is there."""
    if offers:
        types = [
            Machine(name, _without_daemons(offer.node, planned), offer.price)
            for name, offer in offers.items()
        ]
    else:
        types = [Machine(n.metadata.name, n) for n in _kinds(problem.cluster.nodes)]
    found = fewest_nodes(problem, types, effort)
    counts = {m.name: n for m, n in zip(types, found.counts, strict=True) if n}
    data = {
        "counts": counts,
        "price": float(found.price),
        "atLeast": float(found.lower),
        "cheapest": found.cheapest,
    }
    like = "" if offers else "like "
    what = (
        enumeration(f"{count:,} {like}{name}" for name, count in counts.items()) if counts else ""
    )
    lines = tuple(_purchase(found, what, priced=any(m.price != 1 for m in types)))
    lines += tuple(_without_buying(asked, problem, effort))
    whatif = WhatIf("nodes to add", found.answer, lines, data)
    return Beside(found.problem, found.decision, (whatif,))


def _purchase(found: Purchase, what: str, *, priced: bool) -> Iterator[str]:
    if found.answer is Answer.NO:
        yield "no number of these machines is enough"
    elif found.answer is Answer.UNKNOWN:
        yield f"no choice that is enough was found; it takes at least {_number(found.lower)}"
    elif not what:
        yield "none"
    elif found.cheapest:
        less = f"for {_number(found.price)}; nothing cheaper" if priced else "and fewer do not"
        yield f"{what}, {less} {'is enough' if priced else 'suffice'}"
    else:
        price = f", for {_number(found.price)}" if priced else ""
        yield f"{what}{price}; it takes at least {_number(found.lower)}"


def _number(amount: Fraction) -> str:
    return f"{float(amount):,.10g}"


def _kinds(nodes: Iterable[Node]) -> Iterator[Node]:
    """One node of each kind, the first in order."""
    seen = set()
    for node in nodes:
        labels = {k: v for k, v in node.metadata.label_map().items() if k != HOSTNAME}
        taints = [t for t in node.spec.taints or () if not t.key.startswith(_LIFECYCLE)]
        kind = repr((sorted(labels.items()), taints, node.status.allocatable))
        if kind not in seen:
            seen.add(kind)
            yield node


def _counted(asked: Asked, planned: Plan, problem: Problem, effort: Effort) -> Beside:
    """How many more pods of a workload fit, besides those that it lacks."""
    key = workload_meant(asked.how_many, tuple(planned.templates), "--how-many")
    own = next((w for w in problem.workloads if w.name == str(key)), None)
    one = own or Workload(str(key), planned.templates[key].pod, 0)
    found = how_many(problem, one, effort)
    more = replaced(one, count=one.count + (found.more or 0))
    others = tuple(more if w.name == one.name else w for w in problem.workloads)
    workloads = others if own else (*others, more)
    data: dict[str, Any] = {
        "workload": str(key),
        "more": found.more,
        "doesNotFit": found.below,
        "monotone": found.monotone,
    }
    made = how_many_preempting(problem, one, found, effort) if asked.preemption else None
    if made is not None:
        gone = [e.pod.metadata for e in made.made.decision.evictions]
        data["withPreemption"] = {
            "more": made.more,
            "exact": made.exact,
            "evictions": [f"Pod {each.namespace}/{each.name}" for each in gone],
        }
    beside = _fitting_with_preemption(replaced(problem, workloads=others), made, asked)
    whatif = WhatIf(
        f"more of {key}",
        found.answer,
        (*_fitting(found), *beside),
        data,
        more=found.more or 0,
        full=found.more == 0,
    )
    return Beside(replaced(problem, workloads=workloads), found.decision, (whatif,))


def _fitting(found: HowMany) -> Iterator[str]:
    if found.more is None:
        yield "not even what is asked for already fits" if found.refusal else "not decided"
        return
    yield {0: "no more fit", 1: "1 more fits"}.get(found.more, f"{found.more:,} more fit")
    if found.below is not None:
        proved = "" if found.below == found.more + 1 else ", what lies between was not decided"
        verb = "does" if found.below == 1 else "do"
        yield f"{found.below:,} more {verb} not{proved}"
    if found.refusal is not None and found.refusal.reason is not None:
        yield from found.refusal.reason.lines
    if not found.monotone:
        yield "Larger numbers may fit again: spread constraints can do that."


def _fitting_with_preemption(
    problem: Problem, made: Preempting | None, asked: Asked
) -> Iterator[str]:
    """How many more fit where others go for them; or that this was not looked at."""
    if made is not None:
        how = "" if made.exact else "at least "
        if made.more:
            verb = "fits" if made.more == 1 else "fit"
            yield f"with preemption {how}{made.more:,} more {verb}: {gone_for(made.made.decision)}"
        else:
            yield f"with preemption what is asked for fits: {gone_for(made.made.decision)}"
    elif aside := left_aside(problem, asked):
        yield f"{aside}, and then more may fit"


_LIFECYCLE = "node.kubernetes.io/"
"""What begins so says how a node is, not what it is."""


def _without_daemons(node: Node, planned: Plan) -> Node:
    """The machine with what daemons would take of it taken away."""
    left = dict(node.status.allocatable or {})
    for one in planned.daemons:
        if any(eligible(one.pod, (node,))):
            taken = {"pods": Fraction(1), **pod_requests(one.pod)}
            for name in taken.keys() & left.keys():
                left[name] = Quantity(max(Fraction(0), left[name].amount - taken[name]))
    return replace(node, status=replace(node.status, allocatable=left))
