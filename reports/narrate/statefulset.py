"""StatefulSets and their controller, as stories, pictures and state graphs tell of them."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.owners import revision_hash
from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import Phase, StatefulSetState
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.statefulset.actions import (
    COLLECT_CLAIM,
    CONDEMN_CLAIM,
    CREATE_CLAIM,
    CREATE_POD,
    DECIDE_PODS,
    DELETE_POD,
    DELETE_REVISION,
    FAIL_CREATE,
    FIND_GONE,
    KEEP_CLAIM,
    NUMBER_REVISION,
    WRITE_STATUS,
)
from kubelemma.model.components.statefulset.keys import (
    IDLE,
    STATEFULSET,
    Aim,
    Pods,
    SetSync,
    Shown,
    pods_name,
    running_name,
    sync_name,
)
from kubelemma.model.components.statefulset.rules import sync_now
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import WorkloadBox
from kubelemma.reports.story import Change, Fact, Idle
from kubelemma.reports.style import enumeration, plural

from .cast import Cast
from .differing import NONE, differing
from .names import full_name, workload_name
from .phases import STATUSES
from .scene import Belied, Claim, Scene, Seen, Standstill, about_workload
from .teller import Boxes, Teller, Waits
from .volumes import stored_in
from .written import Written

_SHOWN = {
    Shown.PENDING: "Pending",
    Shown.UNREADY: "not Ready",
    Shown.READY: "Ready, not yet for minReadySeconds",
    Shown.AVAILABLE: "available",
    Shown.TERMINATING: "terminating",
    Shown.FAILED: "Failed",
}
_DOES = {
    Aim.MISSING: "create",
    Aim.ENDED: "delete",
    Aim.SCALE_DOWN: "delete",
    Aim.ROLL_OUT: "delete",
}
_FOR = {
    Aim.MISSING: "",
    Aim.ENDED: ", which has ended",
    Aim.SCALE_DOWN: " for the scale-down",
    Aim.ROLL_OUT: " for the rolling update",
}


def _sets(seen: Seen) -> Iterator[tuple[Workload, StatefulSetState]]:
    """The StatefulSets with what the API has of each."""
    for workload in seen.world.owners:
        state = seen.owner(workload)
        if isinstance(state, StatefulSetState):
            yield workload, state


def _pods(seen: Seen, workload: Workload) -> Pods:
    found: Pods = seen.summed(pods_name(workload))
    return found


def _sync(seen: Seen, workload: Workload) -> SetSync:
    found: SetSync = seen.value(sync_name(workload))
    return found


def pod_of(seen: Seen, workload: Workload, ordinal: int) -> str:
    """What the pod with this ordinal is called."""
    return f"{workload_name(seen.world, workload)}-{ordinal}"


def revision_of(seen: Seen, workload: Workload, template: int) -> str:
    """What a ControllerRevision is called."""
    return f"{workload_name(seen.world, workload)}-{revision_hash(template)}"


# What a step does


def _plan(scene: Scene) -> str:
    """What a sync has decided on."""
    found = scene.workload
    if found is None:
        return "nothing"
    sync = _sync(scene.after, found)
    if not sync.writes:
        return "report that all pods are of the update revision"
    return "; ".join(_writes(scene.after, found, sync))


def _condemned(scene: Scene) -> str:
    """The claims that pods come to own in a step."""
    claims, then, now = stock_of(scene.world).claims, scene.before, scene.after
    pairs = zip(claims, stored_in(then).claims, stored_in(now).claims, strict=True)
    return enumeration([c.cell for c, was, is_ in pairs if is_.condemned and not was.condemned])


def _writes(seen: Seen, workload: Workload, sync: SetSync) -> Iterator[str]:
    for write in sync.writes:
        aim, name = Aim(write.aim), pod_of(seen, workload, write.ordinal)
        of = f" of {revision_of(seen, workload, write.template)}" if aim is Aim.MISSING else ""
        yield f"{_DOES[aim]} {name}{of}{_FOR[aim]}"


def _member(scene: Scene) -> str:
    pod_class, workload = scene.pod_class, scene.workload
    if pod_class is None or workload is None:
        return "a pod"
    return pod_of(scene.before, workload, pod_class.ordinal)


def _revision(scene: Scene) -> str:
    workload = scene.workload
    return revision_of(scene.before, workload, scene.template) if workload else "a revision"


@about_workload
def _read(scene: Scene, workload: Workload) -> Iterator[Fact]:
    """The set and its pods, as the sync reads them."""
    state = scene.before.owner(workload)
    if not isinstance(state, StatefulSetState):
        return
    yield Fact("spec.replicas", str(state.replicas), scene.written.at(workload, "spec", "replicas"))
    yield Fact("update revision", revision_of(scene.before, workload, state.template))
    if state.current != state.template:
        yield Fact("current revision", revision_of(scene.before, workload, state.current))
    yield from _members(scene.before, workload)


def _members(seen: Seen, workload: Workload) -> Iterator[Fact]:
    for pod in _pods(seen, workload):
        name = pod_of(seen, workload, pod.ordinal)
        yield Fact(name, f"{_SHOWN[pod.shown]}, {revision_of(seen, workload, pod.template)}")


@about_workload
def _left(scene: Scene, workload: Workload) -> Iterator[Fact]:
    """What the sync had decided on, and the pods as they are by now."""
    sync = _sync(scene.before, workload)
    yield Fact("its sync has yet to", "; ".join(_writes(scene.before, workload, sync)) or NONE)
    yield from _members(scene.before, workload)


@about_workload
def _counted(scene: Scene, workload: Workload) -> Iterator[Fact]:
    state = scene.before.owner(workload)
    if isinstance(state, StatefulSetState):
        yield Fact("current revision so far", revision_of(scene.before, workload, state.current))
    yield from _members(scene.before, workload)


# What a step changes


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    new = dict(_by_cell(after))
    for workload, old in _sets(before):
        now = new[workload.cell]
        if old.absent or now.absent:
            if old.absent != now.absent:
                size = [NONE if s.absent else str(s.replicas) for s in (old, now)]
                yield Change(workload.cell, "spec.replicas", *size)
            continue
        fields = (
            ("spec.replicas", old.replicas, now.replicas),
            ("spec.template", revision_hash(old.template), revision_hash(now.template)),
            (
                "status.currentRevision",
                revision_of(before, workload, old.current),
                revision_of(after, workload, now.current),
            ),
            ("status.currentReplicas", old.current_replicas, now.current_replicas),
            ("ControllerRevisions", _names(before, workload, old), _names(after, workload, now)),
        )
        yield from differing(workload.cell, fields)


def _by_cell(seen: Seen) -> Iterator[tuple[str, StatefulSetState]]:
    for workload, state in _sets(seen):
        yield workload.cell, state


def _names(seen: Seen, workload: Workload, state: StatefulSetState) -> str:
    return ", ".join(revision_of(seen, workload, r) for r in state.revisions)


# Why it does nothing, and what a pod waits for


def _idle(end: Standstill) -> Iterator[Idle]:
    said = [_rests(end.seen, workload, state) for workload, state in _sets(end.seen)]
    if said:
        yield Idle(STATEFULSET, "; ".join(said))


def _rests(seen: Seen, workload: Workload, state: StatefulSetState) -> str:
    name, pods = workload_name(seen.world, workload), _pods(seen, workload)
    if state.absent:
        return f"{name} is not there"
    found = sync_now(seen.world, workload, state, pods)
    if found.waits is not None:
        pod = pod_of(seen, workload, found.waits)
        shown = next((_SHOWN[p.shown] for p in pods if p.ordinal == found.waits), "not there")
        return f"{name} waits for {pod}, which is {shown}: with OrderedReady nothing comes before"
    held = [p for p in pods if p.shown is not Shown.AVAILABLE]
    if held:
        shown = ", ".join(f"{pod_of(seen, workload, p.ordinal)} {_SHOWN[p.shown]}" for p in held)
        return f"{name} waits for its pods: {shown}"
    return f"{name} has the {state.replicas} pods that it asks for"


def _waits(end: Standstill, place: Place) -> Waits | None:
    """That a name is taken as long as the API has a pod of it."""
    found = end.world.classes[place.pod_class]
    if found.ordinal >= 0 and place.phase == Phase.FAILED:
        return "to be deleted, so that it can be made anew", ()
    return None


# How a state belies its promises


@about_workload
def _two(belied: Belied, workload: Workload) -> Iterator[Claim]:
    counts = belied.seen.summed(running_name(workload))
    for ordinal, number in zip(workload.ordinals, counts, strict=True):
        if number > 1:
            name = pod_of(belied.seen, workload, ordinal)
            yield Claim(
                f"{number} pods called {name} run at once, though the API knows of one at most",
                tuple(_whereabouts(belied.seen, workload, ordinal)),
            )


def _whereabouts(seen: Seen, workload: Workload, ordinal: int) -> Iterator[Fact]:
    for place, number in seen.places().items():
        own = place.pod_class in workload.classes
        if own and seen.world.classes[place.pod_class].ordinal == ordinal:
            where = f"on {place.node}" if place.node else "without a node"
            name = pod_of(seen, workload, ordinal)
            yield Fact(f"{name} {where}", STATUSES[place.phase] + ("" if number == 1 else "!"))


@about_workload
def _missing(belied: Belied, workload: Workload) -> Iterator[Claim]:
    state = belied.seen.owner(workload)
    if not isinstance(state, StatefulSetState):
        return
    pods = _pods(belied.seen, workload)
    available = sum(p.shown is Shown.AVAILABLE and p.template == state.template for p in pods)
    name, revision = workload_name(belied.world, workload), revision_hash(state.template)
    wanted = plural(state.replicas, "pod")
    yield Claim(
        f"{name} asks for {wanted} of {revision} and has {available} available",
        tuple(_members(belied.seen, workload)),
    )


@about_workload
def _collected(belied: Belied, workload: Workload) -> Iterator[Claim]:
    """The claims that go with pods that are asked for again."""
    state, seen = belied.seen.owner(workload), belied.seen
    stock, stored = stock_of(belied.world), stored_in(seen)
    asked_for = state.replicas if isinstance(state, StatefulSetState) else 0
    for pod_class in workload.of_template(0):
        for index in stock.made_for(pod_class):
            claim = stored.claims[index]
            if claim.condemned and claim.deleted:
                label = stock.claims[index].label
                name = workload_name(belied.world, workload)
                fact = Fact(f"claim {label}", "being deleted")
                yield Claim(
                    f"{label} is being deleted, and {name} asks for {asked_for} pods", (fact,)
                )


@about_workload
def _out_of_order(belied: Belied, workload: Workload) -> Iterator[Claim]:
    sync = _sync(belied.seen, workload)
    what = "; ".join(_writes(belied.seen, workload, sync))
    yield Claim(f"A sync has decided to {what}", tuple(_members(belied.before, workload)))


# A state


def _boxes(_scenario: Scenario, _written: Written) -> Boxes:
    return _look


def _look(seen: Seen, _cast: Cast) -> Iterator[WorkloadBox]:
    for workload, state in _sets(seen):
        if not state.absent:
            version = revision_hash(state.template)
            yield WorkloadBox(full_name(workload), state.replicas, version, kind=workload.kind)


def _lines(seen: Seen, workload: Workload) -> Iterator[str]:
    state = seen.owner(workload)
    if not isinstance(state, StatefulSetState):
        return
    name = workload_name(seen.world, workload)
    if state.absent:
        yield f"{name}: is not there"
        return
    revision = revision_hash(state.template)
    current = "" if state.current == state.template else f", current {revision_hash(state.current)}"
    yield f"{name}: {state.replicas} of {revision}{current}"
    sync = _sync(seen, workload)
    if sync != IDLE:
        left = "; ".join(_writes(seen, workload, sync)) or "write its status"
        yield f"sync of {name}: to {left}"


TELLER = Teller(
    name="statefulset",
    sentences={
        NUMBER_REVISION: "makes {set_revision} the newest revision of {workload}",
        DECIDE_PODS: "decides to {set_plan}",
        CREATE_CLAIM: "creates {claim}",
        CONDEMN_CLAIM: "gives {set_claims} to their pods, with which they go",
        KEEP_CLAIM: "takes {claim} from its pod again",
        COLLECT_CLAIM: "deletes {claim}",
        CREATE_POD: "creates {pod}",
        FAIL_CREATE: "tries to create {member}, and is refused (FailedCreate)",
        DELETE_POD: "deletes {pod}{where}",
        FIND_GONE: "finds that {member} is deleted already",
        WRITE_STATUS: "writes the status of {workload}",
        DELETE_REVISION: "deletes the revision {set_revision} of {workload}",
    },
    words={
        "set_plan": _plan,
        "set_claims": _condemned,
        "member": _member,
        "set_revision": _revision,
    },
    facts={
        NUMBER_REVISION: _counted,
        DECIDE_PODS: _read,
        CREATE_POD: _left,
        FAIL_CREATE: _left,
        DELETE_POD: _left,
        FIND_GONE: _left,
        WRITE_STATUS: _counted,
        DELETE_REVISION: _counted,
    },
    changes=_changes,
    idle=_idle,
    waits=_waits,
    claims={
        "STS-1": _two,
        "STS-2": _out_of_order,
        "STS-3": _out_of_order,
        "STS-4": _out_of_order,
        "STS-5": _out_of_order,
        "STS-6": _collected,
        "STS-7": _missing,
        "STS-8": _missing,
    },
    boxes=_boxes,
    lines_of=_lines,
)
