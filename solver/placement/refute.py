"""Looks for a proof that there is no placement, from the coarsest reason to the finest.

Each step gives a ``Refutation`` whose certificate ``certificate.proves``, or None. What a step only
suspects is never said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from . import words
from .cells import cells, components
from .certificate import Balance, Market, excludes, proves, settle
from .certificate_data import Certificate, Exclusion, Exhaustion, NoNode, Prices, Weights
from .decision import Effort, Reason, ReasonKind
from .enumeration import is_closed
from .exact import solve
from .facts import Facts, Floats, Ints
from .problem import Answer
from .weights import find_weights

CONFLICT_PODS = 60
CONFLICT_CELLS = 64
"""Sets of entangled workloads up to this size are looked into one by one."""


@dataclass(frozen=True, slots=True)
class Refutation:
    """A reason, and the certificate that proves it."""

    reason: Reason
    certificate: Certificate


def _if_proved(facts: Facts, reason: Reason, certificate: Certificate) -> Refutation | None:
    return Refutation(reason, certificate) if proves(facts, certificate) else None


# --- one workload ------------------------------------------------------------------------------


def no_node(facts: Facts) -> Refutation | None:
    """A workload of which not one pod fits anywhere."""
    fits: dict[tuple[bytes, int], bool] = {}
    for w in np.nonzero(facts.count)[0].tolist():
        key = (facts.request[w].tobytes(), int(facts.mask_of[w]))
        if key not in fits:
            fits[key] = bool(facts.room(w).any())
        if not fits[key]:
            return _if_proved(facts, _no_node_reason(facts, w), NoNode(w))
    return None


def _no_node_reason(facts: Facts, w: int) -> Reason:
    workload = facts.problem.workloads[w]
    mask = facts.mask(w)
    admitted = int(mask.sum())
    lines: tuple[str, ...]
    first = f"No node takes even one pod of {workload.name}"
    if not admitted:
        rules = words.constraints(workload.pod)
        why = f"({', '.join(rules)})" if rules else "(taints or existing pods)"
        lines = (f"{first}: none of the {facts.nodes} nodes is admitted {why}.",)
        return Reason(ReasonKind.NO_NODE, (w,), (), lines)
    nodes = np.nonzero(mask)[0]
    for r, name in enumerate(facts.resources):
        asked, best = int(facts.request[w, r]), int(facts.free[nodes, r].max())
        if asked > max(best, 0):
            most = words.amount(name, max(best, 0))
            lines = (
                f"{first}: it asks for {words.amount(name, asked)} {name},",
                f"and {_none_of(admitted)} has more than {most} left.",
            )
            found = tuple(nodes.tolist())
            return Reason(ReasonKind.NO_NODE, (w,), found, lines, name, asked, max(best, 0))
    lines = (f"{first}: {admitted} nodes admit it, but each is short of some resource.",)
    return Reason(ReasonKind.NO_NODE, (w,), tuple(nodes.tolist()), lines)


def _none_of(admitted: int) -> str:
    """How a sentence begins that none of so many nodes is enough."""
    if admitted == 1:
        return "not even the only node that admits it"
    return f"of the {admitted} nodes that admit it none"


def alone(facts: Facts) -> Refutation | None:
    """A workload that would not fit even if it were the only one."""
    market = Market(facts, (), ())
    for w in np.nonzero(facts.count)[0].tolist():
        if market.least(w) is None:
            return _if_proved(facts, _alone_reason(facts, w), Prices((), (), (w,)))
    return None


def _alone_reason(facts: Facts, w: int) -> Reason:
    workload = facts.problem.workloads[w]
    fits = facts.room(w)
    loner = facts.is_loner(w)
    fits = np.minimum(fits, 1) if loner else fits
    available, count = int(fits.sum()), workload.count
    nodes = tuple(np.nonzero(fits)[0].tolist())
    first = f"{workload.name} does not fit, even with nothing else to place:"
    if available < count:
        why = "one a node" if loner else "as far as there is room"
        where = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
        second = f"it has {words.pods(count)}; {where} can take {available}, {why}."
        return Reason(ReasonKind.ALONE, (w,), nodes, (first, second), "pods", count, available)
    rules = ", ".join(words.constraints(workload.pod))
    second = f"its {words.pods(count)} cannot be spread as asked for ({rules})."
    return Reason(ReasonKind.ALONE, (w,), nodes, (first, second))


# --- workloads that concern each other ---------------------------------------------------------


def exclusion(facts: Facts) -> Refutation | None:
    """Workloads whose pods all exclude one another, with fewer domains than pods."""
    for key, clique in _cliques(facts):
        certificate = Exclusion(clique, key)
        if proves(facts, certificate):
            pods = int(facts.count[list(clique)].sum())
            what = "a node (host ports)" if key is None else f"a domain of {key}"
            lines = (
                f"{words.workloads(facts.problem, clique)}:",
                f"no two of their {words.pods(pods)} may share {what},",
                "and fewer such domains than pods come into question for them.",
            )
            nodes = tuple(np.nonzero(np.any([facts.room(w) for w in clique], axis=0))[0].tolist())
            reason = Reason(ReasonKind.CONFLICT, clique, nodes, lines, "pods", pods)
            return Refutation(reason, certificate)
    return None


def _cliques(facts: Facts) -> Iterator[tuple[str | None, tuple[int, ...]]]:
    """Greedy sets of workloads that exclude one another pairwise.

    Single workloads are left to ``alone``.
    """
    seen: set[tuple[str | None, tuple[int, ...]]] = set()
    listed = [(w, a.key, a.others) for w, apart in facts.apart.items() for a in apart]
    ports = tuple(sorted(facts.ports))
    for w, key, others in [*listed, *((w, None, ports) for w in ports)]:
        clique: list[int] = []
        for other in sorted({w, *others}):
            own = facts.count[other] < 2 or excludes(facts, other, other, key)  # noqa: PLR2004
            if own and all(excludes(facts, other, member, key) for member in clique):
                clique.append(other)
        found = (key, tuple(clique))
        if len(clique) > 1 and found not in seen:
            seen.add(found)
            yield found


def conflict(facts: Facts, among: frozenset[int], effort: Effort) -> Refutation | None:
    """Entangled workloads whose rules contradict one another, or exceed their nodes."""
    for component in components(facts, among):
        if int(facts.count[list(component)].sum()) > CONFLICT_PODS:
            break
        problem = cells(facts, component)
        if len(problem.nodes) > CONFLICT_CELLS:
            break
        if solve(problem, effort.solver_steps)[0] is Answer.NO:
            found = _exhausted(facts, component, effort)
            if found is not None:
                return found
    return None


def _exhausted(facts: Facts, workloads: Sequence[int], effort: Effort) -> Refutation | None:
    """The smallest set of these workloads that cannot be placed, with the proof by trying all."""
    core = [w for w in workloads if facts.count[w]]
    for w in sorted(core, key=lambda v: -int(facts.count[v])):
        rest = [v for v in core if v != w]
        if rest and is_closed(facts, rest):
            answer, _ = solve(cells(facts, rest), effort.solver_steps)
            if answer is Answer.NO:
                core = rest
    certificate = Exhaustion(tuple(core))
    if not proves(facts, certificate, effort.exact_ways):
        return None
    return Refutation(_exhausted_reason(facts, core), certificate)


def _exhausted_reason(facts: Facts, core: Sequence[int]) -> Reason:
    problem = facts.problem
    rules = [
        f"{problem.workloads[w].name} ({words.pods(int(facts.count[w]))}: "
        f"{', '.join(words.constraints(problem.workloads[w].pod)) or 'requests only'})"
        for w in core
    ]
    who = "These workloads do" if len(core) > 1 else "This workload does"
    lines = (
        f"{who} not fit, even with nothing else to place; every way was tried:",
        words.listed(rules),
    )
    kind = ReasonKind.CONFLICT if len(core) > 1 else ReasonKind.ALONE
    nodes = tuple(range(facts.nodes))
    return Reason(kind, tuple(core), nodes, lines)


def exhausted(facts: Facts, effort: Effort) -> Refutation | None:
    """All workloads of a small problem, tried in every way."""
    return _exhausted(facts, range(facts.workloads), effort)


# --- shortages ---------------------------------------------------------------------------------


def totals(facts: Facts) -> Refutation | None:
    """One resource on some set of nodes: all of them, or those of a pool or a domain."""
    paying = tuple(np.nonzero(facts.count)[0].tolist())
    for nodes in _pools(facts):
        group = tuple(nodes.tolist())
        for name in facts.resources:
            prices = Prices((group,), (((name, Fraction(1)),),), paying)
            balance = settle(facts, prices)
            if balance.needed is not None and balance.needed > balance.available:
                who = _payers(facts, prices)
                reason = _total_reason(facts, group, name, who, balance)
                return _if_proved(facts, reason, Prices(prices.groups, prices.prices, who))
    return None


def _pools(facts: Facts) -> Iterator[Ints]:
    """All nodes, then those that some workloads are confined to, then their parts by domain."""
    everywhere = np.arange(facts.nodes)
    yield everywhere
    masks = sorted(
        {facts.masks[m].tobytes(): facts.masks[m] for m in range(len(facts.masks))}.values(),
        key=lambda mask: -int(mask.sum()),
    )[:40]
    for mask in masks:
        if 0 < mask.sum() < facts.nodes:
            yield np.nonzero(mask)[0]
    for key in sorted(set(facts.domains) - facts.single_keys):
        domain = facts.domains[key]
        for d in range(min(int(domain.max(initial=-1)) + 1, 20)):
            for mask in [np.ones(facts.nodes, dtype=np.bool_), *masks]:
                nodes = np.nonzero(mask & (domain == d))[0]
                if len(nodes):
                    yield nodes


def _payers(facts: Facts, prices: Prices) -> tuple[int, ...]:
    market = Market(facts, prices.groups, [dict(p) for p in prices.prices])
    return tuple(w for w in prices.workloads if market.least(w) != 0)


def _total_reason(
    facts: Facts, group: tuple[int, ...], name: str, who: tuple[int, ...], balance: Balance
) -> Reason:
    needed, available = int(balance.needed or 0), int(balance.available)
    if name == "pods":
        asked, there = f"place for {needed} pods", f"{available}"
    else:
        asked = f"{words.amount(name, needed)} {name}"
        there = f"{words.amount(name, available)}"
        if asked.startswith(there):
            asked, there = f"{needed} of {name}", f"{available}"
    where = words.nodes(facts.problem, group)
    count = f"{len(who)} workload{'' if len(who) == 1 else 's'}"
    lines = (
        f"{count} ({words.workloads(facts.problem, who)}) need at least {asked} on {where},",
        f"where {there} is left: {words.amount(name, needed - available)} too little.",
    )
    return Reason(ReasonKind.TOTAL, who, group, lines, name, needed, available)


def combined(facts: Facts, groups: Sequence[Ints], price: Floats) -> Refutation | None:
    """Several resources on several nodes, weighed by the prices of the relaxation."""
    top = float(price.max(initial=0.0))
    if top <= 0:
        return None
    prices = Prices(
        tuple(tuple(group.tolist()) for group in groups),
        tuple(
            tuple(
                (name, Fraction(float(p)))
                for name, p in zip(facts.resources, row, strict=True)
                if p > 0
            )
            for row in price
        ),
        tuple(np.nonzero(facts.count)[0].tolist()),
    )
    balance = settle(facts, prices)
    if balance.needed is None or balance.needed <= balance.available:
        return None
    who = _payers(facts, prices)
    reason = _combined_reason(facts, prices, who, balance)
    return _if_proved(facts, reason, Prices(prices.groups, prices.prices, who))


def _combined_reason(
    facts: Facts, prices: Prices, who: tuple[int, ...], balance: Balance
) -> Reason:
    names = sorted({name for row in prices.prices for name, _ in row})
    nodes = tuple(
        sorted(i for g, row in zip(prices.groups, prices.prices, strict=True) if row for i in g)
    )
    what = " and ".join(names)
    over = (balance.needed or Fraction(0)) / balance.available - 1 if balance.available else 1
    lines = (
        f"{len(who)} workloads ({words.workloads(facts.problem, who)})",
        f"need {what} on {words.nodes(facts.problem, nodes)};",
        f"weighed by what is scarce where, that is {float(over):.2%} more than is left.",
    )
    return Reason(ReasonKind.COMBINED, who, nodes, lines)


def fragmented(facts: Facts) -> Refutation | None:
    """Large pods that leave gaps on every node, so that not all of them find a place."""
    certificate = find_weights(facts)
    if certificate is None or not proves(facts, certificate):
        return None
    return Refutation(_fragmented_reason(facts, certificate), certificate)


def _fragmented_reason(facts: Facts, certificate: Weights) -> Reason:
    by_shape: dict[tuple[bytes, Fraction], list[int]] = {}
    for w, weight in certificate.weights:
        by_shape.setdefault((facts.request[w].tobytes(), weight), []).append(w)
    parts = [
        f"{int(facts.count[ws].sum())} of {_size(facts, ws[0])} (weight {weight})"
        for (_, weight), ws in sorted(by_shape.items(), key=lambda item: -item[0][1])
    ]
    who = tuple(w for w, _ in certificate.weights)
    total = sum((x * int(facts.count[w]) for w, x in certificate.weights), Fraction(0))
    mask = np.any([facts.mask(w) for w in who], axis=0)
    nodes = tuple(np.nonzero(mask)[0].tolist())
    lines = (
        f"Large pods do not fill their nodes: {words.listed(parts)} weigh {_readable(total)},",
        f"and {words.nodes(facts.problem, nodes)} cannot hold so much, however they are filled.",
    )
    return Reason(ReasonKind.FRAGMENTED, who, nodes, lines)


def _readable(value: Fraction) -> str:
    return str(value) if value.denominator < 1000 else f"{float(value):.2f}"  # noqa: PLR2004 (digits)


def _size(facts: Facts, w: int) -> str:
    return "/".join(
        words.amount(name, int(q))
        for name, q in zip(facts.resources[:-1], facts.request[w], strict=False)
        if q
    )
