"""The kube-proxies: each hears of the slices when it does, and sends traffic by what it has heard.

One stands for all: the one that has heard least of the pod that is followed. What a proxy knows
changes nothing for anybody else, so if any may lose a request, this one may.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Entry, Leaving, left
from kubelemma.model.components.endpointslice.rules import (
    Front,
    follows,
    stop_serving,
    write_slices,
)
from kubelemma.model.system import Outcome, Rule

from .actions import ACTIONS, HEAR_OF_ENDPOINTS
from .decision import Endpoint, Policy, categorize

KUBE_PROXY = "kube-proxy"


def sends_to(leaving: Leaving) -> bool:
    """Whether the proxy may choose the pod, beside others that are ready."""
    own = Endpoint(
        "leaving",
        ready=leaving.proxies == Entry.READY,
        serving=leaving.proxies != Entry.ABSENT,
        terminating=leaving.proxies != Entry.ABSENT,
    )
    other = Endpoint("another", ready=True, serving=True, terminating=False)
    return own in categorize((own, other), Policy()).reachable


def reached(leaving: Leaving) -> bool:
    """Whether new connections may come to the pod: from its proxies, or from its load balancer.

    The balancer sends to the node, whose kube-proxy has nobody else there, and takes the pod as the
    last resort.
    """
    return leaving.balancer or sends_to(leaving)


def hear(leaving: Leaving) -> Iterator[Outcome]:
    """It takes over what the slices say; a pod that it no longer sends to is followed no more."""
    if leaving.proxies == leaving.slices:
        return
    after = leaving._replace(proxies=leaving.slices)
    writes = {LEAVING: after if reached(after) else NOBODY}
    why = "its watch shows the slices as they are now"
    yield Outcome(HEAR_OF_ENDPOINTS, writes, (("class", leaving.pod_class),), why)


def afterlife(front: Front, pod_class: int) -> Iterator[Leaving]:
    """All that may become of a Ready pod of this class once it is deleted."""
    first, found = left(0, pod_class), (front,)
    known, queue = {first}, [first]
    while queue:
        leaving = queue.pop()
        yield leaving
        steps = (write_slices(found, leaving), stop_serving(found, leaving), hear(leaving))
        for outcomes in steps:
            after = {outcome.writes[LEAVING] for outcome in outcomes} - known
            known |= after
            queue += sorted(after)


def _parts(setting: Setting) -> Parts:
    if not follows(setting):
        return NO_PARTS
    return Parts(rules=(Rule("hear of EndpointSlices", KUBE_PROXY, (LEAVING,), hear),))


COMPONENT = Component(
    name="kubeproxy",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
)
