"""What kubelets promise: KUB-*."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kubelemma.model.cluster.columns import PODS, SHOWN, UP, of_shown
from kubelemma.model.cluster.state import (
    ADMITTED,
    LEAVING,
    RUNNING,
    UNSTARTED,
    Phase,
    Pods,
    ShownNode,
    count,
)
from kubelemma.model.cluster.world import IN_VAIN, Behaviour, World
from kubelemma.model.components.kubelet.actions import (
    ADMIT,
    BECOME_AVAILABLE,
    BECOME_READY,
    END_POD,
    EVICT_SHORT,
    FINISH_TERMINATION,
    LATE_CLEANUP,
    REJECT,
    RESIZE,
    START,
)
from kubelemma.model.components.kubelet.decision import Outlook, Source
from kubelemma.model.components.kubelet.initialising import ANSWERS, services, unanswered
from kubelemma.model.components.kubelet.resizing import HELD, waiting
from kubelemma.model.components.kubelet.starting import (
    ENDED_AGAIN,
    REGISTRY,
    TIMED,
    WAITING,
    Held,
    any_registry,
    awaited,
    exists_name,
    followed,
    held,
    lacks,
    timed,
)
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always, Converges, EachStep, Formula, NeverStuck, StepPredicate
from .overcommitment import is_extended, overcommitted
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="KUB-1",
        title="What has ended stays so",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "No kubelet starts a pod again, or reports it Ready, whose phase is Succeeded or "
            "Failed."
        ),
        why="Whoever has seen a pod end has put another in its place.",
        conditions=(
            "Of pods of StatefulSets that were rejected, and of those that are cleaned up late "
            "(lateCleanup); others that have ended are not kept."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase; "
            "pkg/kubelet/status/status_manager.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-2",
        title="Ended is only what runs no more",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A pod that becomes Succeeded or Failed has no container left that runs: it never ran, "
            "or its kubelet has stopped it."
        ),
        why=(
            "Whoever has seen a pod end starts another in its place, with its name, its volumes or "
            "its part of the work."
        ),
        conditions=(
            "Of pods whose end is followed (KUB-1). What a machine that is cut off runs on was "
            "never reported to have ended; DEP-10 and STS-1 are about that."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase; "
            "pkg/kubelet/status/status_manager.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-3",
        title="No container before its init containers have ended",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "The containers of a pod that begins are started only once its init containers have "
            "ended: those that wait for a Service while somebody answers for it."
        ),
        why="What init containers prepare, the containers count on.",
        conditions=(
            "Asked where a scenario says that init containers wait (initWaits). A container that "
            "is restarted alone is so without them."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/workloads/pods/init-containers/; "
            "pkg/kubelet/kuberuntime/kuberuntime_container.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-4",
        title="Ready only what runs",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A pod becomes Ready only while its machine is up, and once its containers have been "
            "started, in a version whose containers become Ready at all."
        ),
        why="Ready pods get requests, and let a rollout go on.",
        conditions="Of all containers of a pod together, which are one here.",
        source=(
            "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions; "
            "pkg/kubelet/status/generate.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-5",
        title="What has ended is started again",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "No pod on a node that is up is left with containers that have ended, by themselves or "
            "as their machine restarted, although all is there that they need."
        ),
        why="A pod that is bound to a node is moved nowhere else: only its kubelet can start it.",
        conditions=(
            "Asked where something may keep containers from being started. Restarts come after a "
            "back-off of up to five minutes, of which the length does not count. Of versions that "
            "end for ever it is that nobody rests while one of them could be started."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy; "
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-6",
        title="A deleted pod goes from a machine that runs",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="In the end no pod is being deleted on a node that is up.",
        why="Its name, its volumes and its room are taken as long as it is there.",
        conditions=(
            "Where pods that terminate are followed. Containers end at the end of their grace "
            "period at the latest. Users and faults stop in the end."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination; "
            "pkg/kubelet/pod_workers.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-7",
        title="Admitted pods fit their node",
        kind=Kind.SAFETY,
        severity=Severity.CRITICAL,
        statement=(
            "The requests of all pods that a kubelet has admitted and not yet finished sum up to "
            "at most what the node has allocatable, in every resource and in number."
        ),
        why="Requests are guarantees; an overcommitted node cannot honour them.",
        conditions=(
            "Critical pods and static pods, which the kubelet admits all the same, are out; so are "
            "extended resources that the node does not list, which it does not look at."
        ),
        source="pkg/kubelet/lifecycle/predicate.go",
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-8",
        title="No container without its configuration",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "The containers of a pod are started only while every ConfigMap, Secret and key that "
            "they refer to, and that is not optional, is there."
        ),
        why="A program that starts without its configuration may do anything but its work.",
        conditions="As the kubelet finds them when it creates the containers.",
        source=(
            "https://kubernetes.io/docs/concepts/configuration/configmap/"
            "#configmaps-and-pods; pkg/kubelet/kubelet_pods.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-9",
        title="A pod that can start starts",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "In the end no pod on a node that is up waits for its first container to be started "
            "although all that they refer to is there, their images can be pulled, and nothing "
            "keeps their init containers."
        ),
        why="What was missing may come late; whoever waits for it has to notice.",
        conditions=(
            "Users and faults stop in the end. Where versions end for ever it is that nobody rests "
            "while one could be started."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase; "
            "pkg/kubelet/kubelet.go"
        ),
        components=("kubelet",),
        remediation="None on the user's side: this is an invariant of the kubelet itself.",
        defect_only=True,
    ),
    Statement(
        id="KUB-10",
        title="Nothing is restarted for ever for being slow",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "In the end no container is killed any more by a probe that does not wait for it to "
            "start."
        ),
        why=(
            "What is killed before it has started starts no faster the next time: it is in "
            "CrashLoopBackOff for ever, though nothing is wrong with it."
        ),
        conditions=(
            "Asked where the scenario says how long containers take to start (startSeconds), of "
            "those that have a startup or a liveness probe. Users and faults stop in the end."
        ),
        source=(
            "https://kubernetes.io/docs/tasks/configure-pod-container/"
            "configure-liveness-readiness-startup-probes/#define-startup-probes; "
            "pkg/kubelet/prober/worker.go"
        ),
        components=("kubelet",),
        remediation=(
            "Give the container a startupProbe that waits long enough (failureThreshold times "
            "periodSeconds), which holds back its liveness probe."
        ),
    ),
    Statement(
        id="KUB-11",
        title="Whom the scheduler binds the kubelet admits",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement="No pod that the scheduler has bound to a node is rejected there.",
        why=(
            "A rejected pod is Failed for good and is not rescheduled: who waits for it has to see "
            "that, and such pods are left behind."
        ),
        conditions=(
            "Asked where pods may have ended before their room is free (lateCleanup), or may be "
            "resized while others are bound. Pods whose template names their node are not bound by "
            "the scheduler."
        ),
        source="pkg/kubelet/kubelet_pods.go; pkg/scheduler/eventhandlers.go",
        components=("kubelet", "scheduler"),
        remediation=(
            "Leave room on nodes beside what is replaced there. A controller makes another pod for "
            "the one that is rejected; whoever makes pods alone has to do so, too."
        ),
    ),
    Statement(
        id="KUB-15",
        title="A resize is carried out",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="In the end no pod on a node that is up waits for a resize that was asked for.",
        why=(
            "Until then the pod has what it had, and what it asks for is kept from all others by "
            "the scheduler, unless its node could never hold it."
        ),
        conditions=(
            "Asked where a scenario has pods resized (resize). Users and faults stop in the end."
        ),
        source=(
            "https://kubernetes.io/docs/tasks/configure-pod-container/"
            "resize-container-resources/; pkg/kubelet/allocation/allocation_manager.go"
        ),
        components=("kubelet",),
        remediation=(
            "Leave room on nodes for what pods may grow to, or let the workload roll out a "
            "template that asks for it: a new pod goes where there is room."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of the kubelets of all nodes."""
    if scenario.world.classes:
        yield from asked(STATEMENTS, ALL_NODES, _formulas(scenario.world))
    kept = held(scenario.world, scenario.events)
    if kept:
        yield from asked(STATEMENTS, ALL_NODES, _of_starting(scenario, kept))
    if waiting(scenario.world):
        settled = Converges(View((UP, PODS)), _settled(waiting(scenario.world)))
        yield from asked(STATEMENTS, ALL_NODES, {"KUB-15": settled})
    if any(event.action in (LATE_CLEANUP, RESIZE) for event in scenario.events):
        admitted = EachStep(View((PODS,)), _admitted(scenario.world), frozenset({ADMIT, REJECT}))
        yield from asked(STATEMENTS, ALL_NODES, {"KUB-11": admitted})
    if timed(scenario.world):
        spared = Converges(View(reads=(TIMED,)), _spared)
        yield from asked(STATEMENTS, ALL_NODES, {"KUB-10": spared})


def _of_starting(scenario: Scenario, kept: Mapping[int, Held]) -> dict[str, Formula]:
    """The formulas about pods whose containers may have to wait."""
    world = scenario.world
    sources = tuple(followed(world, scenario.events))
    cells = tuple(map(exists_name, sources))
    registry = (REGISTRY,) if any_registry(world) else ()
    names = tuple(services(awaited(kept)))
    answers, first = (ANSWERS,) if names else (), len(cells) + len(registry)

    def there(index: int, exist: tuple[bool, ...]) -> bool:
        exists: Mapping[Source, bool] = dict(zip(sources, exist, strict=True))
        runs = world.classes[index].behaviour not in _NEVER_STARTED
        return runs and not any(lacks(world, kept[index], exists))

    def configured(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        (pods, *exist), (now, *_) = before, after
        begun = [index for index in kept if _unstarted(now, index) < _unstarted(pods, index)]
        return all(there(index, tuple(exist)) for index in begun) if begun else None

    def started(*seen: Any) -> bool:
        exist, (waiting, *known) = list(seen[:first]), seen[first:]
        if registry and not exist.pop():
            return True
        return not any(
            number and there(index, tuple(exist)) and ended(index, known)
            for index, number in zip(kept, waiting, strict=True)
        )

    def ended(index: int, known: Sequence[tuple[bool, ...]]) -> bool:
        return not known or not any(unanswered(kept[index].awaits, names, known[0]))

    def initialised(
        before: tuple[Pods, tuple[bool, ...]], _action: str, after: tuple[Any, ...]
    ) -> bool | None:
        (pods, known), (now, _) = before, after
        begun = [
            i for i, found in kept.items() if found.awaits and _created(now, i) < _created(pods, i)
        ]
        return all(ended(index, [known]) for index in begun) if begun else None

    ends = _in_the_end(world, kept)
    found: dict[str, Formula] = {
        "KUB-5": ends(View((*cells, *registry), (ENDED_AGAIN,)), started),
        "KUB-8": EachStep(View((PODS, *cells)), configured, frozenset({START})),
        "KUB-9": ends(View((*cells, *registry), (WAITING, *answers)), started),
    }
    if names:
        found["KUB-3"] = EachStep(View((PODS,), answers), initialised, frozenset({START}))
    return found


def _in_the_end(world: World, kept: Mapping[int, Held]) -> type[Converges | NeverStuck]:
    """How to ask whether what waits is started.

    Where containers of a class end again and again, some may wait at any time, and a kubelet that
    is busy with one of them starves others of another node (docs/model.md, fairness).
    """
    for_ever = any(
        world.classes[index].behaviour is Behaviour.CRASH_LOOPING
        or found.outlook is Outlook.IS_KILLED
        for index, found in kept.items()
    )
    return NeverStuck if for_ever else Converges


_NEVER_STARTED = (Behaviour.IMAGE_CANNOT_BE_PULLED, Behaviour.INIT_FAILS)


def _created(pods: Pods, pod_class: int) -> int:
    return count(pods, pod_class, (Phase.CREATING,))


def _admitted(world: World) -> StepPredicate:
    bound = tuple(found.index for found in world.classes if not found.node_name)

    def holds(before: tuple[Pods], action: str, after: tuple[Pods]) -> bool | None:
        waiting = [
            sum(count(pods, index, (Phase.ASSIGNED,)) for index in bound)
            for (pods,) in (before, after)
        ]
        return action == ADMIT if waiting[1] < waiting[0] else None

    return holds


def _spared(starting: tuple[int, ...]) -> bool:
    return not any(starting)


def _unstarted(pods: Pods, pod_class: int) -> int:
    return count(pods, pod_class, UNSTARTED)


def _formulas(world: World) -> dict[str, Formula]:
    """The formulas about all nodes, by property."""

    def admitted_fit(node: ShownNode) -> bool | None:
        if not any(Phase(g.phase) in ADMITTED for g in node.pods):
            return None
        listed = world.shapes[node.shape].node.status.allocatable or {}
        short = overcommitted(world, node, ADMITTED)
        return all(is_extended(name) and name not in listed for name in short)

    found: dict[str, Formula] = {
        "KUB-4": EachStep(View((UP, PODS)), _became_ready(world), frozenset({BECOME_READY})),
        "KUB-7": Always(View(SHOWN), of_shown(admitted_fit)),
    }
    if world.follows_terminating:
        found["KUB-1"] = EachStep(View((PODS,)), _stays_ended, _OF_LIFE)
        found["KUB-2"] = EachStep(View((PODS,)), _ended_for_good, _OF_ENDS)
        found["KUB-6"] = Converges(View((UP, PODS)), _none_leaving)
    return found


_OF_ENDS = frozenset({REJECT, END_POD, EVICT_SHORT, LATE_CLEANUP, FINISH_TERMINATION})
"""The steps by which a kubelet may report that a pod has ended."""

_OF_LIFE = frozenset({ADMIT, START, BECOME_READY, BECOME_AVAILABLE})
_ENDED = (Phase.FAILED, Phase.ENDED)
_READY = (Phase.READY, Phase.AVAILABLE)


def _stays_ended(before: tuple[Pods], _action: str, after: tuple[Pods]) -> bool | None:
    ended, still = (
        [(g.pod_class, g.phase, g.size, g.marks) for g in pods if g.phase in _ENDED]
        for (pods,) in (before, after)
    )
    return ended == still if ended else None


def _settled(classes: tuple[int, ...]) -> Callable[[bool, Pods], bool]:
    def holds(up: bool, pods: Pods) -> bool:  # noqa: FBT001 - a column's value
        return not (up and any(count(pods, index, HELD) for index in classes))

    return holds


def _ended_for_good(before: tuple[Pods], action: str, after: tuple[Pods]) -> bool | None:
    """Of a class of which more have ended, no more run, nor do as many as before.

    One that is rejected never ran; one that its kubelet ends is stopped and reported in one step.
    """
    (were,), (now,) = before, after
    classes = {group.pod_class for group in (*were, *now)}
    ended = [c for c in classes if count(now, c, _ENDED) > count(were, c, _ENDED)]
    if not ended:
        return None
    stopped = (Phase.ASSIGNED,) if action == REJECT else (*RUNNING, Phase.ASSIGNED)
    return all(
        count(now, c, stopped) < count(were, c, stopped)
        and count(now, c, (Phase.LINGERING,)) <= count(were, c, (Phase.LINGERING,))
        for c in ended
    )


def _none_leaving(up: bool, pods: Pods) -> bool:  # noqa: FBT001 - a column's value
    return not (up and any(Phase(group.phase) in LEAVING for group in pods))


def _became_ready(world: World) -> StepPredicate:
    def holds(before: tuple[bool, Pods], _action: str, after: tuple[bool, Pods]) -> bool | None:
        (up, were), (_, now) = before, after
        risen = [
            found
            for found in world.classes
            if count(now, found.index, _READY) > count(were, found.index, _READY)
        ]
        if not risen:
            return None
        return up and all(
            found.behaviour not in IN_VAIN
            and count(now, found.index, _RUN) < count(were, found.index, _RUN)
            for found in risen
        )

    return holds


_RUN = (Phase.STARTING,)
