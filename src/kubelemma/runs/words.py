"""Changes of an observation, told with the names of the run."""

from __future__ import annotations

from .recorded import owner_part, queue_part
from .roster import Member, Roster
from .seen import Change, SetSeen, Stage

_STAGES = {
    Stage.ASSIGNED: "bound and Pending",
    Stage.UNREADY: "Running but not Ready",
    Stage.READY: "Ready",
    Stage.TERMINATING: "terminating",
}
_FIELDS = {
    "replicas": "spec.replicas",
    "template": "template",
    "paused": "spec.paused",
    "revision": "rank of its revision",
    "desired": "annotation desired-replicas",
    "maximum": "annotation max-replicas",
    "available": "status.availableReplicas",
    "counted": "status.replicas",
    "ready": "Ready",
    "tainted": "NoSchedule taint for not being Ready",
    "evicting": "NoExecute taint for not being Ready",
    "cordoned": "spec.unschedulable",
    "out_of_service": "out-of-service taint",
    "expected": "status.expectedPods",
    "healthy": "status.currentHealthy",
    "needed": "status.desiredHealthy",
    "allowed": "status.disruptionsAllowed",
}


def told(change: Change, roster: Roster) -> str:
    """One change as a line."""
    what = change.what
    if what[0] == "set":
        return _of_set(change, roster)
    if what[0] == "pods":
        stage = _STAGES[Stage(int(what[2]))]
        name = _class(roster, int(what[1]))
        return f"{change.part}: pods of {name} that are {stage}: {change.old} -> {change.new}"
    if what[0] == "pending":
        name = _waiting(roster, change.part, int(what[1]))
        return f"pods of {name} without a node: {change.old} -> {change.new}"
    if what[0] in ("template", "current"):
        old, new = (template_name(roster, change.part, int(str(t))) for t in change[2:])
        field = "template" if what[0] == "template" else "status.currentRevision"
        return f"{change.part}: {field}: {old} -> {new}"
    field = _FIELDS[str(what[0])]
    return f"{change.part}: {field}: {_value(change.old)} -> {_value(change.new)}"


def _of_set(change: Change, roster: Roster) -> str:
    name = f"ReplicaSet {template_name(roster, change.part, int(change.what[1]))}"
    if change.what[2] != "exists":
        field = _FIELDS[str(change.what[2])]
        return f"{name}: {field}: {change.old} -> {change.new}"
    new = change.new
    if isinstance(new, SetSeen):
        return f"{name} is created with spec.replicas {new.replicas}"
    return f"{name} is deleted"


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def template_name(roster: Roster, part: str, template: int) -> str:
    """The name of the ReplicaSet of a template, or of the template where there never is one."""
    for member in roster.members:
        if part in (owner_part(member), queue_part(member)):
            return _name(member, template)
    return f"template {template + 1}"


def _waiting(roster: Roster, part: str, slot: int) -> str:
    member = next(m for m in roster.members if part == queue_part(m))
    return _crowd(member, slot)


def _name(member: Member, template: int) -> str:
    return member.templates[template].name or f"template {template + 1} of {member.name}"


def _crowd(member: Member, slot: int) -> str:
    """What pods of one class are called."""
    if slot < member.made:
        template, at = divmod(slot, len(member.ordinals) or 1)
        name = _name(member, template)
        return f"{member.name}-{member.ordinals[at]} of {name}" if member.ordinals else name
    further = member.further[slot - member.made]
    if not member.templates:
        return f"Pod {member.name}"
    labels = further.pod.metadata.label_map().items()
    told = ", ".join(f"{key}={value}" for key, value in sorted(labels)) or "no labels"
    return f"{_name(member, further.template)} with {told}"


def _class(roster: Roster, pod_class: int) -> str:
    for member in roster.members:
        for slot in range(member.width):
            if roster.class_of(member, slot) == pod_class:
                return _crowd(member, slot)
    return f"class {pod_class}"
