"""Plugins SchedulingGates and NodeName: what the pod says of itself.

Source: pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go and
pkg/scheduler/framework/plugins/nodename/node_name.go.
"""

from __future__ import annotations

from kubelemma.model.objects.pod import Pod

from .nodeinfo import NodeInfo
from .status import SUCCESS, Status, unresolvable


def pre_enqueue(pod: Pod) -> Status:
    """SchedulingGates: a pod with gates left does not enter the scheduling queue."""
    gates = pod.spec.scheduling_gates
    if not gates:
        return SUCCESS
    return unresolvable(f"waiting for scheduling gates: [{' '.join(g.name for g in gates)}]")


def filter_node_name(pod: Pod, info: NodeInfo) -> Status:
    """NodeName: a pod that names its node fits only there."""
    if pod.spec.node_name in ("", info.name):
        return SUCCESS
    return unresolvable("node(s) didn't match the requested node name")
