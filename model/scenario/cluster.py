"""The cluster of a scenario where the user gave none: few nodes, with room for one node less.

It grows in number where pods keep off each other, by host ports, affinity or spread, and where they
are too many for the nodes; in size where they ask for more, and on until room decides nothing where
a usual size will do. Workloads whose node selectors contradict each other get nodes of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.components.scheduler.decision.node_ports import host_ports
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import CPU, EPHEMERAL_STORAGE, MEMORY
from kubelemma.model.components.scheduler.decision.topology_spread import HOSTNAME, ZONE
from kubelemma.model.components.scheduler.telling import pod_affinity_keys
from kubelemma.model.manifests.groups import Cluster, NodeGroup, nodes_of
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import NodeSelectorRequirement, Pod, PodAffinityTerm, PodSpec
from kubelemma.model.objects.quantity import Quantity

from .start import Given, place_all
from .templates import key_of, kind_of, most_pods, pod_of, replicas_of

NODES = 3
ZONES, PER_ZONE = 3, 2
PODS = 110
CORES, MEMORY_PER_CORE = 4, 4 * 2**30
"""The smallest node has four cores and 16 Gi; larger ones twice that, and so on."""
SIZES = tuple(2**power for power in range(10))
"""How many times the smallest node is tried."""
LARGEST = 32
"""No node is made larger than so many times the smallest for what is only to make room."""
STORAGE = Quantity(100 * 2**30)
"""The ephemeral storage of the smallest node, and of nodes of which nobody says how much."""
_REGION = "topology.kubernetes.io/region"
_USUAL = (CPU, MEMORY, EPHEMERAL_STORAGE, "pods")


class Sizing(NamedTuple):
    """A cluster and, for people, how it came about.

    ``homeless`` are the workloads that find no place on a cluster of any number and size; it is
    made for the others.
    """

    nodes: tuple[Node, ...]
    reason: str
    homeless: tuple[Any, ...] = ()


class _Pool(NamedTuple):
    """Equal nodes, and the workloads for which they are there.

    Attributes:
        labels: what the workloads ask for.
        domains: the label keys that say which nodes are near each other.
        zones: to how many of these domains nodes are dealt out; 0 if there are none.
        number: how many nodes it takes at least, one of which may be lost.
    """

    owners: tuple[Any, ...]
    labels: Mapping[str, str]
    domains: tuple[str, ...]
    zones: int
    number: int


def default_cluster(
    owners: Sequence[Any], namespaces: Sequence[Namespace] = (), tied: Collection[str] = ()
) -> Sizing:
    """Nodes of a usual size on which everything fits when one is lost and one rollout surges.

    There are three, or more where pods keep each other off their host, take its ports, or are too
    many; two in each zone where pods must be spread over zones, or volumes are ``tied`` to nodes by
    the label that says so. Labels that node selectors ask for are there, and so are other resources
    that pods request: the reason names them.
    """
    pools = tuple(_pool(owners, labels, tied) for owners, labels in _sorted_out(owners))
    most = sum(replicas_of(owner) + _surge(owner) for owner in owners) + 1
    made = _made_up(pools)

    def roomy(more: int, size: int) -> bool:
        return _fits_with_one_less(pools, _nodes(pools, more, size), namespaces)

    def enough(more: int, size: int) -> bool:
        return not any(_pending(owners, _nodes(pools, more, size), namespaces))

    if (found := _smallest(roomy, most)) is not None:
        nodes = _nodes(pools, *_roomier(pools, *found))
        less = len(nodes) - 1
        why = f"chosen so that everything, and the surge of a rollout, fits on {less}"
        return Sizing(nodes, why + made)
    if (found := _smallest(enough, most)) is not None:
        why = (
            "on which everything finds a place, but not when a node is lost and a rollout surges, "
            "whatever their number and size"
        )
        return Sizing(_nodes(pools, *found), why + made)
    homeless = tuple(_pending(owners, _nodes(pools, most, SIZES[-1]), namespaces))
    others = [owner for owner in owners if owner not in homeless]
    if not homeless or not others:
        why = "on which nothing finds a place, whatever their number and size"
        return Sizing(_nodes(pools, 0, 1), why, tuple(owners))
    return default_cluster(others, namespaces, tied)._replace(homeless=homeless)


def _roomier(pools: Sequence[_Pool], more: int, size: int) -> tuple[int, int]:
    """So many nodes of a size of which room decides nothing, if there is one that is usual."""
    sizes = (each for each in SIZES if size <= each <= LARGEST)
    return more, next((s for s in sizes if all(_is_never_short(p, s) for p in pools)), size)


def _is_never_short(pool: _Pool, size: int) -> bool:
    """Whether a node has room for all pods of its pool, and for all that one workload may have.

    Nobody knows how large the nodes are. Where everything fits in any case, it makes no difference
    on which of them a pod is.
    """
    (node,) = nodes_of(Cluster(nodes=(NodeGroup(allocatable=_allocatable(pool.owners, size)),)))
    there = NodeInfo(node).allocatable
    wanted = _all_at_once(pool.owners)
    return all(there.get(name, 0) >= amount for name, amount in wanted.items())


def _all_at_once(owners: Iterable[Any]) -> Mapping[str, int]:
    """What all pods request, and on top the most that those of one workload ever might."""
    standing: Counter[str] = Counter()
    coming: Counter[str] = Counter()
    for owner in owners:
        most = most_pods(replicas_of(owner), _surge(owner))
        for name, amount in fit_request(pod_of(owner, 0)).items():
            standing[name] += amount * replicas_of(owner)
            coming[name] = max(coming[name], amount * most)
    return standing + coming


def listed(cluster: Cluster, owners: Iterable[Any]) -> Cluster:
    """The cluster, with ephemeral storage where pods ask for it and nobody says how much there is.

    Every kubelet lists some (``pkg/kubelet/nodestatus/setters.go``).
    """
    if not any(EPHEMERAL_STORAGE in fit_request(pod_of(owner, 0)) for owner in owners):
        return cluster
    return with_storage(cluster)


def with_storage(cluster: Cluster) -> Cluster:
    """The cluster, with ephemeral storage on every node of which nobody says how much it has."""
    return Cluster(nodes=tuple(map(_with_storage, cluster.nodes)))


def _with_storage(group: NodeGroup) -> NodeGroup:
    if EPHEMERAL_STORAGE in (group.allocatable or {}):
        return group
    allocatable = {**(group.allocatable or {}), EPHEMERAL_STORAGE: STORAGE}
    return msgspec.structs.replace(group, allocatable=allocatable)


def _smallest(fits: Callable[[int, int], bool], most: int) -> tuple[int, int] | None:
    """The fewest more nodes, and the smallest size of these that fits; None where none does."""
    for size in SIZES:
        if fits(0, size):
            return 0, size
    low, high = 0, 1
    while not fits(high, SIZES[-1]):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle, SIZES[-1]) else (middle, high)
    return high, next(size for size in SIZES if fits(high, size))


def _sorted_out(
    owners: Iterable[Any],
) -> list[tuple[tuple[Any, ...], Mapping[str, str]]]:
    """The workloads by the labels that they ask for, which do not contradict each other."""
    found: list[tuple[list[Any], dict[str, str]]] = []
    for owner in owners:
        asked = dict(_labels_of(_template(owner)))
        for some, labels in found:
            if all(labels.get(key, value) == value for key, value in asked.items()):
                some.append(owner)
                labels.update(asked)
                break
        else:
            found.append(([owner], asked))
    return [(tuple(some), labels) for some, labels in found] or [((), {})]


def _pool(owners: tuple[Any, ...], labels: Mapping[str, str], tied: Collection[str]) -> _Pool:
    asked = (key for owner in owners for key in _topology_keys(owner))
    domains = tuple(dict.fromkeys(key for key in asked if key not in (HOSTNAME, *labels)))
    keys = (*tied, *(key for owner in owners for key in _strict_keys(owner)))
    strict = any(key in domains for key in keys)
    zones = max((ZONES, *map(_zones_needed, owners))) if domains else 0
    number = max(
        NODES,
        _hosts_for_ports(owners) + 1,
        -(-sum(replicas_of(o) + _surge(o) for o in owners) // PODS) + 1,
        *(_hosts_needed(owner) + 1 for owner in owners),
        PER_ZONE * zones if strict else zones,
    )
    return _Pool(owners, labels, domains, zones, number)


def _nodes(pools: Sequence[_Pool], more: int, size: int) -> tuple[Node, ...]:
    """The nodes of all pools, each of so many more and so many times the smallest size."""
    groups = tuple(
        NodeGroup(
            count=pool.number + more,
            zones=pool.zones if ZONE in pool.domains else 0,
            labels={k: v for k, v in pool.labels.items() if k != HOSTNAME},
            allocatable=_allocatable(pool.owners, size),
        )
        for pool in pools
    )
    nodes = iter(nodes_of(Cluster(nodes=groups)))
    return tuple(
        _labelled(next(nodes), pool, index)
        for pool, group in zip(pools, groups, strict=True)
        for index in range(group.count)
    )


def _labelled(node: Node, pool: _Pool, index: int) -> Node:
    """The node in its domains; one that is asked for by its host name is the first of its pool."""
    labels = dict(node.metadata.label_map())
    for key in pool.domains:
        if key == _REGION:
            labels[key] = "region-1"
        elif key != ZONE:
            labels[key] = f"{key.rpartition('/')[2]}-{index % pool.zones + 1}"
    if HOSTNAME in pool.labels and index == 0:
        labels[HOSTNAME] = pool.labels[HOSTNAME]
    return msgspec.structs.replace(
        node, metadata=msgspec.structs.replace(node.metadata, labels=labels)
    )


def _allocatable(owners: Iterable[Any], size: int) -> dict[str, Quantity]:
    """A node of so many times the smallest size; unusual resources as much as a pod wants."""
    amounts = {
        CPU: Quantity(CORES * size),
        MEMORY: Quantity(CORES * MEMORY_PER_CORE * size),
        EPHEMERAL_STORAGE: Quantity(STORAGE.amount * size),
        "pods": Quantity(PODS),
    }
    for name, amount in _unusual(owners).items():
        amounts[name] = Quantity(amount * size)
    return amounts


def _unusual(owners: Iterable[Any]) -> dict[str, int]:
    """Other resources that pods request, and the least that a node has of them."""
    found: dict[str, int] = {}
    for owner in owners:
        for name, amount in fit_request(pod_of(owner, 0)).items():
            if name not in _USUAL:
                found.setdefault(name, max(1, int(amount)))
    return found


def _made_up(pools: Iterable[_Pool]) -> str:
    """What nodes have only because workloads ask for it, in words; empty where that is nothing."""
    labels = (f"{key}={value}" for pool in pools for key, value in pool.labels.items())
    domains = (key for pool in pools for key in pool.domains)
    resources = (name for pool in pools for name in _unusual(pool.owners))
    parts = (
        ("label", list(dict.fromkeys([*labels, *domains]))),
        ("resource", list(dict.fromkeys(resources))),
    )
    said = [
        f"{noun if len(names) == 1 else noun + 's'} {', '.join(names)}"
        for noun, names in parts
        if names
    ]
    return f"; made up, as workloads ask for them: {'; '.join(said)}" if said else ""


def _fits_with_one_less(
    pools: Sequence[_Pool], nodes: tuple[Node, ...], namespaces: Sequence[Namespace]
) -> bool:
    """Whether all have room with every surge on top, whichever pool has lost a node."""
    owners = [owner for pool in pools for owner in pool.owners]
    surged = [_with_replicas(owner, replicas_of(owner) + _surge(owner)) for owner in owners]
    more = (len(nodes) - sum(pool.number for pool in pools)) // len(pools)
    lost: list[int] = []
    first = 0
    for pool in pools:
        after = first + pool.number + more
        lost += [after - 1, *([first] if HOSTNAME in pool.labels else [])]
        first = after
    return not any(
        any(_pending(surged, (*nodes[:index], *nodes[index + 1 :]), namespaces)) for index in lost
    )


def _pending(
    owners: Sequence[Any], nodes: tuple[Node, ...], namespaces: Sequence[Namespace]
) -> Iterator[Any]:
    """The workloads of which the scheduler finds no node for some pod that it looks at."""
    placed = place_all(Given(owners), nodes, namespaces).placed
    for owner in owners:
        spec = _template(owner)
        if placed[key_of(owner)].pending and not (spec.scheduling_gates or spec.node_name):
            yield owner


def _template(owner: Any) -> PodSpec:
    return kind_of(owner).template(owner).spec


def _with_replicas(owner: Any, replicas: int) -> Any:
    spec = msgspec.structs.replace(owner.spec, replicas=replicas)
    return msgspec.structs.replace(owner, spec=spec)


def _surge(owner: Any) -> int:
    return kind_of(owner).surge(owner)


def _hosts_needed(owner: Any) -> int:
    """How many nodes a rollout needs if no two pods of the workload may share one."""
    alone = any(term.topology_key == HOSTNAME for term in _repelling_itself(owner))
    return replicas_of(owner) + _surge(owner) if alone else 0


def _hosts_for_ports(owners: Iterable[Any]) -> int:
    """How many nodes it takes if no two pods that claim one host port may share one."""
    wanted: Counter[tuple[str, int]] = Counter()
    for owner in owners:
        ports = {(port.protocol, port.port) for port in host_ports(pod_of(owner, 0))}
        wanted.update(dict.fromkeys(ports, replicas_of(owner) + _surge(owner)))
    return max(wanted.values(), default=0)


def _zones_needed(owner: Any) -> int:
    """How many zones it takes: those that are asked for, or one for each pod that wants its own."""
    spread = _template(owner).topology_spread_constraints or ()
    alone = any(term.topology_key != HOSTNAME for term in _repelling_itself(owner))
    each = replicas_of(owner) + _surge(owner) if alone else 0
    return max(each, *(constraint.min_domains or 0 for constraint in spread), 0)


def _repelling_itself(owner: Any) -> Iterator[PodAffinityTerm]:
    """The terms that keep the pods of a workload off each other."""
    pod = pod_of(owner, 0)
    affinity = pod.spec.affinity
    anti = affinity.pod_anti_affinity if affinity else None
    for term in (anti.required if anti else None) or ():
        if term.label_selector is not None and term.label_selector.matches(
            pod.metadata.label_map()
        ):
            yield term


def _topology_keys(owner: Any) -> Iterator[str]:
    spec = _template(owner)
    for constraint in spec.topology_spread_constraints or ():
        yield constraint.topology_key
    yield from pod_affinity_keys(Pod(spec=spec))


def _strict_keys(owner: Any) -> Iterator[str]:
    """The keys of what must be so, and is not only preferred."""
    spec = _template(owner)
    for constraint in spec.topology_spread_constraints or ():
        if constraint.when_unsatisfiable == "DoNotSchedule":
            yield constraint.topology_key
    affinity = spec.affinity
    for peers in (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else ():
        yield from (term.topology_key for term in (peers and peers.required) or ())


def _labels_of(spec: PodSpec) -> Iterator[tuple[str, str]]:
    """Labels that a node must have: of node selectors, and of the first required term."""
    yield from (spec.node_selector or {}).items()
    affinity = spec.affinity.node_affinity if spec.affinity else None
    if affinity is None or affinity.required is None:
        return
    for term in affinity.required.node_selector_terms[:1]:
        for requirement in term.match_expressions or ():
            value = _value_for(requirement)
            if value is not None:
                yield requirement.key, value


def _value_for(requirement: NodeSelectorRequirement) -> str | None:
    """A value of a label that satisfies a requirement; None where it needs no label."""
    values = requirement.values or ()
    match requirement.operator:
        case "In" if values:
            return values[0]
        case "Exists":
            return "true"
        case "Gt" | "Lt" if values and values[0].lstrip("-").isdecimal():
            return str(int(values[0]) + (1 if requirement.operator == "Gt" else -1))
        case _:
            return None
