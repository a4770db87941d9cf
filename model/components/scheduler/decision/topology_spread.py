"""Plugin PodTopologySpread: its constraints and its filter.

The law of the PreFilter state: it is ``state_of(constraints, total(c(node) for all nodes))`` with
``c(node) = contribution(constraints, pod, node)``. What one node adds does not depend on any other
node, so only the sums matter, and ``state_of`` derives the rest from them (the least domain, the
number of domains). ``pod_contribution`` is the difference that one pod more on a node makes.

Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go, filtering.go and plugin.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from kubelemma.model.objects.meta import LabelSelector, LabelSelectorRequirement
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod, TopologySpreadConstraint

from .node_affinity import matches_required
from .nodeinfo import NodeInfo
from .selectors import requires, selects
from .status import SUCCESS, Status, unresolvable, unschedulable
from .taints import has_untolerated_taint

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"

SYSTEM_DEFAULT_CONSTRAINTS = (
    TopologySpreadConstraint(
        max_skew=3, topology_key=HOSTNAME, when_unsatisfiable="ScheduleAnyway"
    ),
    TopologySpreadConstraint(max_skew=5, topology_key=ZONE, when_unsatisfiable="ScheduleAnyway"),
)
"""What applies to pods without constraints of their own that some Service or workload selects."""

Action = Literal["DoNotSchedule", "ScheduleAnyway"]


class Constraint(NamedTuple):
    """A constraint as the plugin works with it: defaults filled in, matchLabelKeys merged."""

    max_skew: int
    topology_key: str
    selector: LabelSelector | None
    min_domains: int
    honor_affinity: bool
    honor_taints: bool


Constraints = tuple[Constraint, ...]


class Defaults(NamedTuple):
    """Constraints for pods that have none, and the selector of whatever the pods belong to."""

    constraints: tuple[TopologySpreadConstraint, ...] = ()
    selector: LabelSelector | None = None


NO_DEFAULTS = Defaults()


def _parsed(raw: TopologySpreadConstraint, labels: Mapping[str, str]) -> Constraint:
    keys = (key for key in raw.match_label_keys or () if key in labels)
    more = (LabelSelectorRequirement(key=k, operator="In", values=(labels[k],)) for k in keys)
    return Constraint(
        max_skew=raw.max_skew,
        topology_key=raw.topology_key,
        selector=requires(raw.label_selector, *more),
        min_domains=1 if raw.min_domains is None else raw.min_domains,
        honor_affinity=raw.node_affinity_policy != "Ignore",
        honor_taints=raw.node_taints_policy == "Honor",
    )


def constraints_of(pod: Pod, action: Action, defaults: Defaults = NO_DEFAULTS) -> Constraints:
    """The constraints with that action: the pod's own if it has any at all, else the defaults.

    Defaults apply only where the selector they get has a requirement.
    """
    own = pod.spec.topology_spread_constraints
    labels = pod.metadata.label_map()
    if own:
        return tuple(_parsed(c, labels) for c in own if c.when_unsatisfiable == action)
    if defaults.selector is None or defaults.selector.is_empty():
        return ()
    return tuple(
        _parsed(c, labels)._replace(selector=defaults.selector)
        for c in defaults.constraints
        if c.when_unsatisfiable == action
    )


def has_all_keys(constraints: Constraints, labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels lies in a domain of every constraint."""
    return all(c.topology_key in labels for c in constraints)


def is_included(constraint: Constraint, pod: Pod, node: Node) -> bool:
    """Whether the node's domain counts for the constraint, by its node inclusion policies."""
    if constraint.honor_affinity and not matches_required(pod, node):
        return False
    return not (constraint.honor_taints and has_untolerated_taint(pod, node))


def matching_pods(constraint: Constraint, pod: Pod, pods: Iterable[Pod]) -> int:
    """How many of the pods are in the incoming pod's namespace, selected, and not terminating.

    A selector without requirements counts none here, although it matches the incoming pod itself.
    """
    selector = constraint.selector
    if selector is None or selector.is_empty():
        return 0
    return sum(
        other.metadata.deletion_timestamp is None
        and other.metadata.namespace == pod.metadata.namespace
        and selector.matches(other.metadata.label_map())
        for other in pods
    )


class Coordinate(NamedTuple):
    """A component of the state: of a constraint (by its index) in the domain with this value."""

    what: Literal["nodes", "pods"]
    constraint: int
    value: str


Contribution = dict[Coordinate, int]


def contribution(constraints: Constraints, pod: Pod, info: NodeInfo) -> Contribution:
    """What one node adds: for each constraint 1 to the nodes of its domain, and its matching pods.

    Nothing if the node lacks the key of any constraint, and nothing for a constraint whose
    policies exclude the node.
    """
    if not has_all_keys(constraints, info.labels):
        return {}
    parts: Contribution = {}
    for index, constraint in enumerate(constraints):
        if is_included(constraint, pod, info.node):
            value = info.labels[constraint.topology_key]
            parts[Coordinate("nodes", index, value)] = 1
            parts[Coordinate("pods", index, value)] = matching_pods(constraint, pod, info.pods)
    return parts


def pod_contribution(constraints: Constraints, pod: Pod, node: Node, other: Pod) -> Contribution:
    """What changes when ``other`` is tried on the node beside the pods there (AddPod, RemovePod).

    The scheduler counts here what it does not count on nodes as they are: a terminating pod, and
    any pod where the selector has no requirement. So taking such a pod away leaves a domain with
    one less than none.
    """
    labels = node.metadata.label_map()
    if other.metadata.namespace != pod.metadata.namespace or not has_all_keys(constraints, labels):
        return {}
    theirs = other.metadata.label_map()
    return {
        Coordinate("pods", index, labels[constraint.topology_key]): 1
        for index, constraint in enumerate(constraints)
        if selects(constraint.selector, theirs) and is_included(constraint, pod, node)
    }


class State(NamedTuple):
    """The PreFilter state: for each constraint the matching pods by domain, and the least of them.

    ``least`` is the global minimum that skew is measured from, 0 with too few domains.
    """

    matching: tuple[Mapping[str, int], ...]
    least: tuple[int, ...]


def state_of(constraints: Constraints, sums: Mapping[Coordinate, int]) -> State:
    """The PreFilter state from the sum of all nodes' contributions.

    A domain exists where a node stands for it.
    """
    matching: tuple[dict[str, int], ...] = tuple({} for _ in constraints)
    for what, index, value in sorted(sums):
        if what == "nodes":
            matching[index][value] = sums.get(Coordinate("pods", index, value), 0)
    return State(
        matching,
        tuple(
            0 if len(domains) < constraint.min_domains else min(domains.values(), default=0)
            for constraint, domains in zip(constraints, matching, strict=True)
        ),
    )


def filter_spread(
    constraints: Constraints, pod: Pod, labels: Mapping[str, str], state: State
) -> Status:
    """Whether a node with these labels may take the pod: no constraint's skew becomes too great.

    Constraints are looked at in their order, and the first that fails gives the answer. A domain
    that the state does not know counts as empty.
    """
    own = pod.metadata.label_map()
    for constraint, matching, least in zip(constraints, *state, strict=True):
        value = labels.get(constraint.topology_key)
        if value is None:
            return unresolvable(
                "node(s) didn't match pod topology spread constraints (missing required label)"
            )
        itself = selects(constraint.selector, own)
        if matching.get(value, 0) + itself - least > constraint.max_skew:
            return unschedulable("node(s) didn't match pod topology spread constraints")
    return SUCCESS
