"""Whether a placement is legal, by a reading of the rules of its own.

**What a legal final state is.** The existing pods and those of the placement lie where they lie.
The state is legal if each pod of the placement, were it taken away and scheduled once more as the
last one, would be let through by every filter on its own node. That is:

- *static rules* (gates, node name, cordon, taints, selector, affinity): the node admits the pod;
- *room*: the pods on a node are no more than it offers; so are their requests for each resource
  that some placed pod on it asks for (who asks for nothing of it may lie on an overcommitted node);
- *host ports*: no other pod on the node has an overlapping one;
- *spread*: the pods that a constraint counts in the pod's domain, itself included, are at most
  ``maxSkew`` more than in the least domain of those that count for it (0 where they are fewer than
  ``minDomains``). Domains in which no pod has the constraint may hold whatever they like;
- *anti-affinity*: no other pod that a term means, leaving ones included, is in the pod's domain;
  and no existing pod has a term that means the pod;
- *affinity*: in the domain of each term there is another pod that all terms mean; or there is none
  in any domain, and all terms mean the pod itself: it is the first of its group. So a group may lie
  in two places if it has two pods in each, and groups may need one another in a circle: such states
  are legal, although no order of scheduling leads there (see ``orders``);
- *volumes*: see ``check_volumes``.

Existing pods are not judged: what was let through once stays. A placement may be partial; it is
complete where the counts sum up to what the workloads ask for.

So with two constraints of maxSkew 1 over hosts and zones, six pods on 3 + 2 + 1 hosts have no legal
state (one on each host leaves the zones at 3 and 1), seven do, and scheduling one at a time stops
at five (kubernetes#109364).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod

from . import check_rules as rules
from .check_peers import (
    Count,
    Domains,
    Evenly,
    Peers,
    Sort,
    Sorts,
    affinity_terms,
    anti_affinity_terms,
    has_peers,
    spread_constraints,
)
from .check_volumes import Volumes
from .problem import Placement, Problem


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a placement is not legal: indexes of a workload and a node, the rule, and a sentence.

    ``node`` is None where the complaint is about no node in particular; ``workload`` is -1 where
    the placement names a workload that there is not.
    """

    workload: int
    node: int | None
    rule: str
    sentence: str


def check(problem: Problem, placement: Placement) -> tuple[Complaint, ...]:
    """Everything that is wrong with a placement; it is legal if and only if this is empty.

    Raises:
        ValueError: an existing pod lies on a node that is not in the cluster.
    """
    malformed = tuple(_malformed(problem, placement))
    return malformed or tuple(_Check(problem, placement).complaints())


def _malformed(problem: Problem, placement: Placement) -> Iterator[Complaint]:
    placed = [0] * len(problem.workloads)
    for a in placement.assignments:
        if not 0 <= a.workload < len(placed):
            yield Complaint(-1, None, "Placement", f"there is no workload {a.workload}")
        elif not 0 <= a.node < len(problem.cluster.nodes):
            yield Complaint(a.workload, None, "Placement", f"there is no node {a.node}")
        elif a.count < 1:
            yield Complaint(a.workload, a.node, "Placement", f"a count of {a.count}")
        else:
            placed[a.workload] += a.count
    for index, (workload, number) in enumerate(zip(problem.workloads, placed, strict=True)):
        if number > workload.count:
            sentence = f"{workload.name} has {workload.count} pods to place, not {number}"
            yield Complaint(index, None, "Placement", sentence)


class _Check:
    """One check; the rules share what was counted once."""

    def __init__(self, problem: Problem, placement: Placement) -> None:
        self.problem = problem
        self.nodes = problem.cluster.nodes
        self.pods = [workload.pod for workload in problem.workloads]
        self.on: list[Count] = [{} for _ in self.pods]
        for a in placement.assignments:
            on = self.on[a.workload]
            on[a.node] = on.get(a.node, 0) + a.count
        self.placed = [w for w, on in enumerate(self.on) if on]
        self.resident = rules.residents(problem.cluster)
        self.domains = Domains(self.nodes)
        self.kinds = self._kinds()
        self.inclusions: dict[Any, tuple[list[bool], set[str]]] = {}

    def complaints(self) -> Iterator[Complaint]:
        """All of them, rule by rule."""
        yield from self._static()
        yield from self._room()
        yield from self._ports()
        yield from self._peers()
        volumes = Volumes(self.problem)
        yield from (Complaint(*found) for found in volumes.objections(self.on))

    # --- one pod, one node ----------------------------------------------------------------------

    def _kinds(self) -> list[int]:
        """A number for each node, equal for those that no static rule can tell apart."""
        names = {name for pod in self.pods for name in rules.names_asked(pod)}
        keys = sorted({key for pod in self.pods for key in rules.label_keys_asked(pod)})
        known: dict[Any, int] = {}
        kinds = []
        for node in self.nodes:
            labels, name = node.metadata.label_map(), node.metadata.name
            values = tuple(labels.get(key) for key in keys)
            asked = name if name in names else None
            look = (values, asked, node.spec.taints or (), node.spec.unschedulable)
            kinds.append(known.setdefault(look, len(known)))
        return kinds

    def _static(self) -> Iterator[Complaint]:
        found: dict[Any, tuple[tuple[str, str], ...]] = {}
        for w in self.placed:
            key = rules.static_key(self.pods[w])
            for n in self.on[w]:
                pair = (key, self.kinds[n])
                if pair not in found:
                    found[pair] = tuple(rules.objections(self.pods[w], self.nodes[n]))
                yield from (Complaint(w, n, rule, sentence) for rule, sentence in found[pair])

    # --- room -----------------------------------------------------------------------------------

    def _room(self) -> Iterator[Complaint]:
        asked = _Requests()
        wanted = {w: asked.of(self.pods[w]) for w in self.placed}
        names = sorted({name for vector in wanted.values() for name, n in vector.items() if n > 0})
        taken: list[dict[str, int]] = [{} for _ in self.nodes]
        inhabitants = [0] * len(self.nodes)
        for n, pod in self.resident:
            inhabitants[n] += 1
            _take(taken[n], asked.running(pod).items(), 1)
        for w in self.placed:
            vector = [(name, amount) for name, amount in wanted[w].items() if amount > 0]
            for n, number in self.on[w].items():
                inhabitants[n] += number
                _take(taken[n], vector, number)
        over = self._overfull(taken, inhabitants, names)
        for w in self.placed if over else ():
            for n in self.on[w]:
                for name, sentence in over.get(n, ()):
                    if name == rules.PODS or wanted[w].get(name, 0) > 0:
                        yield Complaint(w, n, "NodeResourcesFit", sentence)

    def _overfull(
        self, taken: list[dict[str, int]], inhabitants: list[int], names: list[str]
    ) -> dict[int, list[tuple[str, str]]]:
        """For each overfull node the resources, with a sentence each."""
        over: dict[int, list[tuple[str, str]]] = {}
        for n, node in enumerate(self.nodes):
            offered = rules.offered(node)
            needs = [(rules.PODS, inhabitants[n]), *((x, taken[n].get(x, 0)) for x in names)]
            for name, need in needs:
                if need > offered.get(name, 0):
                    sentence = f"{name}: {need} asked for, {offered.get(name, 0)} there"
                    over.setdefault(n, []).append((name, sentence))
        return over

    # --- host ports -----------------------------------------------------------------------------

    def _ports(self) -> Iterator[Complaint]:
        wanted = {w: ports for w in self.placed if (ports := rules.host_ports(self.pods[w]))}
        if not wanted:
            return
        opened = _OpenPorts()
        for n, pod in self.resident:
            opened.add(n, rules.host_ports(pod), 1)
        for w, ports in wanted.items():
            for n, number in self.on[w].items():
                opened.add(n, ports, number)
        for w, ports in wanted.items():
            for n in self.on[w]:
                if opened.clash(n, ports):
                    yield Complaint(w, n, "NodePorts", "a host port is taken twice")

    # --- pods among each other ------------------------------------------------------------------

    def _peers(self) -> Iterator[Complaint]:
        holders = [(n, pod) for n, pod in self.resident if anti_affinity_terms(pod)]
        concerned = [w for w in self.placed if has_peers(self.pods[w].spec)]
        if not holders and not concerned:
            return
        sorts = self._sorts()
        yield from self._resident_terms(holders, sorts)
        for w in concerned:
            yield from self._spread(w, sorts)
            yield from self._apart(w, sorts)
            yield from self._together(w, sorts)

    def _sorts(self) -> Sorts:
        sorts = Sorts(self.problem.cluster.namespaces)
        for w in self.placed:
            sort = sorts.of(self.pods[w])
            sort.workloads.append(w)
            _add(sort.there, self.on[w])
        for n, pod in self.resident:
            sort = sorts.of(pod)
            _add(sort.there if pod.metadata.deletion_timestamp is None else sort.leaving, {n: 1})
        return sorts

    def _resident_terms(self, holders: list[tuple[int, Pod]], sorts: Sorts) -> Iterator[Complaint]:
        terms: dict[Any, tuple[Peers, set[int]]] = {}
        for n, pod in holders:
            for term in anti_affinity_terms(pod):
                terms.setdefault(_key(term), (term, set()))[1].add(n)
        for term, nodes in terms.values():
            domain = self.domains.of(term.topology_key)
            closed = {domain[n] for n in nodes} - {None}
            for w in (w for sort in sorts.meant_by_existing(term) for w in sort.workloads):
                for n in self.on[w]:
                    if domain[n] in closed:
                        where = f"{term.topology_key}={domain[n]}"
                        sentence = f"an existing pod keeps it out of {where}"
                        yield Complaint(w, n, "InterPodAffinity", sentence)

    def _apart(self, w: int, sorts: Sorts) -> Iterator[Complaint]:
        for term in anti_affinity_terms(self.pods[w]):
            meant = sorts.meant_by_new(term)
            itself = _is_among(w, meant)
            domain = self.domains.of(term.topology_key)
            counted = self.domains.counted(term.topology_key, _all(meant))
            for n in self.on[w]:
                value = domain[n]
                if value is not None and counted.get(value, 0) > itself:
                    sentence = f"it must not share {term.topology_key}={value} with pods there"
                    yield Complaint(w, n, "InterPodAffinity", sentence)

    def _together(self, w: int, sorts: Sorts) -> Iterator[Complaint]:
        terms = affinity_terms(self.pods[w])
        if not terms:
            return
        meant = _by_all(sorts, terms)
        itself = _is_among(w, meant)
        domains = [self.domains.of(term.topology_key) for term in terms]
        counted = [self.domains.counted(term.topology_key, _all(meant)) for term in terms]
        anywhere = sum(sum(counts.values()) for counts in counted)
        for n in self.on[w]:
            others = [
                counts.get(value, 0) - itself
                for domain, counts in zip(domains, counted, strict=True)
                if (value := domain[n]) is not None
            ]
            first = itself and anywhere == len(terms)
            if len(others) < len(terms):
                yield Complaint(w, n, "InterPodAffinity", "the node lacks a key of its affinity")
            elif not first and min(others) <= 0:
                sentence = "no other pod that its affinity asks for is there"
                yield Complaint(w, n, "InterPodAffinity", sentence)

    def _spread(self, w: int, sorts: Sorts) -> Iterator[Complaint]:
        constraints = spread_constraints(self.pods[w])
        keys = tuple(sorted({c.topology_key for c in constraints}))
        for constraint in constraints:
            domain = self.domains.of(constraint.topology_key)
            counted, least = self._counted(w, constraint, keys, sorts)
            for n in self.on[w]:
                value = domain[n]
                if value is None:
                    sentence = f"the node lacks {constraint.topology_key}"
                    yield Complaint(w, n, "PodTopologySpread", sentence)
                elif counted.get(value, 0) - least > constraint.max_skew:
                    sentence = (
                        f"{counted[value]} pods in {constraint.topology_key}={value}, {least} in "
                        f"the least domain: a skew of more than {constraint.max_skew}"
                    )
                    yield Complaint(w, n, "PodTopologySpread", sentence)

    def _counted(
        self, w: int, constraint: Evenly, keys: tuple[str, ...], sorts: Sorts
    ) -> tuple[dict[str, int], int]:
        """The pods that the constraint counts by domain, and how many the least domain has."""
        if constraint.wanted.selector is None or constraint.wanted.is_empty:
            return {}, 0
        included, values = self._included(w, constraint, keys)
        domain = self.domains.of(constraint.topology_key)
        counted: dict[str, int] = {}
        for sort in sorts.in_namespace(constraint.wanted, self.pods[w].metadata.namespace):
            for n, number in sort.there.items():
                value = domain[n]
                if included[n] and value is not None:
                    counted[value] = counted.get(value, 0) + number
        some_empty = len(counted) < len(values)
        if some_empty or len(values) < constraint.min_domains:
            return counted, 0
        return counted, min(counted.values(), default=0)

    def _included(
        self, w: int, constraint: Evenly, keys: tuple[str, ...]
    ) -> tuple[list[bool], set[str]]:
        """Which nodes count for the constraint, and the values of its key on them."""
        pod = self.pods[w]
        policy = (
            rules.affinity_key(pod) if constraint.honor_affinity else None,
            (pod.spec.tolerations or ()) if constraint.honor_taints else None,
            constraint.topology_key,
            keys,
        )
        if policy not in self.inclusions:
            included = [self._is_included(pod, constraint, keys, n) for n in range(len(self.nodes))]
            domain = self.domains.of(constraint.topology_key)
            values = {
                v for v, is_in in zip(domain, included, strict=True) if is_in and v is not None
            }
            self.inclusions[policy] = included, values
        return self.inclusions[policy]

    def _is_included(self, pod: Pod, constraint: Evenly, keys: tuple[str, ...], n: int) -> bool:
        if any(self.domains.of(key)[n] is None for key in keys):
            return False
        node = self.nodes[n]
        if constraint.honor_affinity and not rules.selects_node(pod, node):
            return False
        return not (constraint.honor_taints and rules.repels(node, pod))


class _Requests:
    """What pods take, worked out once for all that ask alike."""

    def __init__(self) -> None:
        self._known: dict[Any, dict[str, int]] = {}

    def of(self, pod: Pod) -> dict[str, int]:
        key = rules.request_key(pod)
        if key is None:
            return rules.requests(pod)
        if key not in self._known:
            self._known[key] = rules.requests(pod)
        return self._known[key]

    def running(self, pod: Pod) -> dict[str, int]:
        """The same for a pod that runs already, and may be under a resize."""
        if rules.request_key(pod) is None:
            return rules.requests(pod, running=True)
        return self.of(pod)


class _OpenPorts:
    """How many pods open which port on which node, by address."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str, int], dict[str, int]] = {}

    def add(self, node: int, ports: tuple[rules.Port, ...], pods: int) -> None:
        for protocol, port, address in set(ports):
            by_address = self._open.setdefault((node, protocol, port), {})
            by_address[address] = by_address.get(address, 0) + pods

    def clash(self, node: int, ports: tuple[rules.Port, ...]) -> bool:
        """Whether another pod on the node overlaps with one that has these ports, and is there."""
        own = set(ports)
        for protocol, port, address in own:
            by_address = self._open[node, protocol, port]
            ours = {a for p, n, a in own if (p, n) == (protocol, port)}
            for other, pods in by_address.items():
                overlap = other == address or rules.ANY_ADDRESS in (other, address)
                if overlap and pods > (other in ours):
                    return True
        return False


def _take(taken: dict[str, int], vector: Iterable[tuple[str, int]], number: int) -> None:
    for name, amount in vector:
        taken[name] = taken.get(name, 0) + amount * number


def _add(into: Count, more: Count) -> None:
    for n, number in more.items():
        into[n] = into.get(n, 0) + number


def _all(sorts: list[Sort]) -> Iterator[Count]:
    """Where the pods of these sorts are, leaving ones included."""
    for sort in sorts:
        yield sort.there
        yield sort.leaving


def _is_among(w: int, sorts: list[Sort]) -> int:
    return int(any(w in sort.workloads for sort in sorts))


def _by_all(sorts: Sorts, terms: list[Peers]) -> list[Sort]:
    """The sorts that every term means."""
    first, *others = (sorts.meant_by_new(term) for term in terms)
    return [sort for sort in first if all(any(sort is o for o in other) for other in others)]


def _selector_key(selector: LabelSelector | None) -> Any:
    if selector is None:
        return None
    return tuple(sorted((selector.match_labels or {}).items())), selector.match_expressions


def _key(term: Peers) -> Any:
    """Equal for terms that mean the same pods in the same domains."""
    wanted = term.wanted
    return (
        term.topology_key,
        _selector_key(wanted.selector),
        wanted.same,
        wanted.other,
        term.namespaces,
        _selector_key(term.namespace_selector),
    )
