"""Plugins NodeUnschedulable and TaintToleration.

Source: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go,
pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go and
staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import Pod, Toleration

from .nodeinfo import NodeInfo
from .normalize import default_normalize
from .status import SUCCESS, Status, unresolvable

UNSCHEDULABLE_TAINT = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether the toleration covers the taint.

    Operators Gt and Lt cover nothing: the API server refuses them while their feature gate
    (TaintTolerationComparisonOperators) is off, as it is in all versions that are modelled.
    """
    if toleration.effect not in ("", taint.effect) or toleration.key not in ("", taint.key):
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in ("", "Equal") and toleration.value == taint.value


def is_tolerated(pod: Pod, taint: Taint) -> bool:
    """Whether any toleration of the pod covers the taint."""
    return any(tolerates(t, taint) for t in pod.spec.tolerations or ())


def has_untolerated_taint(pod: Pod, node: Node) -> bool:
    """Whether a NoSchedule or NoExecute taint keeps the pod off the node."""
    return any(
        taint.effect != "PreferNoSchedule" and not is_tolerated(pod, taint)
        for taint in node.spec.taints or ()
    )


def filter_unschedulable(pod: Pod, info: NodeInfo) -> Status:
    """NodeUnschedulable: a cordoned node takes only pods that tolerate the cordon's taint."""
    if not info.node.spec.unschedulable or is_tolerated(pod, UNSCHEDULABLE_TAINT):
        return SUCCESS
    return unresolvable("node(s) were unschedulable")


def filter_taints(pod: Pod, info: NodeInfo) -> Status:
    """TaintToleration: every NoSchedule and NoExecute taint must be tolerated."""
    if has_untolerated_taint(pod, info.node):
        return unresolvable("node(s) had untolerated taint(s)")
    return SUCCESS


def score_taints(pod: Pod, info: NodeInfo) -> int:
    """The raw score: the number of PreferNoSchedule taints that the pod does not tolerate."""
    return sum(
        taint.effect == "PreferNoSchedule" and not is_tolerated(pod, taint)
        for taint in info.node.spec.taints or ()
    )


def normalize_taints(raw: Mapping[str, int]) -> dict[str, int]:
    """Scores by node, 0..100: the fewer such taints the better."""
    return default_normalize(raw, reverse=True)
