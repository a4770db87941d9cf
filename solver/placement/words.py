"""Amounts, names and constraints in the words of a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from kubelemma.model.components.scheduler.decision.inter_pod_affinity import (
    affinity_of,
    anti_affinity_of,
)
from kubelemma.model.objects.pod import Pod

from .problem import Problem

UNITS = (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))
NAMES_SHOWN = 3
IN_CORES = 10_000
"""From so many millicores on, cpu is given in cores."""


def amount(resource: str, value: int | Fraction) -> str:
    """``2650m``, ``15.5`` cores, ``3.2Gi``: as in a manifest, rounded to what can be read."""
    exact = Fraction(value)
    if resource == "cpu":
        return _short(exact / 1000) if abs(exact) >= IN_CORES else f"{int(exact)}m"
    if resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-"):
        for unit, size in UNITS:
            if abs(exact) >= size:
                return f"{_short(exact / size)}{unit}"
    return _short(exact)


def _short(value: Fraction) -> str:
    """At most one decimal, and none for large numbers."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.0f}" if abs(value) >= 1000 else f"{float(value):.1f}"  # noqa: PLR2004 (digits)


def pods(count: int) -> str:
    """``1 pod``, ``5 pods``."""
    return f"{count} pod{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    if len(names) <= NAMES_SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"


def workloads(problem: Problem, numbers: Iterable[int]) -> str:
    """The workloads' names."""
    return listed([problem.workloads[w].name for w in numbers])


def nodes(problem: Problem, numbers: Sequence[int]) -> str:
    """What to call a set of nodes: all, one by name, or how many of which labels."""
    if len(numbers) == len(problem.cluster.nodes):
        return "all nodes together" if len(numbers) != 1 else "the only node"
    named = [problem.cluster.nodes[i].metadata.name for i in numbers]
    if len(named) == 1:
        return f"node {named[0]}"
    shared = _shared_labels(problem, numbers)
    return f"the {len(named)} nodes {f'with {shared}' if shared else f'({listed(named)})'}"


def _shared_labels(problem: Problem, numbers: Sequence[int]) -> str:
    """The labels that these nodes have and no others, if that tells them from the rest."""
    chosen = set(numbers)
    if not chosen:
        return ""
    first = problem.cluster.nodes[numbers[0]].metadata.label_map()
    common = dict(first)
    for i in numbers:
        labels = problem.cluster.nodes[i].metadata.label_map()
        common = {k: v for k, v in common.items() if labels.get(k) == v}
    for pair in sorted(common.items()):
        having = {
            i
            for i, node in enumerate(problem.cluster.nodes)
            if node.metadata.label_map().get(pair[0]) == pair[1]
        }
        if having == chosen:
            return f"{pair[0]}={pair[1]}"
    return ""


def constraints(pod: Pod) -> list[str]:
    """The hard constraints of a pod beside its requests, in a few words each."""
    spec = pod.spec
    found = []
    if spec.scheduling_gates:
        found.append("a scheduling gate")
    if spec.node_name:
        found.append(f"node name {spec.node_name}")
    if spec.node_selector:
        found.append("node selector " + ",".join(f"{k}={v}" for k, v in spec.node_selector.items()))
    if spec.affinity and spec.affinity.node_affinity and spec.affinity.node_affinity.required:
        found.append("node affinity")
    found += [
        f"spread over {c.topology_key} with maxSkew {c.max_skew}"
        for c in spec.topology_spread_constraints or ()
        if c.when_unsatisfiable == "DoNotSchedule"
    ]
    found += [f"affinity by {t.topology_key}" for t in affinity_of(pod).required or ()]
    found += [f"anti-affinity by {t.topology_key}" for t in anti_affinity_of(pod).required or ()]
    ports = sorted(
        {p.host_port for c in spec.containers or () for p in c.ports or () if p.host_port}
    )
    if ports:
        found.append("host port " + ", ".join(map(str, ports)))
    return found
