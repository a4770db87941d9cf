"""Problems of the scheduler, asked of the kubelet: which pods its rule admits once they are bound.

The kubelet runs the scheduler's filters that need no other node, so that what the real ones
answered tells its admission as well; of taints it looks at those with the effect NoExecute alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubelemma.model.cluster.state import Phase, shifted
from kubelemma.model.cluster.world import NODES
from kubelemma.model.components.kubelet.rules import KUBELET
from kubelemma.model.system import System

from . import AGREES, Case, Found
from . import scheduler as bound

GENERAL = ("NodeResourcesFit", "NodeAffinity", "NodeName", "NodePorts")
EFFECTS = ("NoSchedule", "NoExecute")


def compare(case: Case) -> Found:
    """Every node on which the answers of the filters tell whether the pod is admitted."""
    reason = bound.left_out(case)
    if reason:
        return Found(skipped=reason)
    answers = admitted(case)
    differing = [
        f"{node}: {'' if answers[node] else 'not '}admitted"
        for node, expect in expected(case)
        if answers[node] is not expect
    ]
    return Found(difference=", ".join(differing)) if differing else AGREES


def expected(case: Case) -> Iterator[tuple[str, bool]]:
    """The nodes of which it is known whether they admit the pod."""
    filters: Mapping[str, Case] = case["expect"]["filter"]
    for raw in case["input"]["nodes"]:
        name = raw["metadata"]["name"]
        rejections = [filters[p][name] for p in GENERAL if name in filters.get(p, {})]
        # Extended resources that a node does not have at all are none of its kubelet's business.
        foreign = any("/" in reason for r in rejections for reason in r.get("reasons", ()))
        tainted = name in filters.get("TaintToleration", {})
        effects = {t["effect"] for t in raw.get("spec", {}).get("taints", ())} & {*EFFECTS}
        # The scheduler names only the first taint that the pod does not tolerate.
        if not foreign and not (tainted and effects == {*EFFECTS}):
            yield name, not rejections and not (tainted and effects == {"NoExecute"})


def admitted(case: Case) -> dict[str, bool]:
    """For every node whether the kubelet's rule admits the pod, once it is bound there."""
    asked = bound.problem(case["input"])
    system, names = bound.system_of(asked, scoring=False)
    return {
        name: _admits(system, position)
        for name, position in zip(names, system.positions[NODES], strict=True)
    }


def _admits(system: System, position: int) -> bool:
    state = list(system.initial)
    node = state[position]
    state[position] = node._replace(up=True, pods=shifted(node.pods, 0, Phase.ASSIGNED, 1))
    for rule in system.rules:
        if rule.actor == KUBELET:
            for step in system.successors(tuple(state), rule.name):
                if step.positions == (position,) and step.outcome.action in ("admit", "reject"):
                    return step.outcome.action == "admit"
    raise AssertionError("the kubelet neither admits nor rejects the pod")
