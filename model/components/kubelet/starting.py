"""Pods whose containers may have to wait before they are started.

A kubelet starts containers once the ConfigMaps and Secrets that they refer to are there, and their
images; and kills what takes longer to start than its probes wait. Where all of that is sure to be
there, and nothing is killed, none of it is modelled: a pod that is admitted is taken to be
starting. Where it is not, the pod is in `Phase.CREATING` until it is there, and in
`Phase.RESTARTING` when containers that have run have to be started again. So is a pod that uses
claims, until all of its volumes are mounted (``volumes.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kubelemma.model.cluster.columns import PODS, SHAPE, UP
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import UNSTARTED, Phase, Pods, count, moved, without
from kubelemma.model.cluster.world import Behaviour, PodClass, World
from kubelemma.model.objects.configuration import ConfigMap, Secret
from kubelemma.model.objects.pod import Pod
from kubelemma.model.system import Cell, Outcome, Rule, Tally

from . import initialising
from .actions import (
    CREATE_CONFIG_MAP,
    CREATE_SECRET,
    DELETE_CONFIG_MAP,
    DELETE_SECRET,
    KILL,
    START,
)
from .decision import (
    CONFIG_MAP,
    NEVER,
    ROOT_CA,
    SECRET,
    Absent,
    Image,
    Judge,
    Kept,
    Need,
    Outlook,
    Source,
    StartTime,
    Unreliable,
    can_be_had,
    images_of,
    judges,
    lacking,
    listed,
    needs,
    never_pulled,
    never_ready,
    strictest,
)
from .initialising import ANSWERS, Waits

TIMED = "pods that a probe may kill while they start"
"""The tally of pods on nodes that are up whose containers start while a probe waits for them."""

REGISTRY = "registry answers"
"""The cell that says whether images can be pulled."""

WAITING = "pods whose containers are to be started"
"""The tally of pods on nodes that are up of which no container has been started yet, by class."""

ENDED_AGAIN = "pods whose containers are to be started again"
"""The same of those whose containers have run and ended."""

_DELETED = frozenset({DELETE_CONFIG_MAP, DELETE_SECRET})
_CREATED = frozenset({CREATE_CONFIG_MAP, CREATE_SECRET})


def exists_name(source: Source) -> str:
    """The name of the cell that says whether an object exists."""
    return f"{source} exists"


class Given(NamedTuple):
    """What is known of ConfigMaps and Secrets: the keys of those that there are, and who is not."""

    keys: Mapping[Source, frozenset[str]]
    absent: frozenset[Source]

    def is_absent(self, source: Source) -> bool:
        """Whether there is no such object at the start.

        One that was not given is taken to exist, unless somebody says that it does not, or all
        ConfigMaps of its namespace were given: that one is among them which is in every namespace.
        """
        if source in self.keys:
            return False
        whole = source.kind == CONFIG_MAP and source._replace(name=ROOT_CA) in self.keys
        return whole or source in self.absent

    def lacking(self, need: Need, *, exists: bool) -> str:
        """What is not there of what a pod needs; one of which nothing is known has all its keys."""
        if not exists:
            return lacking(need, None)
        return lacking(need, self.keys.get(need.source, frozenset(need.keys)))


def given_of(objects: Iterable[Any]) -> Given:
    """What there is of them among the objects of a scenario."""
    keys: dict[Source, frozenset[str]] = {}
    absent: set[Source] = set()
    for found in objects:
        if isinstance(found, ConfigMap | Secret):
            kind = CONFIG_MAP if isinstance(found, ConfigMap) else SECRET
            keys[Source(kind, found.metadata.namespace, found.metadata.name)] = found.keys()
        elif isinstance(found, Kept):
            keys[found.source] = found.keys
        elif isinstance(found, Absent):
            absent.add(found.source)
    return Given(keys, frozenset(absent - keys.keys()))


def kept(objects: Iterable[Any], pods: Iterable[Pod]) -> Iterator[Any]:
    """The objects of a scenario with no more of ConfigMaps and Secrets than its pods need."""
    every, keys = tuple(objects), dict[Source, set[str]]()
    for need in (need for pod in pods for need in needs(pod)):
        keys.setdefault(need.source, set()).update(need.keys)
        if need.source.kind == CONFIG_MAP:
            keys.setdefault(need.source._replace(name=ROOT_CA), set())
    for source, there in given_of(every).keys.items():
        if source in keys:
            yield Kept(source, there & keys[source])
    yield from (found for found in every if not isinstance(found, ConfigMap | Secret))


def needs_of(world: World, pod_class: PodClass) -> tuple[Need, ...]:
    """What pods of a class need, each once."""
    pod, namespace = pod_class.pod, world.workloads[pod_class.workload].namespace
    found = (need._replace(source=need.source._replace(namespace=namespace)) for need in needs(pod))
    return tuple({(need.source, need.keys, need.mounted): need for need in found}.values())


def named(events: Iterable[Event], actions: frozenset[str]) -> frozenset[Source]:
    """The objects that somebody may delete, or create."""
    return frozenset(event.options for event in events if event.action in actions)


def followed(world: World, events: Iterable[Event]) -> Mapping[Source, bool]:
    """The objects that may come or go and that some pod needs: whether they exist at first."""
    deleted, created = named(events, _DELETED), named(events, _CREATED)
    given = given_of(world.objects)
    wanted = {need.source for found in world.classes for need in needs_of(world, found)}
    return {
        source: not _is_missing(given, source, created - deleted)
        for source in sorted(wanted & (deleted | created))
    }


def _is_missing(given: Given, source: Source, awaited: frozenset[Source]) -> bool:
    """Of an object that somebody may create, and nobody delete, it is that it is not there yet."""
    return given.is_absent(source) or (source in awaited and source not in given.keys)


class Held(NamedTuple):
    """What may keep the containers of a class from being started.

    Attributes:
        needs: what it needs that may be missing at some time, or is.
        watched: the objects among them that may come or go.
        never: why they are never started, in the kubelet's words; empty where they may be.
        images: what has to be on the node, or to be pulled, where the registry may be away; else
            what nobody pulls and some node is known not to have.
        outlook, judge: what becomes of them once they are started, and the probe that decides.
        awaits: the Services that its init containers wait for.
    """

    needs: tuple[Need, ...]
    watched: tuple[Source, ...]
    never: str
    images: tuple[Image, ...]
    outlook: Outlook
    judge: Judge | None
    awaits: Waits = ()


NOTHING_BUT_VOLUMES = Held((), (), "", (), Outlook.STARTS, None)
"""What pods wait for that wait for nothing but their volumes."""

IMAGE = "ImagePullBackOff: the image cannot be pulled"
INIT = "Init:CrashLoopBackOff: an init container fails again and again"
_NEVER = {Behaviour.IMAGE_CANNOT_BE_PULLED: IMAGE, Behaviour.INIT_FAILS: INIT}
"""Why containers of a version are never started, whatever is there."""


def awaited(held_up: Mapping[int, Held]) -> tuple[Waits, ...]:
    """What the init containers of each class wait for."""
    return tuple(found.awaits for found in held_up.values())


def held(world: World, events: Iterable[Event]) -> Mapping[int, Held]:
    """What may keep containers from being started, by class; nothing of those that nothing can."""
    moving = followed(world, events)
    found = ((each.index, _held_of(world, moving, each)) for each in world.classes)
    return {index: each for index, each in found if each is not None}


def _held_of(world: World, moving: Mapping[Source, bool], pod_class: PodClass) -> Held | None:
    given, wanted = given_of(world.objects), needs_of(world, pod_class)
    moves = tuple(source for source in moving if any(source == n.source for n in wanted))
    lacks = [
        f"{need.reason}: {text}"
        for need in wanted
        if (text := given.lacking(need, exists=_ever(given, moving, need.source)))
    ]
    never = next(iter(lacks), _NEVER.get(pod_class.behaviour, ""))
    seconds = next((each.seconds for each in world.objects_of(StartTime)), 0)
    outlook, judge = strictest(pod_class.pod, seconds)
    wants = _wanted(world, pod_class)
    awaits = initialising.awaited(world, pod_class)
    if not (moves or never or wants or awaits) and outlook is Outlook.STARTS:
        return None
    return Held(wanted, moves, never, wants, outlook, judge, awaits)


def _wanted(world: World, pod_class: PodClass) -> tuple[Image, ...]:
    """The images of a class that may have to be waited for."""
    images = tuple(images_of(pod_class.pod))
    if any_registry(world):
        return images
    return tuple(
        image for image in images if any(never_pulled(image, s.node) for s in world.shapes)
    )


def _ever(given: Given, moving: Mapping[Source, bool], source: Source) -> bool:
    return source in moving or not given.is_absent(source)


def cells(world: World, moving: Mapping[Source, bool]) -> tuple[Cell, ...]:
    """Whether each of the objects exists, and the registry answers, where it may be away."""
    exist = (Cell(exists_name(source), there, bool) for source, there in moving.items())
    return (*exist, *([Cell(REGISTRY, initial=True, holds=bool)] * any_registry(world)))


def any_registry(world: World) -> bool:
    """Whether the registry may be away."""
    return bool(world.objects_of(Unreliable))


def present(world: World, shape: int, pods: Pods) -> frozenset[str]:
    """The images on a node: those that it lists, and those of pods that have been started there.

    What was pulled for pods that are gone may have been collected.
    """
    listed = world.shapes[shape].node.status.images or ()
    ran = {g.pod_class for g in pods if g.phase not in _WITHOUT_IMAGES}
    used = (image.name for index in ran for image in images_of(world.classes[index].pod))
    return frozenset((*(name for each in listed for name in each.names or ()), *used))


def has(world: World, shape: int, image: Image, here: frozenset[str], *, registry: bool) -> bool:
    """Whether a node has an image, or can have it pulled.

    Of one that nobody pulls it is taken to have it if its Node does not say what it has.
    """
    if image.policy == NEVER and listed(world.shapes[shape].node) is None:
        return True
    return can_be_had(image, here, registry=registry)


_WITHOUT_IMAGES = (Phase.ASSIGNED, Phase.REVOKED, Phase.CREATING)


def timed(world: World) -> tuple[int, ...]:
    """The classes of pods that start by themselves and that a probe may kill while they do.

    None where nobody says how long they take.
    """
    if not world.objects_of(StartTime):
        return ()
    return tuple(
        found.index
        for found in world.classes
        if found.behaviour is Behaviour.HEALTHY and any(judges(found.pod))
    )


def tallies(world: World, held_up: Mapping[int, Held]) -> Iterator[Tally]:
    """What is summed up of pods that are held up."""
    if held_up:
        yield waiting(world, WAITING, held_up, Phase.CREATING)
        yield waiting(world, ENDED_AGAIN, held_up, Phase.RESTARTING)
        yield from initialising.tallies(awaited(held_up))
    slow = timed(world)
    if slow:

        def measure(up: bool, pods: Pods) -> tuple[int]:  # noqa: FBT001 - a column's value
            return (up * sum(count(pods, index, (Phase.STARTING,)) for index in slow),)

        yield Tally(TIMED, {(UP, PODS): measure}, 1, each=PODS)


def waiting(world: World, name: str, held_up: Mapping[int, Held], phase: Phase) -> Tally:
    """The tally of pods in a phase in which their containers have yet to be started.

    Not of those of which the node does not have an image that nobody pulls.
    """
    classes = tuple(held_up)

    def measure(up: bool, pods: Pods) -> tuple[int, ...]:  # noqa: FBT001 - a column's value
        return tuple(up * count(pods, index, (phase,)) for index in classes)

    def having(up: bool, pods: Pods, shape: int) -> tuple[int, ...]:  # noqa: FBT001 - the same
        node, there = world.shapes[shape].node, measure(up, pods)
        return tuple(
            0 if any(never_pulled(image, node) for image in found.images) else number
            for found, number in zip(held_up.values(), there, strict=True)
        )

    nowhere = any(i.policy == NEVER for found in held_up.values() for i in found.images)
    if nowhere:
        return Tally(name, {(UP, PODS, SHAPE): having}, len(classes), each=PODS)
    return Tally(name, {(UP, PODS): measure}, len(classes), each=PODS)


def rule(
    world: World,
    pod_class: PodClass,
    name: str,
    actor: str,
    held_up: Mapping[int, Held],
) -> Iterator[Rule]:
    """The rule by which containers are started, where they ever are.

    Where the registry may be away, what else is on the node decides: who has brought an image.
    Where init containers wait, they do so in pods that are created, or whose machine has booted;
    containers that have ended by themselves are started again without them.
    """
    found = held_up[pod_class.index]
    if found.never:
        return
    services = tuple(initialising.services(awaited(held_up)))
    reads = (ANSWERS,) if found.awaits else ()

    missed = "all that its containers refer to is there"
    first = missed if found.needs else "nothing keeps its containers from being started"
    if found == NOTHING_BUT_VOLUMES:
        first = "all its volumes are mounted"
    if found.awaits:
        first = "somebody answers for what its init containers wait for, so these have ended"

    def outcomes(up: bool, pods: Pods, *seen: Any) -> Iterator[Outcome]:  # noqa: FBT001
        there = seen[: len(found.watched)]
        ended = not found.awaits or initialising.answered(found.awaits, services, seen[-1])
        phases = UNSTARTED if ended else (Phase.RESTARTING,)
        for group in pods:
            waits = group.pod_class == pod_class.index and group.phase in phases
            if up and waits and can_start(there):
                about = (("class", pod_class.index),)
                again = group.phase == Phase.RESTARTING
                why = "its containers are started again, after a back-off" if again else first
                yield Outcome(START, {PODS: moved(pods, group, Phase.STARTING)}, about, why)

    registry = (REGISTRY,) if any_registry(world) else ()

    def pulling(
        up: bool,  # noqa: FBT001 - a column's value
        pods: Pods,
        shape: int,
        *seen: Any,
    ) -> Iterator[Outcome]:
        answers, others = seen[: len(registry)], seen[len(registry) :]
        here = present(world, shape, pods)
        if all(has(world, shape, image, here, registry=all(answers)) for image in found.images):
            yield from outcomes(up, pods, *others)

    exist = tuple(map(exists_name, found.watched))
    if found.images:
        cells = (UP, PODS, SHAPE, *registry, *exist)
        yield Rule(name, actor, cells, pulling, reads, writes=(PODS,))
    else:
        cells = (UP, PODS, *exist)
        yield Rule(name, actor, cells, outcomes, reads, writes=(PODS,), each=PODS)


def kill_rule(pod_class: PodClass, name: str, actor: str, found: Held) -> Iterator[Rule]:
    """The rule by which a probe kills containers that take too long to start.

    Where that hangs on when the probe is asked it is a chance, which nobody has to take.
    """
    if found.judge is None or found.outlook is Outlook.STARTS:
        return
    earliest, certain = found.judge.patience
    after = f"{certain} s" if found.outlook is Outlook.IS_KILLED else f"{earliest} to {certain} s"
    why = f"its {found.judge.what} has failed for {after}, and it takes longer to start"
    ends = pod_class.pod.spec.restart_policy == "Never"

    def outcomes(up: bool, pods: Pods) -> Iterator[Outcome]:  # noqa: FBT001 - a column's value
        for group in pods:
            if up and (group.pod_class, group.phase) == (pod_class.index, Phase.STARTING):
                left = without(pods, group) if ends else moved(pods, group, Phase.RESTARTING)
                yield Outcome(KILL, {PODS: left}, (("class", pod_class.index),), why)

    chance = found.outlook is Outlook.MAY_START
    yield Rule(name, actor, (UP, PODS), outcomes, environment=chance, writes=(PODS,), each=PODS)


def can_start(there: tuple[bool, ...]) -> bool:
    """Whether all is there that may come or go."""
    return all(there)


def booted(held_up: Mapping[int, Held], pods: Pods) -> Pods:
    """The pods of a machine that boots: all containers start anew, so none of them is Ready.

    Where init containers wait they run first, and the pod is Pending again.
    """
    after = pods
    for group in pods:
        found = held_up.get(group.pod_class)
        ran: tuple[Phase, ...] = (Phase.READY, Phase.AVAILABLE)
        first = Phase.STARTING
        if found is not None:
            waits = bool(found.awaits)
            ran = (*ran, Phase.STARTING, *((Phase.RESTARTING,) if waits else ()))
            first = Phase.CREATING if waits else Phase.RESTARTING
        if group.phase in ran:
            for _ in range(group.size):
                after = moved(after, group, first)
    return after


def lacks(world: World, found: Held, exists: Mapping[Source, bool]) -> Iterator[tuple[Need, str]]:
    """What is not there of what a class needs, as of a state, with the kubelet's words for it."""
    given = given_of(world.objects)
    for need in found.needs:
        there = exists.get(need.source, not given.is_absent(need.source))
        if text := given.lacking(need, exists=there):
            yield need, text


def assumes(world: World, events: Iterable[Event]) -> Iterator[str]:
    """What is taken for granted of ConfigMaps and Secrets."""
    given, moving = given_of(world.objects), followed(world, events)
    wanted = dict.fromkeys(n.source for c in world.classes for n in needs_of(world, c))
    taken = [s for s in wanted if s not in given.keys and moving.get(s, not given.is_absent(s))]
    if taken:
        yield (
            f"taken to exist, with all that is asked of them, though not among what was given: "
            f"{', '.join(map(str, taken))} (a scenario says in missing which are not there)"
        )
    yield from initialising.assumes(world)
    for pod_class in world.classes:
        unasked = never_ready(pod_class.pod)
        if unasked is not None and pod_class.behaviour is Behaviour.PROBE_ERRS:
            crowd = world.workloads[pod_class.workload].crowd(pod_class.index)
            yield f"pods of {crowd} are never Ready, not at the start either: {unasked.reason}"
    times = [each.seconds for each in world.objects_of(StartTime)]
    if times:
        yield f"containers take {times[0]} s from their start until probes find them working"
    for pod_class in world.classes:
        kept = _held_of(world, moving, pod_class)
        if kept is not None and kept.never and kept.never not in _NEVER.values():
            owner = world.workloads[pod_class.workload]
            yield f"containers of {owner.crowd(pod_class.index)} are not started: {kept.never}"
