"""From objects to numbers: reads a ``Problem`` once, and gives its ``Facts``.

Work grows with the workloads, nodes and existing pods, never with their products: rules are tried
on kinds of nodes and on kins of pods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kubelemma.model.components.scheduler.decision import node_affinity, taints, topology_spread
from kubelemma.model.components.scheduler.decision.inter_pod_affinity import (
    Term,
    affinity_of,
    anti_affinity_of,
    merged,
    parsed,
)
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.node_ports import HostPort, host_ports
from kubelemma.model.components.scheduler.decision.resources import (
    CPU,
    MEMORY,
    PODS,
    allocatable,
    as_resources,
    pod_requests,
)
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod, PodSpec

from .claims import read_claims
from .facts import Apart, Bools, Facts, Ints, Near, Spread, clash, is_single
from .labels import Kin, KinIndex
from .problem import Problem

LARGEST = 2**53
"""Amounts from here on are refused: sums of them would no longer be exact."""

Vector = Mapping[str, int]


def collapse(problem: Problem) -> Facts:
    """The problem as numbers.

    Raises:
        ValueError: an amount is too large to be summed up exactly, or an existing pod lies on a
            node that is not there; the message names it.
    """
    return _Collapse(problem).facts()


class _Collapse:
    """The reading of one problem; the steps share what they have found out."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.nodes = problem.cluster.nodes
        self.pods = [_with_merged_keys(w.pod) for w in problem.workloads]
        self.number = {node.metadata.name: i for i, node in enumerate(self.nodes)}
        self.requests = Requests()
        self.placed = [self._node_of(pod) for pod in problem.cluster.pods]
        self.domains: dict[str, Ints] = {}
        self.kinds = NodeKinds(self.nodes, self.pods)
        self.inclusions: dict[Any, Bools] = {}
        self.counted: dict[Any, tuple[Ints, int]] = {}

    def facts(self) -> Facts:
        asked = [self.requests.of(pod) for pod in self.pods]
        names = _names(asked)
        capacity, free = self._room(names)
        request = _matrix(asked, names)
        request[:, -1] = 1
        ports = {w: tuple(p) for w, pod in enumerate(self.pods) if (p := list(host_ports(pod)))}
        allowed = self._allowed()
        spreads, apart, near = self._relations(allowed)
        self._block_ports(allowed, ports)
        claims = read_claims(self.problem, self.pods, self.placed)
        for w, mask in claims.masks.items():
            allowed[w] = allowed[w] & mask
        apart = self._with_exclusive(apart, claims.exclusive)
        mask_of, masks = _numbered(allowed, len(self.nodes))
        return Facts(
            problem=self.problem,
            resources=names,
            capacity=capacity,
            free=free,
            request=request,
            count=np.array([w.count for w in self.problem.workloads], dtype=np.int64),
            mask_of=mask_of,
            masks=masks,
            domains=self.domains,
            spreads=spreads,
            apart=apart,
            near=near,
            ports=ports,
            attached=claims.attached,
            slots=claims.slots,
            there=claims.there,
            node_class=self._classes(free, capacity, masks),
        )

    # --- room -----------------------------------------------------------------------------------

    def _node_of(self, pod: Pod) -> int:
        found = self.number.get(pod.spec.node_name)
        if found is None:
            name = f"{pod.metadata.namespace}/{pod.metadata.name}"
            raise ValueError(
                f"pod {name} lies on node {pod.spec.node_name!r}, which is not in the cluster"
            )
        return found

    def _room(self, names: tuple[str, ...]) -> tuple[Ints, Ints]:
        offered = [allocatable(node.status.allocatable) for node in self.nodes]
        capacity = _matrix(offered, names)
        used = np.zeros_like(capacity)
        held = _matrix([self.requests.of(pod) for pod in self.problem.cluster.pods], names)
        held[:, -1] = 1
        np.add.at(used, np.array(self.placed, dtype=np.int64), held)
        return capacity, capacity - used

    # --- where a pod may go, whatever else is placed --------------------------------------------

    def _allowed(self) -> list[Bools]:
        """For each workload the nodes that its own selectors and tolerations admit."""
        found: dict[Any, Bools] = {}
        return [
            found[key]
            if (key := _static_key(pod)) in found
            else found.setdefault(key, self.kinds.admit(pod))
            for pod in self.pods
        ]

    def _block_ports(self, allowed: list[Bools], ports: Mapping[int, tuple[HostPort, ...]]) -> None:
        if not ports:
            return
        used = resident_ports(self.problem)
        for workload, wanted in ports.items():
            blocked = [node for node, theirs in used.items() if clash(wanted, theirs)]
            if blocked:
                allowed[workload] = _without(allowed[workload], np.array(blocked))

    # --- what depends on other pods -------------------------------------------------------------

    def domain(self, key: str) -> Ints:
        """The number of each node's domain of the key, in the order of the values; -1 without."""
        if key not in self.domains:
            labels = [node.metadata.label_map().get(key) for node in self.nodes]
            values = {v: i for i, v in enumerate(sorted({v for v in labels if v is not None}))}
            self.domains[key] = np.array(
                [-1 if v is None else values[v] for v in labels], dtype=np.int64
            )
        return self.domains[key]

    def _relations(
        self, allowed: list[Bools]
    ) -> tuple[dict[int, tuple[Spread, ...]], dict[int, tuple[Apart, ...]], dict[int, Near]]:
        resident = [
            (node, pod)
            for node, pod in zip(self.placed, self.problem.cluster.pods, strict=True)
            if anti_affinity_of(pod).required
        ]
        if not resident and not any(_has_relations(pod) for pod in self.pods):
            return {}, {}, {}
        index = self._index()
        self._block_resident_terms(resident, index, allowed)
        apart = self._apart(index, allowed)
        spreads, near = {}, {}
        for w, pod in enumerate(self.pods):
            if pod.spec.topology_spread_constraints:
                spreads[w] = self._spreads(w, index, allowed)
            if affinity_of(pod).required:
                near[w] = self._near(w, index, allowed)
        return {w: s for w, s in spreads.items() if s}, apart, near

    def _index(self) -> KinIndex:
        index = KinIndex(self.problem.cluster.namespaces)
        for w, pod in enumerate(self.pods):
            index.kin(pod).workloads.append(w)
        for node, pod in zip(self.placed, self.problem.cluster.pods, strict=True):
            kin = index.kin(pod)
            into = kin.nodes if pod.metadata.deletion_timestamp is None else kin.leaving
            into[node] = into.get(node, 0) + 1
        return index

    def _block_resident_terms(
        self, resident: list[tuple[int, Pod]], index: KinIndex, allowed: list[Bools]
    ) -> None:
        """Anti-affinity terms of existing pods keep the workloads they mean out of their domain."""
        by_term: dict[str, tuple[Term, set[int]]] = {}
        for node, pod in resident:
            merged_pod = _with_merged_keys(pod)
            for raw in anti_affinity_of(merged_pod).required or ():
                term = parsed(merged_pod, raw)
                by_term.setdefault(repr(term), (term, set()))[1].add(node)
        for term, nodes in by_term.values():
            blocked = self._in_domains_of(term.topology_key, nodes)
            for kin in index.meant_exactly(term):
                for w in kin.workloads:
                    allowed[w] = allowed[w] & ~blocked

    def _in_domains_of(self, key: str, nodes: set[int]) -> Bools:
        """The nodes that share a domain of the key with one of the nodes."""
        domain = self.domain(key)
        hit = np.unique(domain[sorted(nodes)]) if nodes else np.array([], dtype=np.int64)
        inside: Bools = np.isin(domain, hit[hit >= 0])
        return inside

    def _apart(self, index: KinIndex, allowed: list[Bools]) -> dict[int, tuple[Apart, ...]]:
        pairs: dict[int, dict[str, set[int]]] = {}
        for w, pod in enumerate(self.pods):
            for raw in anti_affinity_of(pod).required or ():
                term = merged(parsed(pod, raw), self.problem.cluster.namespaces)
                self.domain(term.topology_key)
                kins = index.meant(term)
                blocked = self._in_domains_of(term.topology_key, _resident_nodes(kins))
                if blocked.any():
                    allowed[w] = allowed[w] & ~blocked
                for other in (o for kin in kins for o in kin.workloads):
                    pairs.setdefault(w, {}).setdefault(term.topology_key, set()).add(other)
                    pairs.setdefault(other, {}).setdefault(term.topology_key, set()).add(w)
        return {
            w: tuple(Apart(key, tuple(sorted(by_key[key]))) for key in sorted(by_key))
            for w, by_key in sorted(pairs.items())
        }

    def _with_exclusive(
        self, apart: dict[int, tuple[Apart, ...]], exclusive: Mapping[str, list[int]]
    ) -> dict[int, tuple[Apart, ...]]:
        """A claim for one pod only excludes its users as if all nodes were one domain."""
        changed = dict(apart)
        for claim, users in sorted(exclusive.items()):
            self.domains[claim] = np.zeros(len(self.nodes), dtype=np.int64)
            for w in users:
                changed[w] = (*changed.get(w, ()), Apart(claim, tuple(users)))
        return changed

    def _spreads(self, w: int, index: KinIndex, allowed: list[Bools]) -> tuple[Spread, ...]:
        pod = self.pods[w]
        constraints = topology_spread.constraints_of(pod, "DoNotSchedule")
        keyed = np.ones(len(self.nodes), dtype=np.bool_)
        for constraint in constraints:
            keyed &= self.domain(constraint.topology_key) >= 0
        allowed[w] = allowed[w] & keyed
        return tuple(
            spread
            for constraint in constraints
            if (spread := self._spread(w, constraint, index, keyed)) is not None
        )

    def _spread(
        self, w: int, constraint: topology_spread.Constraint, index: KinIndex, keyed: Bools
    ) -> Spread | None:
        """A constraint; None if it can never fail, because its selector asks for nothing."""
        selector = constraint.selector
        if selector is None or selector.is_empty():
            return None
        pod = self.pods[w]
        domain, size = self._counted(constraint, pod, keyed)
        existing = np.zeros(size, dtype=np.int64)
        kins = index.selected(selector, pod.metadata.namespace)
        for kin in kins:
            for node, n in kin.nodes.items():
                if domain[node] >= 0:
                    existing[domain[node]] += n
        members = tuple(sorted(o for kin in kins for o in kin.workloads))
        return Spread(
            key=constraint.topology_key,
            skew=constraint.max_skew,
            floor=len(existing) >= constraint.min_domains,
            domain=domain,
            existing=existing,
            members=members,
            itself=int(selector.matches(pod.metadata.label_map())),
        )

    def _counted(
        self, constraint: topology_spread.Constraint, pod: Pod, keyed: Bools
    ) -> tuple[Ints, int]:
        """The domains that count, numbered by node (-1 elsewhere), and how many there are."""
        included = self._included(constraint, pod)
        key = (constraint.topology_key, id(included), keyed.tobytes())
        if key not in self.counted:
            raw = np.where(keyed & included, self.domain(constraint.topology_key), -1)
            numbers, domain = np.unique(raw, return_inverse=True)
            outside = int(len(numbers) > 0 and numbers[0] == -1)
            self.counted[key] = (domain.astype(np.int64) - outside, len(numbers) - outside)
        return self.counted[key]

    def _included(self, constraint: topology_spread.Constraint, pod: Pod) -> Bools:
        """The nodes whose domains count, by the constraint's inclusion policies."""
        key = (
            _affinity_key(pod) if constraint.honor_affinity else None,
            pod.spec.tolerations if constraint.honor_taints else None,
            constraint.honor_affinity,
            constraint.honor_taints,
        )
        if key not in self.inclusions:
            self.inclusions[key] = self.kinds.each(
                pod, lambda p, node: topology_spread.is_included(constraint, p, node)
            )
        return self.inclusions[key]

    def _near(self, w: int, index: KinIndex, allowed: list[Bools]) -> Near:
        pod = self.pods[w]
        terms = [
            merged(parsed(pod, raw), self.problem.cluster.namespaces)
            for raw in affinity_of(pod).required or ()
        ]
        keys = tuple(term.topology_key for term in terms)
        for key in keys:
            allowed[w] = allowed[w] & (self.domain(key) >= 0)
        meant = _meant_by_all(terms, index)
        nodes = _resident_nodes(meant)
        existing = tuple(self._in_domains_of(key, nodes) for key in keys)
        return Near(
            keys=keys,
            members=tuple(sorted(o for kin in meant for o in kin.workloads)),
            existing=existing,
            anywhere=any(bool(mask.any()) for mask in existing),
            itself=any(w in kin.workloads for kin in meant),
        )

    # --- classes of nodes -----------------------------------------------------------------------

    def _classes(self, free: Ints, capacity: Ints, masks: Bools) -> Ints:
        """Numbers nodes by room, masks and domains (those of a key with one node each aside)."""
        columns = [free, capacity]
        for domain in self.domains.values():
            single = is_single(domain)
            columns.append((domain >= 0 if single else domain)[:, None].astype(np.int64))
        packed = np.packbits(masks, axis=0).T
        rows = np.ascontiguousarray(np.hstack(columns))
        keys = [a.tobytes() + b.tobytes() for a, b in zip(rows, packed, strict=True)]
        numbers: dict[bytes, int] = {}
        return np.array([numbers.setdefault(k, len(numbers)) for k in keys], dtype=np.int64)


def resident_ports(problem: Problem) -> dict[int, list[HostPort]]:
    """The host ports that existing pods hold, by node."""
    number = {node.metadata.name: i for i, node in enumerate(problem.cluster.nodes)}
    used: dict[int, list[HostPort]] = {}
    for pod in problem.cluster.pods:
        for port in host_ports(pod):
            used.setdefault(number[pod.spec.node_name], []).append(port)
    return used


class NodeKinds:
    """Nodes that selectors and taints of these pods cannot tell apart, tried once for all."""

    def __init__(self, nodes: tuple[Node, ...], pods: list[Pod]) -> None:
        self.nodes = nodes
        self.number = {node.metadata.name: i for i, node in enumerate(nodes)}
        keys, by_name = _label_keys(pods)
        kinds: dict[Any, list[int]] = {}
        for i, node in enumerate(nodes):
            labels = node.metadata.label_map()
            kind = (
                tuple(labels.get(key) for key in keys),
                node.spec.taints,
                node.spec.unschedulable,
                node.metadata.name if node.metadata.name in by_name else None,
            )
            kinds.setdefault(kind, []).append(i)
        self.kinds = [np.array(members, dtype=np.int64) for members in kinds.values()]

    def admit(self, pod: Pod) -> Bools:
        """The nodes that the pod's gates, name, selectors and tolerations admit."""
        if pod.spec.scheduling_gates:
            return np.zeros(len(self.nodes), dtype=np.bool_)
        named = node_affinity.pre_filter(pod)
        if named.status.rejects:
            return np.zeros(len(self.nodes), dtype=np.bool_)
        if named.node_names is None and not pod.spec.node_name:
            return self.each(pod, _admits)
        names = named.node_names or {pod.spec.node_name}
        mask = np.zeros(len(self.nodes), dtype=np.bool_)
        for i in (self.number[name] for name in names if name in self.number):
            mask[i] = _admits(pod, self.nodes[i])
        return mask

    def each(self, pod: Pod, rule: Callable[[Pod, Node], bool]) -> Bools:
        """The nodes of which the rule holds, tried on one node of each kind."""
        mask = np.zeros(len(self.nodes), dtype=np.bool_)
        for members in self.kinds:
            if rule(pod, self.nodes[members[0]]):
                mask[members] = True
        return mask


def _admits(pod: Pod, node: Node) -> bool:
    if pod.spec.node_name not in ("", node.metadata.name):
        return False
    if node.spec.unschedulable and not taints.is_tolerated(pod, taints.UNSCHEDULABLE_TAINT):
        return False
    return not taints.has_untolerated_taint(pod, node) and node_affinity.matches_required(pod, node)


def _label_keys(pods: list[Pod]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The node labels that some selector reads, and the node names that some pod asks for."""
    keys: set[str] = set()
    names: set[str] = set()
    for pod in pods:
        keys.update(pod.spec.node_selector or ())
        if pod.spec.node_name:
            names.add(pod.spec.node_name)
        affinity = pod.spec.affinity
        required = affinity and affinity.node_affinity and affinity.node_affinity.required
        for term in required.node_selector_terms if required else ():
            keys.update(r.key for r in term.match_expressions or ())
            for field_requirement in term.match_fields or ():
                names.update(field_requirement.values or ())
    return tuple(sorted(keys)), frozenset(names)


def _affinity_key(pod: Pod) -> Any:
    affinity = pod.spec.affinity
    node = affinity.node_affinity if affinity else None
    selector = pod.spec.node_selector
    return (
        tuple(sorted(selector.items())) if selector else (),
        node.required if node else None,
        selector is None,
    )


def _static_key(pod: Pod) -> Any:
    spec = pod.spec
    return _affinity_key(pod), spec.tolerations, spec.node_name, bool(spec.scheduling_gates)


def _has_relations(pod: Pod) -> bool:
    return bool(
        pod.spec.topology_spread_constraints
        or affinity_of(pod).required
        or anti_affinity_of(pod).required
    )


def _with_merged_keys(pod: Pod) -> Pod:
    """The pod as the API server stores it; itself where it has nothing to merge."""
    return merge_label_keys(pod) if _has_relations(pod) else pod


def _meant_by_all(terms: list[Term], index: KinIndex) -> list[Kin]:
    first, *rest = [index.meant(term) for term in terms]
    return [kin for kin in first if all(any(kin is o for o in other) for other in rest)]


def _resident_nodes(kins: list[Kin]) -> set[int]:
    """The nodes with existing pods of these kins; for affinity, pods being deleted count too."""
    return {node for kin in kins for node in (*kin.nodes, *kin.leaving)}


def _without(mask: Bools, nodes: Ints) -> Bools:
    changed = mask.copy()
    changed[nodes] = False
    return changed


def _numbered(masks: list[Bools], nodes: int) -> tuple[Ints, Bools]:
    """Each mask's number, and the different masks as rows."""
    by_identity: dict[int, int] = {}
    numbers: dict[bytes, int] = {}
    rows: list[Bools] = []
    found = []
    for mask in masks:
        number = by_identity.get(id(mask))
        if number is None:
            key = mask.tobytes()
            if key not in numbers:
                numbers[key] = len(rows)
                rows.append(mask)
            number = by_identity[id(mask)] = numbers[key]
        found.append(number)
    stacked = np.array(rows, dtype=np.bool_).reshape(len(rows), nodes)
    return np.array(found, dtype=np.int64), stacked


class Requests:
    """What pods request, worked out once for all pods that ask alike."""

    def __init__(self) -> None:
        self._known: dict[Any, Vector] = {}

    def of(self, pod: Pod) -> Vector:
        """What the pod holds, if it is on a node; what it requests, if it is not."""
        if any(s.resources is not None for s in _statuses(pod)):
            return as_resources(pod_requests(pod, "held"))
        key = _request_key(pod.spec)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = as_resources(pod_requests(pod))
        return found


def _statuses(pod: Pod) -> Any:
    status = pod.status
    return (status.container_statuses or ()) + (status.init_container_statuses or ())


def _items(amounts: Mapping[str, Any] | None) -> tuple[Any, ...]:
    return tuple(amounts.items()) if amounts else ()


def _request_key(spec: PodSpec) -> Any:
    def own(containers: Any) -> tuple[Any, ...]:
        return tuple(
            (c.restart_policy, _items(c.resources.requests) if c.resources else ())
            for c in containers or ()
        )

    level = spec.resources.requests if spec.resources else None
    return own(spec.containers), own(spec.init_containers), _items(level), _items(spec.overhead)


def _names(asked: list[Vector]) -> tuple[str, ...]:
    """The resources that matter: those some workload requests; the number of pods is the last."""
    wanted = {name for vector in asked for name, amount in vector.items() if amount > 0}
    first = [name for name in (CPU, MEMORY) if name in wanted]
    return (*first, *sorted(wanted - {CPU, MEMORY, PODS}), PODS)


def _matrix(vectors: Sequence[Vector], names: tuple[str, ...]) -> Ints:
    rows = [[vector.get(name, 0) for name in names] for vector in vectors]
    for row in rows:
        for name, amount in zip(names, row, strict=True):
            if not -LARGEST < amount < LARGEST:
                raise ValueError(f"{name}: {amount} is too much to be added up exactly")
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(names))
