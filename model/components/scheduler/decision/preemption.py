"""PostFilter DefaultPreemption: whom a pod that fits nowhere drives out, and from which node.

A dry run on each node where removing pods may help: all pods of lower priority go; if the pod fits
then, as many as possible come back, those first whose loss would violate a disruption budget. Of
the nodes where that works the least harmful one is chosen.

The scheduler looks at up to 100 nodes, or 10 %, from a random one on; here all are looked at, as it
does in clusters that small.

Source: pkg/scheduler/framework/preemption/preemption.go,
pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go and
pkg/scheduler/util/utils.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.pod import Pod

from .nodeinfo import NodeInfo
from .profile import Cycle, Snapshot, Verdict, filter_with_nominated, pre_filter
from .status import Code, unresolvable

_LARGEST_INT32 = 2**31 - 1
_NOT_STARTED = datetime.max.replace(tzinfo=UTC)
"""A pod that has not started counts as started just now: later than any that has."""


class Candidate(NamedTuple):
    """A node, and the pods that would have to go, the most important one first."""

    node: str
    victims: tuple[Pod, ...]
    violations: int


class Preemption(NamedTuple):
    """The outcome for a pod that fits on no node.

    ``ineligible`` says why the pod may not drive out others, "" if it may. ``potential`` are the
    nodes where removing pods may help; ``refused`` says of those of them that are no candidates
    why. ``chosen`` are the nodes of which the scheduler takes any: more than one only on a tie.
    """

    ineligible: str
    potential: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    refused: Mapping[str, Verdict]
    chosen: tuple[str, ...]


def priority(pod: Pod) -> int:
    """The pod's priority; 0 where admission has set none."""
    return pod.spec.priority or 0


def started(pod: Pod) -> datetime:
    """When the kubelet took the pod on."""
    time = pod.status.start_time
    return _NOT_STARTED if time is None else datetime.fromisoformat(time)


def by_importance(pods: Iterable[Pod]) -> list[Pod]:
    """The more important first: higher priority, then longer on the node (``MoreImportantPod``)."""
    return sorted(pods, key=lambda pod: (-priority(pod), started(pod)))


def preempt(
    pod: Pod,
    snapshot: Snapshot,
    verdicts: Mapping[str, Verdict],
    budgets: tuple[PodDisruptionBudget, ...] = (),
    *,
    cycle: Cycle | None = None,
    dry_run: Callable[[Cycle, NodeInfo], Candidate | Verdict] | None = None,
) -> Preemption:
    """What preemption would do for a pod that was rejected everywhere with these verdicts.

    ``cycle`` is the pod's, if it has begun; ``dry_run`` is what is asked of each node in the place
    of ``victims_on``, by somebody who remembers what that says.
    """
    potential = tuple(
        info for info in snapshot.nodes if verdicts[info.name].status.code is Code.UNSCHEDULABLE
    )
    names = tuple(info.name for info in potential)
    reason = ineligibility(pod, snapshot, verdicts)
    if reason:
        return Preemption(reason, names, (), {}, ())
    cycle = pre_filter(pod, snapshot) if cycle is None else cycle
    candidates: list[Candidate] = []
    refused: dict[str, Verdict] = {}
    for info in potential:
        found = (
            victims_on(cycle, info, snapshot.nominated, budgets)
            if dry_run is None
            else dry_run(cycle, info)
        )
        if isinstance(found, Candidate):
            candidates.append(found)
        else:
            refused[info.name] = found
    return Preemption("", names, tuple(candidates), refused, pick(candidates))


def ineligibility(pod: Pod, snapshot: Snapshot, verdicts: Mapping[str, Verdict]) -> str:
    """Why the pod may not drive out others, "" if it may (``PodEligibleToPreemptOthers``)."""
    if pod.spec.preemption_policy == "Never":
        return "not eligible due to preemptionPolicy=Never."
    promised = pod.status.nominated_node_name
    verdict = verdicts.get(promised)
    if not promised or (verdict and verdict.status.code is Code.UNRESOLVABLE):
        return ""
    on_it = (other for info in snapshot.nodes if info.name == promised for other in info.pods)
    if any(priority(other) < priority(pod) and _is_leaving_for_another(other) for other in on_it):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def _is_leaving_for_another(pod: Pod) -> bool:
    """Whether the pod is being deleted because the scheduler chose it as a victim."""
    if pod.metadata.deletion_timestamp is None:
        return False
    conditions = pod.status.conditions or ()
    target = next((c for c in conditions if c.type == "DisruptionTarget"), None)
    return (
        target is not None and target.status == "True" and target.reason == "PreemptionByScheduler"
    )


class _DryRun:
    """The node and the cycle as they become when pods leave and come back."""

    def __init__(self, cycle: Cycle, info: NodeInfo, nominated: tuple[Pod, ...]) -> None:
        self._cycle = cycle
        self._info = info
        self._nominated = nominated

    def remove(self, pod: Pod) -> None:
        """Take one pod off the node."""
        pods = list(self._info.pods)
        pods.remove(pod)
        self._info = NodeInfo(self._info.node, tuple(pods))
        self._cycle = self._cycle.without_pod(self._info, pod)

    def add(self, pod: Pod) -> None:
        """Put it back."""
        self._info = self._info.with_pods(pod)
        self._cycle = self._cycle.with_pod(self._info, pod)

    def verdict(self) -> Verdict:
        """Whether the incoming pod fits now."""
        return filter_with_nominated(self._cycle, self._info, self._nominated)


def victims_on(
    cycle: Cycle,
    info: NodeInfo,
    nominated: tuple[Pod, ...],
    budgets: tuple[PodDisruptionBudget, ...],
) -> Candidate | Verdict:
    """The dry run on one node: who would have to go, or why that would not help."""
    lower = [pod for pod in info.pods if priority(pod) < priority(cycle.pod)]
    if not lower:
        return Verdict(unresolvable("No preemption victims found for incoming pod"))
    run = _DryRun(cycle, info, nominated)
    for pod in lower:
        run.remove(pod)
    verdict = run.verdict()
    if not verdict.status.ok:
        return verdict
    victims: list[Pod] = []
    violations = 0
    violating, others = by_violation(by_importance(lower), budgets)
    for pod in (*violating, *others):
        run.add(pod)
        if not run.verdict().status.ok:
            run.remove(pod)
            victims.append(pod)
            violations += any(pod is other for other in violating)
    return Candidate(info.name, tuple(by_importance(victims)), violations)


def by_violation(
    pods: Iterable[Pod], budgets: tuple[PodDisruptionBudget, ...]
) -> tuple[list[Pod], list[Pod]]:
    """Those whose loss would violate a budget, and the others, if all went in this order."""
    allowed = [budget.status.disruptions_allowed for budget in budgets]
    violating: list[Pod] = []
    others: list[Pod] = []
    for pod in pods:
        covering = [i for i, budget in enumerate(budgets) if _covers(budget, pod)]
        for i in covering:
            allowed[i] -= 1
        (violating if any(allowed[i] < 0 for i in covering) else others).append(pod)
    return violating, others


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether the pod's loss counts; an empty selector selects none here, unlike in evictions."""
    selector, labels = budget.spec.selector, pod.metadata.label_map()
    if not labels or budget.metadata.namespace != pod.metadata.namespace:
        return False
    if selector is None or selector.is_empty() or not selector.matches(labels):
        return False
    return pod.metadata.name not in (budget.status.disrupted_pods or {})


def pick(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    """The nodes that do the least harm (``pickOneNodeForPreemption``), all that are equal in it."""
    best = list(candidates)
    for harm in _HARMS:
        least = min((harm(c) for c in best), default=None)
        best = [c for c in best if harm(c) == least]
    return tuple(c.node for c in best)


def _since(candidate: Candidate) -> float:
    """Since when the first of the most important victims has been running, later being less."""
    highest = priority(candidate.victims[0])
    first = min(started(pod) for pod in candidate.victims if priority(pod) == highest)
    return -first.timestamp()


_HARMS: tuple[Callable[[Candidate], float], ...] = (
    lambda c: c.violations,
    lambda c: priority(c.victims[0]),
    lambda c: sum(priority(pod) + _LARGEST_INT32 + 1 for pod in c.victims),
    lambda c: len(c.victims),
    _since,
)
"""What is compared, one after the other; the least wins."""
