"""Deployments and their controller, as stories, pictures and state graphs tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.cluster.owners import revision_hash
from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import DeploymentState, PlannedWrite, SetState, Verb
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.deployment.actions import (
    ANNOTATE_REVISION,
    CREATE_REPLICASET,
    DELETE_REPLICASET,
    GIVE_UP_SYNC,
    PAUSE,
    RESUME,
    ROLLBACK,
    ROLLOUT,
    SCALE_REPLICASET,
)
from kubelemma.model.components.deployment.owner import rollout_of
from kubelemma.model.components.deployment.rules import DEPLOYMENT
from kubelemma.model.scenario import Scenario
from kubelemma.properties.deployment import promised
from kubelemma.reports.picture import WorkloadBox
from kubelemma.reports.story import Change, Fact, Hindrance, Idle, NodeReview
from kubelemma.reports.style import plural

from .bounds import Bounds, bounds_of
from .cast import Cast
from .causes import event
from .differing import NONE, differing, flag
from .names import full_name, revision_name, workload_name
from .replicaset import stale_statuses
from .scene import Belied, Claim, Scene, Seen, Standstill, about_workload
from .teller import Boxes, Teller
from .written import Written


def rolled_out(seen: Seen) -> Iterator[Workload]:
    """The Deployments of a scenario."""
    return (workload for workload in seen.world.workloads if workload.rollout is not None)


# What a step is about, in a word


def _name(scene: Scene) -> str:
    return workload_name(scene.world, scene.workload) if scene.workload else "?"


def _replicas(scene: Scene) -> str:
    return str(scene.after.owner(scene.workload).replicas) if scene.workload else "?"


def _template(scene: Scene) -> str:
    return revision_hash(_subject(scene, scene.workload)) if scene.workload else "?"


def _set(scene: Scene) -> str:
    workload = scene.workload
    return revision_name(scene.world, workload, _subject(scene, workload)) if workload else "?"


def _size(scene: Scene) -> str:
    return str(dict(scene.step.outcome.arguments).get("replicas", _replicas(scene)))


def _subject(scene: Scene, workload: Workload) -> int:
    """The template that the step names, else the one that the Deployment has now."""
    return scene.argument("template", scene.after.owner(workload).template)


# What a sync reads


@about_workload
def _sizing(scene: Scene, workload: Workload) -> Iterator[Fact]:
    deployment = scene.before.deployment(workload)
    if deployment.plan:
        yield from _planned(scene, workload, deployment)
        return
    yield from _asked(scene, workload, deployment)
    for replica_set in deployment.sets:
        yield _set_fact(scene, workload, replica_set)
    if not _recreates(workload, deployment):
        yield from _room(scene, workload, deployment)


def _asked(scene: Scene, workload: Workload, deployment: DeploymentState) -> Iterator[Fact]:
    """What the Deployment's own specification says."""
    if _recreates(workload, deployment):
        replicas = deployment.replicas
        yield Fact("spec.replicas", str(replicas), scene.written.replicas(workload, replicas))
        yield _strategy(scene.written, workload)
    else:
        yield from _bounds(scene.written, workload, deployment).facts
    if deployment.paused:
        yield Fact("spec.paused", "true", scene.written.at(workload, "spec", "paused"))


def _recreates(workload: Workload, deployment: DeploymentState) -> bool:
    """Whether its strategy is Recreate now."""
    return rollout_of(workload, deployment.strategy).recreate


def _bounds(written: Written, workload: Workload, deployment: DeploymentState) -> Bounds:
    """What bounds its rolling update now."""
    return bounds_of(written, workload, deployment.replicas, deployment.strategy)


def _strategy(written: Written, workload: Workload) -> Fact:
    position = written.at(workload, "spec", "strategy", "type")
    return Fact("spec.strategy.type", "Recreate", position)


def _set_fact(scene: Scene, workload: Workload, replica_set: SetState) -> Fact:
    sized = ""
    if replica_set.replicas and replica_set.desired != scene.before.deployment(workload).replicas:
        sized = f", sized when spec.replicas was {replica_set.desired}"
    return Fact(
        f"ReplicaSet {revision_name(scene.world, workload, replica_set.template)}",
        f"spec.replicas {replica_set.replicas}{sized}, {replica_set.status_available} available "
        "by its status",
    )


def _room(scene: Scene, workload: Workload, deployment: DeploymentState) -> Iterator[Fact]:
    """The bound that allows the step: for growing the surge, for shrinking what is available."""
    bounds = _bounds(scene.written, workload, deployment)
    total = sum(s.replicas for s in deployment.sets)
    if scene.template == deployment.template:
        room = bounds.most - total
        yield Fact(
            "room to grow",
            f"{max(room, 0)} (spec.replicas {bounds.replicas} + maxSurge {bounds.surge} - {total} "
            "asked for in all)",
        )
        return
    new = deployment.current()
    lacking = new.replicas - new.status_available if new else 0
    available = sum(s.status_available for s in deployment.sets)
    yield Fact(
        "room to shrink",
        f"{total - bounds.least - lacking} ({total} asked for - {bounds.least} that must stay "
        f"available - {lacking} new ones not available yet)",
    )
    yield Fact(
        "available to spare", f"{available - bounds.least} ({available} available - {bounds.least})"
    )


def _planned(scene: Scene, workload: Workload, deployment: DeploymentState) -> Iterator[Fact]:
    for write in deployment.plan:
        name = revision_name(scene.world, workload, write.template)
        sized = write.verb in (Verb.CREATE, Verb.RESIZE)
        then = f"spec.replicas {write.replicas}, when the Deployment's was {write.desired}"
        other = "to delete it" if write.verb == Verb.DELETE else "to make it the newest revision"
        yield Fact(f"decided before for ReplicaSet {name}", then if sized else other)


@about_workload
def _revisions(scene: Scene, workload: Workload) -> Iterator[Fact]:
    for replica_set in scene.before.deployment(workload).sets:
        name = revision_name(scene.world, workload, replica_set.template)
        yield Fact(f"revision of ReplicaSet {name}", str(replica_set.revision))


@about_workload
def _history(scene: Scene, workload: Workload) -> Iterator[Fact]:
    yield from _revisions(scene)
    strategy = scene.before.deployment(workload).strategy
    yield Fact(
        "revisionHistoryLimit",
        str(rollout_of(workload, strategy).revision_history_limit),
        scene.written.at(workload, "spec", "revisionHistoryLimit"),
    )


def _bound(scene: Scene) -> str:
    """The bound that lets a ReplicaSet grow, or shrink."""
    if scene.workload is None or scene.template < 0:
        return ""
    growing = scene.template == scene.before.deployment(scene.workload).template
    return "maxSurge" if growing else "maxUnavailable"


def _unseen(scene: Scene) -> Iterator[str]:
    """The statuses that its controller reads may lag."""
    if scene.step.actor == DEPLOYMENT:
        for workload in scene.rewritten:
            yield from stale_statuses(scene, workload)


# What a step changes


def _changes(before: Seen, after: Seen) -> Iterator[Change]:
    for workload in rolled_out(before):
        old, new = before.deployment(workload), after.deployment(workload)
        name = f"Deployment {workload_name(before.world, workload)}"
        fields: tuple[tuple[str, object, object], ...] = (
            ("spec.replicas", _replicas_in(old), _replicas_in(new)),
            ("spec.template", _version(old), _version(new)),
            ("spec.strategy", _way(workload, old), _way(workload, new)),
            (
                "spec.paused",
                flag(old.paused and not old.absent),
                flag(new.paused and not new.absent),
            ),
        )
        yield from differing(name, fields)


def _replicas_in(deployment: DeploymentState) -> object:
    return NONE if deployment.absent else deployment.replicas


def _version(deployment: DeploymentState) -> str:
    return NONE if deployment.absent else revision_hash(deployment.template)


def _way(workload: Workload, deployment: DeploymentState) -> str:
    """How it is rolled out, in words."""
    rollout = rollout_of(workload, deployment.strategy)
    if rollout.recreate:
        return "Recreate"
    return f"maxSurge {rollout.max_surge}, maxUnavailable {rollout.max_unavailable}"


# Why it does nothing


def _idle(end: Standstill) -> Iterator[Idle]:
    for workload in rolled_out(end.seen):
        deployment = end.seen.deployment(workload)
        name = workload_name(end.world, workload)
        if deployment.absent:
            yield Idle(DEPLOYMENT, f"there is no Deployment {name}")
        elif deployment.paused:
            reason = f"{name} is paused: it scales what there is, and rolls nothing out"
            yield Idle(DEPLOYMENT, reason, held_up=True)
        elif _is_done(deployment):
            yield Idle(DEPLOYMENT, f"the ReplicaSets of {name} have the sizes that they should")
        elif _recreates(workload, deployment):
            yield Idle(DEPLOYMENT, _recreating(end.seen, workload), held_up=True)
        else:
            reason = "; ".join(_rolling(end, workload))
            yield Idle(DEPLOYMENT, reason, held_up=True)


def _is_done(deployment: DeploymentState) -> bool:
    """Whether the current ReplicaSet asks for all, and the others for nothing."""
    sizes = {s.template: s.replicas for s in deployment.sets if s.replicas}
    wanted = {deployment.template: deployment.replicas} if deployment.replicas else {}
    return sizes == wanted


def _recreating(seen: Seen, workload: Workload) -> str:
    alive = seen.summed(seen.world.existing(workload))
    current = seen.deployment(workload).template
    old = sum(n for template, n in enumerate(alive) if template != current)
    new = revision_name(seen.world, workload, current)
    still = "still exists" if old == 1 else "still exist"
    return f"{plural(old, 'pod')} of older versions {still}, and {new} has to wait for them"


def _rolling(end: Standstill, workload: Workload) -> Iterator[str]:
    """Why the new ReplicaSet does not grow and old ones do not shrink: the controller's bounds."""
    deployment = end.seen.deployment(workload)
    bounds = _bounds(end.written, workload, deployment)
    total = sum(s.replicas for s in deployment.sets)
    new = deployment.current()
    name = revision_name(end.world, workload, deployment.template)
    size = new.replicas if new else 0
    lacking = size - new.status_available if new else 0
    if size < deployment.replicas:
        yield (
            f"{name} may not grow beyond {size}: the ReplicaSets ask for {plural(total, 'pod')} in "
            f"all, where spec.replicas {bounds.replicas} + maxSurge {bounds.surge} allow "
            f"{bounds.most}"
        )
    if total > size:
        spare = total - bounds.least - lacking
        yield (
            f"the old ones may not shrink: of {plural(total, 'pod')} asked for, {lacking} of "
            f"{name} {'is' if lacking == 1 else 'are'} not available yet, and {bounds.least} must "
            f"be: spec.replicas {bounds.replicas} - maxUnavailable {bounds.unavailable}"
            if spare <= 0
            else f"the old ones may not shrink: {bounds.least} pods must stay available"
        )


# How a state belies its promises


@about_workload
def _surge(belied: Belied, workload: Workload) -> Iterator[Claim]:
    deployment = belied.seen.deployment(workload)
    bounds = _bounds(belied.written, workload, deployment)
    total = sum(s.replicas for s in deployment.sets)
    yield Claim(
        f"The ReplicaSets now ask for {plural(total, 'pod')} in all, more than the {bounds.most} "
        f"that are allowed: spec.replicas {bounds.replicas} + maxSurge {bounds.surge}",
        (*_sizes(belied, workload), *bounds.facts[:2]),
    )


@about_workload
def _availability(belied: Belied, workload: Workload) -> Iterator[Claim]:
    deployment = belied.seen.deployment(workload)
    available = sum(belied.seen.counts(workload, "available"))
    desired = min([deployment.replicas, *(s.desired for s in deployment.sets if s.replicas)])
    bounds = bounds_of(belied.written, workload, desired, deployment.strategy)
    yield Claim(
        f"The last deletion leaves {available} available, fewer than the {bounds.least} promised: "
        f"spec.replicas {bounds.replicas} - maxUnavailable {bounds.unavailable}",
        (
            Fact("available pods", str(available)),
            Fact("promised", str(promised(workload, deployment))),
            bounds.facts[0],
            bounds.facts[2],
        ),
    )


@about_workload
def _one_version(belied: Belied, workload: Workload) -> Iterator[Claim]:
    alive = belied.seen.counts(workload, "alive")
    found = [s.template for s in belied.seen.deployment(workload).sets if alive[s.template]]
    counts = " and ".join(f"{alive[template]} of {revision_hash(template)}" for template in found)
    names = {template: revision_name(belied.world, workload, template) for template in found}
    yield Claim(
        f"Pods of {len(found)} versions exist at the same time: {counts}",
        (
            *(Fact(f"pods of {names[t]}", str(alive[t])) for t in found),
            _strategy(belied.written, workload),
        ),
    )


@about_workload
def _complete(belied: Belied, workload: Workload) -> Iterator[Claim]:
    seen = belied.seen
    deployment = seen.deployment(workload)
    current = revision_hash(deployment.template)
    name = workload_name(belied.world, workload)
    parts = [_standing(seen, workload, s) for s in deployment.sets]
    new = seen.counts(workload, "available")[deployment.template]
    active = seen.counts(workload, "active")
    replaced = sum(n for t, n in enumerate(active) if t != deployment.template)
    position = belied.written.replicas(workload, deployment.replicas)
    yield Claim(
        f"{name} should have {plural(deployment.replicas, 'available pod')} of {current} and no "
        f"others; it has {' and '.join(parts)}",
        (
            Fact("spec.replicas", str(deployment.replicas), position),
            Fact("current template", current),
            Fact(f"available pods of {current}", f"{new} of {deployment.replicas}"),
            Fact("pods of older templates", str(replaced)),
            *_sizes(belied, workload),
            Fact("complete", "False"),
        ),
    )


def _standing(seen: Seen, workload: Workload, replica_set: SetState) -> str:
    """How one version stands, such as ``0 available of v2 (ReplicaSet of 1, 1 pending)``."""
    template, size = replica_set.template, replica_set.replicas
    available = seen.counts(workload, "available")[template]
    waiting = seen.queue(workload).waiting[template]
    pending = f", {waiting} pending" if waiting else ""
    return f"{available} available of {revision_hash(template)} (ReplicaSet of {size}{pending})"


@about_workload
def _templates(belied: Belied, workload: Workload) -> Iterator[Claim]:
    templates = [s.template for s in belied.seen.deployment(workload).sets]
    twice = sorted({t for t in templates if templates.count(t) > 1})
    names = ", ".join(map(revision_hash, twice))
    yield Claim(
        f"Several ReplicaSets have the template {names}",
        tuple(Fact(f"ReplicaSets of {revision_hash(t)}", str(templates.count(t))) for t in twice),
    )


def _sizes(belied: Belied, workload: Workload) -> Iterator[Fact]:
    for replica_set in belied.seen.deployment(workload).sets:
        name = revision_name(belied.world, workload, replica_set.template)
        yield Fact(f"spec.replicas of ReplicaSet {name}", str(replica_set.replicas))


# A state


def _boxes(_scenario: Scenario, _written: Written) -> Boxes:
    return _look


def _look(seen: Seen, _cast: Cast) -> Iterator[WorkloadBox]:
    for workload in rolled_out(seen):
        deployment = seen.deployment(workload)
        if deployment.absent:
            continue
        yield WorkloadBox(
            name=full_name(workload),
            replicas=deployment.replicas,
            version=revision_hash(deployment.template),
            paused=bool(deployment.paused),
        )


def _lines(seen: Seen, workload: Workload) -> Iterator[str]:
    if workload.rollout is None:
        return
    deployment = seen.deployment(workload)
    if deployment.absent:
        yield f"{workload_name(seen.world, workload)}: is not there"
        return
    paused = ", paused" if deployment.paused else ""
    asked = f"{deployment.replicas} of {revision_hash(deployment.template)}{paused}"
    sets = ", ".join(f"{revision_hash(s.template)} has {s.replicas}" for s in deployment.sets)
    name = workload_name(seen.world, workload)
    yield f"{name}: {asked}" + (f" ({sets})" if sets else "")
    for write in deployment.plan:
        about = revision_name(seen.world, workload, write.template)
        yield f"about to write: {planned_text(about, write)}"


def planned_text(name: str, write: PlannedWrite) -> str:
    """What a sync has decided to do with a ReplicaSet."""
    match write.verb:
        case Verb.RESIZE:
            return f"{name} has {write.replicas}"
        case Verb.CREATE:
            return f"{name} is created with {write.replicas}"
        case Verb.DELETE:
            return f"{name} is deleted"
        case _:
            return f"{name} is the newest revision"


def _hinders(end: Standstill, place: Place, _reviews: Sequence[NodeReview]) -> Iterator[Fact]:
    """How it is rolled out."""
    workload = end.world.workloads[end.world.classes[place.pod_class].workload]
    if workload.rollout is None:
        return
    deployment = end.seen.deployment(workload)
    if rollout_of(workload, deployment.strategy).recreate:
        position = end.written.at(workload, "spec", "strategy", "type")
        yield Fact(Hindrance.STRATEGY, "Recreate", position)
        return
    bounds = bounds_of(end.written, workload, deployment.replicas, deployment.strategy)
    yield from bounds.facts[1:]


TELLER = Teller(
    name="deployment",
    hinders=_hinders,
    sentences={
        # Users
        ROLLOUT: "applies a new pod template ({template}) to {workload}",
        PAUSE: "pauses {workload}",
        RESUME: "resumes {workload}",
        ROLLBACK: "rolls {workload} back to {template}",
        # The controller
        CREATE_REPLICASET: "creates ReplicaSet {set} with spec.replicas {size}",
        SCALE_REPLICASET: "sets spec.replicas of ReplicaSet {set} to {size}",
        ANNOTATE_REVISION: "makes ReplicaSet {set} the newest revision",
        DELETE_REPLICASET: "deletes ReplicaSet {set}",
        GIVE_UP_SYNC: "fails to write ReplicaSet {set}, and drops the rest of its sync",
    },
    words={
        "workload": _name,
        "template": _template,
        "replicas": _replicas,
        "set": _set,
        "size": _size,
    },
    facts={
        CREATE_REPLICASET: _sizing,
        SCALE_REPLICASET: _sizing,
        ANNOTATE_REVISION: _revisions,
        DELETE_REPLICASET: _history,
        GIVE_UP_SYNC: _sizing,
    },
    decisive={
        CREATE_REPLICASET: _bound,
        SCALE_REPLICASET: _bound,
        GIVE_UP_SYNC: _bound,
    },
    causes={
        ROLLOUT: event("rollout"),
        PAUSE: event("pause"),
        RESUME: event("resume"),
        ROLLBACK: event("rollback"),
    },
    unseen=_unseen,
    changes=_changes,
    idle=_idle,
    claims={
        "DEP-1": _surge,
        "DEP-2": _availability,
        "DEP-3": _one_version,
        "DEP-4": _complete,
        "DEP-6": _templates,
        "STUCK": _complete,
    },
    boxes=_boxes,
    lines_of=_lines,
)
