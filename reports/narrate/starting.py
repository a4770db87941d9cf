"""Pods whose containers wait to be started: what they need, and what is not there of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import UNSTARTED, Phase
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.kubelet.decision import (
    Need,
    Outlook,
    Source,
    StartTime,
    never_pulled,
    never_ready,
)
from kubelemma.model.components.kubelet.initialising import (
    ANSWERS,
    Awaited,
    services,
    unanswered,
)
from kubelemma.model.components.kubelet.starting import (
    IMAGE,
    Held,
    awaited,
    exists_name,
    followed,
    held,
    lacks,
    needs_of,
)
from kubelemma.reports.story import Fact, Hindrance
from kubelemma.reports.style import enumeration

from .scene import Belied, Claim, Scene, Seen, Standstill, about_workload


def named(scene: Scene) -> str:
    """The object that a step is about."""
    return str(dict(scene.step.outcome.arguments).get("object", ""))


@about_workload
def needed(scene: Scene, workload: Workload) -> Iterator[Fact]:
    """What the containers of a pod refer to."""
    if scene.pod_class is not None:
        for need in needs_of(scene.world, scene.pod_class):
            yield Fact("needed", str(need.source), scene.written.template(workload, need.path))


@about_workload
def impatience(scene: Scene, workload: Workload) -> Iterator[Fact]:
    """How long a probe waits for a container, and how long that takes."""
    found = _of(scene.before).get(scene.argument("class"))
    if found is None or found.judge is None:
        return
    probe, path = found.judge.probe, found.judge.path
    for name, value in (
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("periodSeconds", probe.period_seconds or 10),
        ("failureThreshold", probe.failure_threshold or 3),
    ):
        position = scene.written.template(workload, (*path, name), path)
        yield Fact(f"{name} of the {found.judge.what}", str(value), position)
    for each in scene.world.objects_of(StartTime):
        yield Fact("startSeconds", str(each.seconds))


def killed(belied: Belied) -> Iterator[Claim]:
    """That containers are killed before they have started."""
    for found in _of(belied.seen).values():
        if found.judge is not None and found.outlook is not Outlook.STARTS:
            seconds = next(each.seconds for each in belied.world.objects_of(StartTime))
            text = (
                f"containers take {seconds} s to start, and their {found.judge.what} waits for "
                f"{found.judge.patience[1]} s: they are killed again and again (CrashLoopBackOff)"
            )
            yield Claim(text, ())
            return


def unstarted(end: Standstill, place: Place) -> str:
    """Why the containers of a pod are not started."""
    lacking = _lacking(end.seen, place.pod_class)
    if lacking:
        need, text = lacking[0]
        return f"{need.reason}: {text}"
    found = _of(end.seen).get(place.pod_class)
    if found is None:
        return "nothing is missing"
    if waited := _waited(end.seen, place.pod_class):
        return waited[0].reason
    if found.never or not found.images:
        return found.never or "nothing is missing"
    node = end.world.shapes[end.seen.nodes()[place.node].shape].node
    nowhere = next((image for image in found.images if never_pulled(image, node)), None)
    if nowhere is not None:
        what = f'Container image "{nowhere.name}" is not present with pull policy of Never'
        return f"{NEVER_PULL}: {what}"
    return f"{IMAGE}: the registry cannot be reached"


NEVER_PULL = "ErrImageNeverPull"


def missing(end: Standstill, place: Place) -> Iterator[Fact]:
    """What a pod needs that is not there, and where it says so."""
    if place.phase not in UNSTARTED:
        return
    workload = end.world.workloads[end.world.classes[place.pod_class].workload]
    for need, text in _lacking(end.seen, place.pod_class):
        about = str(need.source) if "not found" in text else f"{need.keys[0]} of {need.source}"
        yield Fact(Hindrance.MISSING, about, end.written.template(workload, need.path))
    for each in _waited(end.seen, place.pod_class):
        position = end.written.template(workload, each.path)
        yield Fact(Hindrance.UNANSWERED, each.service, position)


def asked_in_vain(end: Standstill, place: Place) -> Iterator[Fact]:
    """The port that no container has and that a probe asks for, of a pod that is never Ready."""
    found = never_ready(end.world.classes[place.pod_class].pod)
    if found is not None and place.phase == Phase.STARTING:
        workload = end.world.workloads[end.world.classes[place.pod_class].workload]
        position = end.written.template(workload, found.path)
        yield Fact(Hindrance.UNASKED, f"{found.what}: {found.port}", position)


def begun(belied: Belied) -> Iterator[Claim]:
    """That containers were started for want of nothing but what is not there."""
    for index in _of(belied.before):
        for need, text in _lacking(belied.before, index):
            yield Claim(f"containers that need {need.source} are started: {text}", ())
            return


def too_early(belied: Belied) -> Iterator[Claim]:
    """That containers were started before their init containers had ended."""
    for index in _of(belied.before):
        for each in _waited(belied.before, index):
            yield Claim(f"containers are started all the same. {each.reason}", ())
            return


def left_waiting(belied: Belied) -> Iterator[Claim]:
    """Who waits though nothing is missing."""
    seen = belied.seen
    found = [
        belied.world.workloads[belied.world.classes[index].workload].label
        for index in _of(seen)
        if not _lacking(seen, index) and not _waited(seen, index)
    ]
    names = enumeration(dict.fromkeys(found))
    yield Claim(f"containers of {names} wait to be started, and nothing is missing", ())


def _of(seen: Seen) -> Mapping[int, Held]:
    return held(seen.world, seen.scenario.events)


def _waited(seen: Seen, pod_class: int) -> tuple[Awaited, ...]:
    """What the init containers of a class wait for in a state."""
    held_up = _of(seen)
    found = held_up.get(pod_class)
    if found is None or not found.awaits:
        return ()
    names = services(awaited(held_up))
    return tuple(unanswered(found.awaits, names, seen.summed(ANSWERS)))


def _lacking(seen: Seen, pod_class: int) -> tuple[tuple[Need, str], ...]:
    """What is not there in a state of what pods of a class need."""
    found = _of(seen).get(pod_class)
    if found is None:
        return ()
    exists: Mapping[Source, bool] = {
        source: bool(seen.value(exists_name(source)))
        for source in followed(seen.world, seen.scenario.events)
    }
    return tuple(lacks(seen.world, found, exists))
