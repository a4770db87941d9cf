"""Small scenarios of one Deployment with budgets, for the tests of how components are wired."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

import yaml

from kubelemma.model.cluster.setting import Choices
from kubelemma.model.cluster.state import Marks, NodeState
from kubelemma.model.cluster.world import NODES
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.system import State, Transition
from kubelemma.properties.select import properties_for
from kubelemma.question import STDIN, Question, ask
from kubelemma.solver.compiled import check
from kubelemma.solver.limits import Limits

Raw = dict[str, Any]

LABELS = {"app": "web"}


def scenario(
    *,
    replicas: int = 2,
    nodes: int = 2,
    events: Iterable[Raw] = ({"drain": {}},),
    budgets: Iterable[Raw] = (),
    spec: Raw | None = None,
    beside: Iterable[Raw] = (),
    faults: Raw | None = None,
    every_write: bool = False,
) -> Scenario:
    """The Deployment ``web`` in a cluster of so many nodes, and each budget's spec as one of it.

    Of several starts it is the first.

    With ``every_write`` as for recorded runs.
    """
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER], **(spec or {})}}
    selector = {"matchLabels": LABELS}
    documents = [
        kind(
            "apps/v1", "Deployment", "web", replicas=replicas, selector=selector, template=template
        ),
        *(
            kind("policy/v1", "PodDisruptionBudget", f"web-{i}", **{"selector": selector, **budget})
            for i, budget in enumerate(budgets)
        ),
        kind(
            "kubelemma.dev/v1alpha1",
            "Check",
            "small",
            cluster={"nodes": [{"count": nodes, "allocatable": {"cpu": "4"}}]},
            events=list(events),
            **({"faults": faults} if faults else {}),
        ),
        *beside,
    ]
    case, *_ = ask(Question(paths=(STDIN,), stdin=yaml.safe_dump_all(documents))).cases
    found = case.scenario
    if every_write:
        world, start, events, choices, custom = found.recipe
        recipe = (world, start, events, replace(cast("Choices", choices), every_write=True), custom)
        system = assemble(*cast("tuple[Any, ...]", recipe))
        return replace(found, recipe=recipe, system=system)
    return found


CONTAINER: Raw = {"name": "web", "image": "web:1"}


def kind(version: str, name: str, own: str, **spec: object) -> Raw:
    """An object of a kind."""
    return {"apiVersion": version, "kind": name, "metadata": {"name": own}, "spec": spec}


def standing(own: str, node: str, owner: str = "", labels: Raw | None = None, **spec: Any) -> Raw:
    """A pod that stands by on a node; ``owner`` is the kind of what controls it, if anything."""
    metadata: Raw = {"name": own, "labels": labels or {"app": own}}
    if owner:
        reference = {"apiVersion": "apps/v1", "kind": owner, "name": own, "uid": own}
        metadata["ownerReferences"] = [{**reference, "controller": True}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": node, "containers": [CONTAINER], **spec},
        "status": {"phase": "Running"},
    }


MOST = 6_000


def reachable(found: Scenario) -> list[State]:
    """Its states, those that need the fewest steps first, and not too many of them."""
    seen = dict.fromkeys([found.system.initial])
    waiting = deque(seen)
    while waiting and len(seen) < MOST:
        state = waiting.popleft()
        for step in found.system.successors(state):
            if step.state not in seen:
                seen[step.state] = None
                waiting.append(step.state)
    return list(seen)


def steps(found: Scenario, *actions: str) -> Iterator[tuple[State, Transition]]:
    """Where one of these actions is possible, and the step."""
    for state in reachable(found):
        for step in found.system.successors(state):
            if step.outcome.action in actions:
                yield state, step


def nodes_of(found: Scenario, state: State) -> list[NodeState]:
    """The nodes in a state."""
    return [state[position] for position in found.system.positions[NODES]]


def listed(found: Scenario, state: State) -> int:
    """How many pods drains are yet to remove."""
    return marked(found, state, Marks.LISTED)


def marked(found: Scenario, state: State, mark: Marks) -> int:
    """How many pods are marked so."""
    groups = (group for node in nodes_of(found, state) for group in node.pods)
    return sum(group.size for group in groups if group.marks & mark)


def verdicts(found: Scenario, *identifiers: str) -> dict[str, str]:
    """What is found out about properties of it."""
    asked = properties_for(found, list(identifiers))
    result = check(found.system, asked, Limits())
    return {each.property.id: each.verdict.value for each in result.properties}
