"""Those who go by the slices hear of them later: what that changes, and what may become of a pod.

What one of them knows changes nothing for anybody else, so if any may lose a request, the one may
that has heard least; it stands for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.cluster.setting import Setting
from kubelemma.model.system import Outcome

from .fronts import Front
from .leaving import LEAVING, NOBODY, Entry, Leaving, left
from .route import Route
from .rules import followed, follows, stop_serving, write_slices


def listens(setting: Setting, route: Route) -> bool:
    """Whether a pod is followed that is reached by a way."""
    return follows(setting) and any(front.route == route for front in followed(setting))


def sends_to(front: Front, leaving: Leaving) -> bool:
    """Whether the pod may be chosen, beside others that are ready, or by its load balancer.

    That one sends to the node, whose kube-proxy has nobody else there, and takes the pod as the
    last resort.
    """
    return leaving.balancer or front.route.sends(Entry(leaving.heard))


def hear(found: Sequence[Front], route: Route, leaving: Leaving) -> Iterator[Outcome]:
    """It takes over what the slices say; a pod that it no longer sends to is followed no more."""
    if leaving == NOBODY or leaving.heard == leaving.slices:
        return
    front = found[leaving.front]
    if front.route == route:
        after = leaving._replace(heard=leaving.slices)
        writes = {LEAVING: after if sends_to(front, after) else NOBODY}
        yield Outcome(route.hears, writes, (("class", leaving.pod_class),), route.why)


def afterlife(front: Front, pod_class: int) -> Iterator[Leaving]:
    """All that may become of a Ready pod of this class once it is deleted."""
    first, found = left(0, pod_class), (front,)
    known, queue = {first}, [first]
    while queue:
        leaving = queue.pop()
        yield leaving
        steps = (
            write_slices(found, leaving),
            stop_serving(found, leaving),
            hear(found, front.route, leaving),
        )
        for outcomes in steps:
            after = {outcome.writes[LEAVING] for outcome in outcomes} - known
            known |= after
            queue += sorted(after)
