"""The events of a scenario: from a Check document or flags to what the model knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.world import Behaviour
from kubelemma.model.manifests.check import Event as Given
from kubelemma.model.manifests.check import EventEntry, Faults, NodeCrash, Rollout, Scale
from kubelemma.model.objects.workloads import Deployment

NAMES = {
    "rollout": "rollout",
    "scale": "scale",
    "pause": "pause",
    "resume": "resume",
    "rollback": "rollback",
    "cordon": "cordon",
    "uncordon": "uncordon",
    "drain": "drain",
    "deletePod": "user-delete-pod",
    "nodeCrash": "node-crash",
    "nodeReturn": "node-return",
    "probeFailure": "probe-failure",
    "deleteServiceAccount": "delete-serviceaccount",
}


class Happenings(NamedTuple):
    """The events of one scenario, and the behaviour of each template of each workload."""

    events: tuple[Event, ...]
    behaviours: tuple[tuple[Behaviour, ...], ...]


def default_events(deployments: Sequence[Deployment]) -> tuple[EventEntry, ...]:
    """What is assumed where nothing is said: a rollout of each workload, and one node crash."""
    rollouts = (EventEntry(rollout=Rollout(deployment=d.metadata.name)) for d in deployments)
    return (*rollouts, EventEntry(node_crash=NodeCrash()))


def concerns(event: Given, deployment: Deployment) -> bool:
    """Whether the event names this Deployment, as NAME or NAMESPACE/NAME."""
    named = getattr(event, "deployment", "")
    metadata = deployment.metadata
    return named in (metadata.name, f"{metadata.namespace}/{metadata.name}")


def happenings(
    entries: Iterable[EventEntry], focus: Sequence[Deployment], faults: Faults
) -> Happenings:
    """The events that concern the workloads in focus, or no workload at all.

    All rollouts of a workload are one event with the sum of their budgets; its templates come in
    the order in which they are given.
    """
    behaviours = [[Behaviour.HEALTHY] for _ in focus]
    events: list[Event] = []
    for entry in entries:
        ((name, given),) = entry.given()
        targets = [i for i, d in enumerate(focus) if concerns(given, d)]
        if isinstance(given, Rollout):
            for i in targets:
                behaviours[i] += [Behaviour(given.new_version)] * given.max
        else:
            events.extend(_others(name, given, targets))
    rollouts = (
        Event("rollout", len(templates) - 1, workload=i)
        for i, templates in enumerate(behaviours)
        if len(templates) > 1
    )
    restarts = (
        [Event("controller-restart", faults.controller_restarts)]
        if faults.controller_restarts and focus
        else []
    )
    outages = [Event("api-server-outage", n)] if (n := faults.api_server_outages) else []
    evicting = any(event.action == "drain" for event in events)
    losses = [Event("lost-request", n)] if (n := faults.lost_requests) and evicting else []
    return Happenings(
        (*rollouts, *events, *restarts, *outages, *losses), tuple(tuple(b) for b in behaviours)
    )


def _others(name: str, given: Given, targets: list[int]) -> Iterator[Event]:
    action = NAMES[name]
    if not hasattr(given, "deployment"):
        node, options = getattr(given, "node", ""), getattr(given, "options", None)
        yield Event(action, given.max, node=node, options=options)
    for i in targets:
        value = given.replicas if isinstance(given, Scale) else 0
        yield Event(action, given.max, workload=i, value=value)
