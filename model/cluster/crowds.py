"""The pods of a workload, as they are counted for whoever looks at them from outside."""

from __future__ import annotations

from collections.abc import Callable

from kubelemma.model.system import Named, Tally

from .columns import AILS, CUT_OFF, PODS, UP
from .state import (
    ACTIVE,
    EXISTING,
    IN_API,
    STARTED,
    Ailment,
    Counts,
    Phase,
    Pods,
    Queue,
    Specs,
    count,
)
from .world import Workload, World


def counts(world: World, workload: Workload) -> tuple[Tally, ...]:
    """Active, existing and available pods by template; the first two may be the same.

    They include those that have no node.
    """
    phases = {world.existing(workload): EXISTING, workload.tally("active"): ACTIVE}
    available = _counter(workload, (Phase.AVAILABLE,))
    return (
        *(
            Tally(
                name,
                {workload.queue: _waiting(workload), PODS: _counter(workload, phases)},
                workload.templates,
                each=PODS,
            )
            for name, phases in phases.items()
        ),
        Tally(workload.tally("available"), {PODS: available}, workload.templates, each=PODS),
    )


def serving(workload: Workload) -> Tally:
    """The available pods of each template whose machine can be reached, whatever the API shows.

    Containers run on where their kubelet reports that it cannot work.
    """
    available = _counter(workload, (Phase.AVAILABLE,))

    def measure(up: bool, ails: Ailment, pods: Pods) -> Counts:  # noqa: FBT001 - a column's value
        return available(pods if up or ails else ())

    measures: dict[Named, Callable[..., Counts]] = {(UP, AILS, PODS): measure}
    return Tally(workload.tally("serving"), measures, workload.templates, each=PODS)


def running(workload: Workload) -> Tally:
    """How many of its pods have containers that run, whatever the API shows of them."""

    def measure(up: bool, cut_off: bool, pods: Pods) -> tuple[int]:  # noqa: FBT001 - of columns
        own = (count(pods, pod_class, STARTED) for pod_class in workload.classes)
        return ((up or cut_off) * sum(own),)

    return Tally(workload.tally("running"), {(UP, CUT_OFF, PODS): measure}, 1, each=PODS)


def read_specs(total: Counts) -> Specs:
    """What the tally ``specs`` comes to: replicas, template, paused, and sizes by template."""
    replicas, template, paused, *sets = total
    return Specs(replicas, template, bool(paused), tuple(sets))


def by_class(workload: Workload) -> Tally:
    """The pods that there are of each class, with those that terminate."""

    def on_node(pods: Pods) -> Counts:
        return tuple(count(pods, pod_class, IN_API) for pod_class in workload.classes)

    measures: dict[Named, Callable[..., Counts]] = {
        workload.queue: lambda queue: queue.waiting,
        PODS: on_node,
    }
    return Tally(workload.tally("pods by class"), measures, len(workload.classes), each=PODS)


def _waiting(workload: Workload) -> Callable[[Queue], Counts]:
    if not workload.others and not workload.ordinals:
        return lambda queue: queue.waiting
    slots = [workload.slots(template) for template in range(workload.templates)]

    def measure(queue: Queue) -> Counts:
        waiting = queue.waiting
        return tuple(sum(waiting[slot] for slot in own) for own in slots)

    return measure


def _counter(workload: Workload, phases: tuple[Phase, ...]) -> Callable[[Pods], Counts]:
    templates = range(workload.templates)
    template_of = {c: template for template in templates for c in workload.members(template)}

    def measure(pods: Pods) -> Counts:
        counts = [0] * len(templates)
        for group in pods:
            if group.pod_class in template_of and group.phase in phases:
                counts[template_of[group.pod_class]] += group.size
        return tuple(counts)

    return measure
