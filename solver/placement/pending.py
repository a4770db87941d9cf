"""Why pods stay pending beside what was placed, in the scheduler's own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kubelemma.model.components.scheduler.decision import node_affinity, node_name, taints
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.objects.pod import Pod

from .collapse import NodeKinds, resident_ports
from .decision import PendingReason
from .entangle import Ledger
from .facts import Bools, Facts, clash
from .priorities import priority
from .problem import Placement

MOST_WORKLOADS = 50
"""For so many workloads, those with the most pods left over, the reasons are worked out."""

SPREAD = "node(s) didn't match pod topology spread constraints"
NO_KEY = "node(s) didn't match pod topology spread constraints (missing required label)"
AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
PORTS = "node(s) didn't have free ports for the requested pod ports"
VOLUMES = "node(s) exceed max volume count"
UNREACHABLE = "node(s) didn't match PersistentVolume's node affinity"
_SHORT = "Insufficient "
FITS = "node(s) would take one more pod"

NEVER = "not eligible due to preemptionPolicy=Never."
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
_HOPELESS = frozenset((NO_KEY, AFFINITY, UNREACHABLE))
"""What nobody could change by going (``UnschedulableAndUnresolvable``); so are the filters that
look at the pod and the node only, and requests beyond what a node offers."""

Spoken = tuple[str, Bools]
"""A reason, and the nodes that give it."""


def reasons(
    facts: Facts, placement: Placement, unplaced: Sequence[int]
) -> tuple[PendingReason, ...]:
    """For each workload with pods left over, what each node says to one more of them."""
    ledger = Ledger(facts, facts.free.copy())
    for a in placement.assignments:
        ledger.put(a.workload, a.node, a.count)
    left = sorted((w for w, n in enumerate(unplaced) if n), key=lambda w: (-unplaced[w], w))
    shown = sorted(left[:MOST_WORKLOADS])
    cluster, workloads = facts.problem.cluster, facts.problem.workloads
    kinds = NodeKinds(cluster.nodes, [workloads[w].pod for w in shown])
    there = [priority(pod) for pod in cluster.pods]
    there += [priority(workloads[a.workload].pod) for a in placement.assignments]
    least = min(there, default=None)
    return tuple(_reason(ledger, kinds, w, unplaced[w], least) for w in shown)


def _reason(
    ledger: Ledger, kinds: NodeKinds, w: int, pods: int, least: int | None
) -> PendingReason:
    """The first filter that rejects a node speaks for it; room gives all its reasons.

    ``least`` is the lowest priority among pods on nodes.
    """
    facts = ledger.facts
    asking = facts.request[w] > facts.capacity
    asking[:, facts.resources.index("pods")] = False
    beyond = asking.any(axis=1)
    hopeless = np.zeros(facts.nodes, dtype=np.bool_)
    fixed = tuple(_fixed(facts, kinds, w))
    silent = np.ones(facts.nodes, dtype=np.bool_)
    said: dict[str, Bools] = {}
    for number, together in enumerate((*fixed, *_changing(ledger, w), [(FITS, silent.copy())])):
        spoken = np.zeros(facts.nodes, dtype=np.bool_)
        for text, mask in together:
            said[text] = said.get(text, np.zeros_like(mask)) | (mask & silent)
            spoken |= mask
            if number < len(fixed) or text in _HOPELESS:
                hopeless |= mask & silent
            elif text.startswith(_SHORT):
                hopeless |= mask & silent & beyond
        silent &= ~spoken
    counts = {text: int(mask.sum()) for text, mask in said.items() if mask.any()}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    examples = tuple(int(np.argmax(said[text])) for text, _ in ordered)
    pod = facts.problem.workloads[w].pod
    tail = "" if FITS in counts else _preemption(pod, hopeless, least)
    return PendingReason(w, pods, facts.nodes, tuple(ordered), examples, tail)


def _preemption(pod: Pod, hopeless: Bools, least: int | None) -> str:
    """What the scheduler adds about preemption, where there is nobody to drive out.

    Empty where somebody is less important than the pod: then it is for ``preempting`` to say.
    """
    if pod.spec.scheduling_gates:
        return ""
    if pod.spec.preemption_policy == "Never":
        return NEVER
    if least is not None and priority(pod) > least:
        return ""
    helpless, nodes = int(hopeless.sum()), len(hopeless)
    counts = ((nodes - helpless, NO_VICTIMS), (helpless, NOT_HELPFUL))
    parts = ", ".join(sorted(f"{number} {text}" for number, text in counts if number))
    return f"0/{nodes} nodes are available: {parts}."


def _fixed(facts: Facts, kinds: NodeKinds, w: int) -> Iterator[list[Spoken]]:
    """What the filters say that look at the pod and the node only."""
    pod = facts.problem.workloads[w].pod
    nodes = facts.problem.cluster.nodes
    if pod.spec.scheduling_gates:
        gated = node_name.pre_enqueue(pod).reasons[0]
        yield [(gated, np.ones(facts.nodes, dtype=np.bool_))]
    filters = (
        taints.filter_unschedulable,
        node_name.filter_node_name,
        taints.filter_taints,
        node_affinity.filter_affinity,
    )
    for check in filters:
        for members in kinds.kinds:
            for reason in check(pod, NodeInfo(nodes[members[0]])).reasons:
                mask = np.zeros(facts.nodes, dtype=np.bool_)
                mask[members] = True
                yield [(reason, mask)]


def _changing(ledger: Ledger, w: int) -> Iterator[list[Spoken]]:
    """What the filters say that look at other pods too."""
    facts = ledger.facts
    spec = facts.problem.workloads[w].pod.spec
    if w in facts.ports:
        taken = ~ledger.free_of_ports(w)
        for node, theirs in resident_ports(facts.problem).items():
            taken[node] |= clash(facts.ports[w], theirs)
        yield [(PORTS, taken)]
    yield [
        (_short_of(name), (q > 0) & (ledger.free[:, r] < q))
        for r, (name, q) in enumerate(zip(facts.resources, facts.request[w], strict=True))
    ]
    labels = [node.metadata.label_map() for node in facts.problem.cluster.nodes]
    for constraint in spec.topology_spread_constraints or ():
        if constraint.when_unsatisfiable == "DoNotSchedule":
            key = constraint.topology_key
            yield [(NO_KEY, np.array([key not in own for own in labels], dtype=np.bool_))]
    for spread in facts.spreads.get(w, ()):
        yield [(SPREAD, ~ledger.even(spread))]
    near = facts.near.get(w)
    if near is not None:
        missing = [any(key not in own for key in near.keys) for own in labels]
        lacking = np.array(missing, dtype=np.bool_)
        yield [(AFFINITY, lacking | ~ledger.company(near))]
    affinity = spec.affinity and spec.affinity.pod_anti_affinity
    yield [(ANTI_AFFINITY if affinity and affinity.required else EXISTING, ~ledger.apart(w))]
    if w in facts.attached:
        yield [(VOLUMES, ~ledger.attachable(w))]
    # What is masked for no other reason is so because of existing pods, or of volumes.
    claims = any(v.persistent_volume_claim or v.ephemeral for v in spec.volumes or ())
    yield [(UNREACHABLE if claims else EXISTING, ~facts.mask(w))]


def _short_of(name: str) -> str:
    return "Too many pods" if name == "pods" else f"{_SHORT}{name}"
