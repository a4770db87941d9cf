"""Whether a kubelet admits a pod that was bound to its node.

Source: pkg/kubelet/lifecycle/predicate.go. The kubelet looks at its own node and the pods it has
admitted; it runs the scheduler's filters that need nothing else, and refuses pods that a NoExecute
taint would evict at once. Extended resources that its node does not have at all are not asked for:
they may belong to the cluster, and not to any node.
"""

from __future__ import annotations

from kubelemma.model.components.scheduler.decision.node_affinity import matches_required
from kubelemma.model.components.scheduler.decision.node_name import filter_node_name
from kubelemma.model.components.scheduler.decision.node_ports import filter_ports
from kubelemma.model.components.scheduler.decision.node_resources import (
    fit_request,
    insufficient_resources,
)
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import is_extended
from kubelemma.model.components.scheduler.decision.taints import is_tolerated
from kubelemma.model.objects.pod import Pod


def admit(pod: Pod, admitted: NodeInfo) -> str | None:
    """None if the pod is admitted beside those in ``admitted``, else ``status.reason``.

    The reasons are the kubelet's own: ``OutOfcpu``, ``OutOfpods``, ``NodeAffinity``, …
    """
    short = insufficient_resources(_asked_of(admitted, pod), admitted)
    if short:
        return f"OutOf{short[0].name}"
    if not matches_required(pod, admitted.node):
        return "NodeAffinity"
    if not filter_node_name(pod, admitted).ok:
        return "NodeName"
    if not filter_ports(pod, admitted).ok:
        return "NodePorts"
    for taint in admitted.node.spec.taints or ():
        if taint.effect == "NoExecute" and not is_tolerated(pod, taint):
            return "TaintToleration"
    return None


def _asked_of(node: NodeInfo, pod: Pod) -> dict[str, int]:
    """What the pod needs of the node, without extended resources that the node does not list."""
    return {
        name: amount
        for name, amount in fit_request(pod).items()
        if name in node.allocatable or not is_extended(name)
    }
