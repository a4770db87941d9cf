"""DaemonSets: one pod on each node that takes it.

A DaemonSet's pod has exactly one node to go to. Where it fits beside what stays there, it is as
good as placed; where it does not, it is left to the decision, which will say why.

Source: ``pkg/controller/daemon/daemon_controller.go`` and
``pkg/controller/daemon/util/daemonset_util.go``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.inter_pod_affinity import (
    affinity_of,
    anti_affinity_of,
    parsed,
)
from kubelemma.model.components.scheduler.decision.node_affinity import matches_required
from kubelemma.model.components.scheduler.decision.node_ports import HostPort, host_ports
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import PODS, Resources, added
from kubelemma.model.components.scheduler.decision.taints import has_untolerated_taint
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod, Toleration
from kubelemma.solver.placement.displaced import only_on

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_ON_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


class Homed(NamedTuple):
    """New pods of DaemonSets: those that fit (with their node), and those that may not."""

    fitting: tuple[Pod, ...]
    doubtful: tuple[tuple[Pod, str], ...]


def tolerant(pod: Pod) -> Pod:
    """The pod with the tolerations that its controller adds."""
    added = (*_TOLERATED, *[_ON_HOST_NETWORK] * pod.spec.host_network)
    given = pod.spec.tolerations or ()
    own = {(t.key, t.effect) for t in given if t.operator == "Exists"}
    more = tuple(
        Toleration(key=key, operator="Exists", effect=effect)  # type: ignore[arg-type]  # a literal of the table above
        for key, effect in added
        if (key, effect) not in own
    )
    return replace(pod, spec=replace(pod.spec, tolerations=(*given, *more)))


def eligible(pod: Pod, nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes on which a DaemonSet wants the pod."""
    pinned = pod.spec.node_name
    for node in nodes:
        named = not pinned or pinned == node.metadata.name
        if named and matches_required(pod, node) and not has_untolerated_taint(pod, node):
            yield node


def homed(
    pods: Iterable[tuple[Pod, Node]],
    staying: Iterable[Pod],
    namespaces: Mapping[str, Mapping[str, str]],
) -> Homed:
    """Which of the pods fit on their nodes, one after the other, beside those that stay."""
    wanted = list(pods)
    if not wanted:
        return Homed((), ())
    there: dict[str, list[Pod]] = defaultdict(list)
    repelling = []
    concerned = {node.metadata.name for _, node in wanted}
    for pod in staying:
        if pod.spec.node_name in concerned:
            there[pod.spec.node_name].append(pod)
        repelling += [parsed(pod, term) for term in anti_affinity_of(pod).required or ()]
    distinct = {repr(term): term for term in repelling}.values()
    rooms: dict[str, _Room] = {}
    needs: dict[int, _Need] = {}
    fitting, doubtful = [], []
    for pod, node in wanted:
        name = node.metadata.name
        if id(pod) not in needs:
            labels = namespaces.get(pod.metadata.namespace, {})
            free = not any(term.matches(pod, labels) for term in distinct)
            needs[id(pod)] = _Need(
                fit_request(pod), tuple(host_ports(pod)), free and _is_plain(pod)
            )
        if name not in rooms:
            rooms[name] = _Room(NodeInfo(node, tuple(there[name])))
        if rooms[name].take(needs[id(pod)]):
            fitting.append(bound(pod, name))
        else:
            doubtful.append((only_on(pod, name), name))
    return Homed(tuple(fitting), tuple(doubtful))


class _Need(NamedTuple):
    """What a pod asks of a node; ``plain`` if it asks nothing of anybody else."""

    request: Resources
    ports: tuple[HostPort, ...]
    plain: bool


class _Room:
    """What is left of a node while pods are put onto it."""

    def __init__(self, info: NodeInfo) -> None:
        used = added([info.requested, {PODS: len(info.pods)}])
        self._left = {
            n: info.allocatable.get(n, 0) - used.get(n, 0) for n in {*info.allocatable, *used}
        }
        self._ports = [port for pod in info.pods for port in host_ports(pod)]

    def take(self, need: _Need) -> bool:
        """Put a pod onto the node, if it fits."""
        asked = {PODS: 1, **{name: amount for name, amount in need.request.items() if amount}}
        fits = need.plain and all(amount <= self._left.get(n, 0) for n, amount in asked.items())
        if not fits or any(w.conflicts_with(p) for w in need.ports for p in self._ports):
            return False
        for name, amount in asked.items():
            self._left[name] -= amount
        self._ports += need.ports
        return True


def _is_plain(pod: Pod) -> bool:
    """Whether nothing but the node itself decides about the pod."""
    spread = any(
        c.when_unsatisfiable == "DoNotSchedule" for c in pod.spec.topology_spread_constraints or ()
    )
    peers = affinity_of(pod).required or anti_affinity_of(pod).required
    return not (spread or peers or pod.spec.volumes)


def bound(pod: Pod, node: str) -> Pod:
    """The pod on its node, with a name of its own."""
    owner = (pod.metadata.owner_references or ())[0]
    metadata = replace(pod.metadata, name=f"{owner.name}-{node}")
    return replace(pod, metadata=metadata, spec=replace(pod.spec, node_name=node))
