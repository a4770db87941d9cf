"""Orders and standstills, held against the scheduler's own filters (``components/scheduler``)."""

from __future__ import annotations

from kubelemma.model.components.scheduler.decision import volumes
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo, node_infos
from kubelemma.model.components.scheduler.decision.profile import Snapshot, filter_node, pre_filter
from kubelemma.model.objects.pod import Pod

from .problem import Placement, Problem

Order = tuple[tuple[int, int], ...]


class _Scheduling:
    """The filters on a cluster that fills up."""

    def __init__(self, problem: Problem) -> None:
        self.pods = [merge_label_keys(workload.pod) for workload in problem.workloads]
        self.infos = list(node_infos(problem.cluster.nodes, problem.cluster.pods))
        self.namespaces = problem.cluster.namespaces
        self.shelf = volumes.Shelf(problem.cluster.storage)

    def put(self, workload: int, node: int, count: int) -> None:
        """Lay so many pods of the workload on the node."""
        self.infos[node] = self.infos[node].with_pods(*([self.pods[workload]] * count))

    def open(self, workload: int, nodes: range | tuple[int, ...]) -> list[int]:
        """Those of the nodes that would take one more pod of the workload."""
        pod: Pod = self.pods[workload]
        if pre_enqueue(pod).rejects:
            return []
        infos: tuple[NodeInfo, ...] = tuple(self.infos)
        cycle = pre_filter(pod, Snapshot(infos, self.namespaces))
        fitting = [n for n in nodes if filter_node(cycle, infos[n]).status.ok]
        if not pod.spec.volumes:
            return fitting
        asked = volumes.pre_filter(pod, self.shelf)
        users = volumes.users_of((other for info in infos for other in info.pods), self.shelf)
        return [n for n in fitting if volumes.filter_node(asked, infos[n], users, self.shelf).ok]


def refusal(problem: Problem, order: Order) -> str | None:
    """The first step of the order that the filters refuse, as a sentence; None if there is none."""
    scheduling = _Scheduling(problem)
    for step, (workload, node) in enumerate(order, start=1):
        if not scheduling.open(workload, (node,)):
            name = problem.workloads[workload].name
            return f"step {step}: no pod of {name} may go to node {node}"
        scheduling.put(workload, node, 1)
    return None


def way_on(problem: Problem, placement: Placement) -> str | None:
    """A pod that the filters would still let through, as a sentence; None at a standstill."""
    scheduling = _Scheduling(problem)
    left = [workload.count for workload in problem.workloads]
    for a in placement.assignments:
        scheduling.put(a.workload, a.node, a.count)
        left[a.workload] -= a.count
    for workload, number in enumerate(left):
        if number:
            for node in scheduling.open(workload, range(len(scheduling.infos))):
                name = problem.workloads[workload].name
                return f"a pod of {name} may still go to node {node}"
    return None
