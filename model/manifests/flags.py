"""The parts of a scenario that can be given on the command line, from the text of the flags.

Each flag is turned into the plain data that a ``kind: Check`` document would hold, and then held
against the same types and rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kubelemma.model.findings import FieldPath, Finding, did_you_mean, show
from kubelemma.model.objects.decode import decode

from .check import EventEntry, event_names, validate_event
from .clouds import CloudSpec, without_cloud
from .groups import NodeGroup, validate_nodes
from .problems import InvalidInput, Position, Problem
from .scalars import read_plain
from .shapes import Reading, Shape, mismatches, shape_of

NO_EVENTS = "none"
"""What stands for no events at all; to name nothing leaves the choice to the Check."""

_APPLY = "apply"
"""The event that only a scenario can ask for: with flags the input is what is applied."""

_RESOURCES = ("cpu", "memory", "pods", "ephemeral-storage")
_OWN_KEYS = ("count", "name", "zones", "unschedulable")
_NODE_KEYS = (*_OWN_KEYS, *_RESOURCES, "taint", "labels.KEY", "kubelet.RESOURCE")
_LABEL, _KUBELET = "labels.", "kubelet."
_TAINT = re.compile(r"(?P<key>[^=:]+)(?:=(?P<value>[^:]*))?:(?P<effect>[^:]+)")
_WHOLE_NUMBER = re.compile(r"[0-9]+")
_CLOSED = Reading(closed=True)


def parse_nodes(text: str, flag: str = "--nodes") -> NodeGroup:
    """Read a group of nodes, such as ``count=3,cpu=4,memory=16Gi,zones=3,labels.disk=ssd``.

    Keys: count, name, zones, unschedulable; any resource, with ``kubelet.`` before it as the
    kubelets find it; ``labels.KEY=VALUE``; ``taint=KEY=VALUE:EFFECT``, as often as need be.

    Raises:
        InvalidInput: with everything that is wrong, at the flag's name.
    """
    raw: dict[str, Any] = {}
    findings = [f for pair in text.split(",") for f in _node_pair(pair.strip(), raw)]
    findings.extend(mismatches(raw, shape_of(NodeGroup), _CLOSED))
    if findings:
        raise _invalid(flag, (f._replace(path=_flag_path(f.path)) for f in findings))
    group = decode(raw, NodeGroup)
    wrong = [f._replace(path=_flag_path(f.path)) for f in validate_nodes(group, ())]
    if wrong:
        raise _invalid(flag, wrong)
    return group


def _node_pair(pair: str, raw: dict[str, Any]) -> Iterator[Finding]:
    """Put one ``KEY=VALUE`` where a Check document has it."""
    key, equals, value = pair.partition("=")
    if not equals:
        message = f'"{pair}" is not KEY=VALUE, such as count=3,cpu=4,memory=16Gi'
        yield Finding((), message)
    elif key == "name" and not value:
        yield Finding((key,), 'no value behind the "="')
    elif key == _KUBELET:
        yield Finding(("kubelet",), "no resource: write kubelet.RESOURCE=AMOUNT")
    elif key == "taint":
        yield from _taint(value, raw)
    elif key in _OWN_KEYS:
        yield from _put(raw, key, read_plain(value) if key != "name" else value, (key,))
    elif key.startswith(_LABEL):
        label = key.removeprefix(_LABEL)
        yield from _put(raw.setdefault("labels", {}), label, value, ("labels", label))
    elif key.startswith(_KUBELET):
        found = raw.setdefault("kubeletAllocatable", {})
        yield from _put(found, key.removeprefix(_KUBELET), value, (key,))
    elif key in _RESOURCES or "/" in key or key.startswith("hugepages-"):
        yield from _put(raw.setdefault("allocatable", {}), key, value, (key,))
    else:
        options = ", ".join(_NODE_KEYS)
        yield Finding((key,), f"is not one of {options}{did_you_mean(key, _NODE_KEYS)}")


def _put(raw: dict[str, Any], key: str, value: Any, path: FieldPath) -> Iterator[Finding]:
    if key in raw:
        yield Finding(path, "is given twice")
    raw[key] = value


def _taint(text: str, raw: dict[str, Any]) -> Iterator[Finding]:
    match = _TAINT.fullmatch(text)
    if match is None:
        yield Finding(("taint",), f'"{text}" is no taint: expected KEY=VALUE:EFFECT or KEY:EFFECT')
    else:
        given = {name: value for name, value in match.groupdict().items() if value is not None}
        raw.setdefault("taints", []).append(given)


def _flag_path(path: FieldPath) -> FieldPath:
    """The path of the flag's own key, which says less than the document's."""
    match path:
        case ("allocatable", *rest):
            return tuple(rest)
        case ("kubeletAllocatable", *rest):
            return ("kubelet", *rest)
        case ("taints", int(), *rest):
            return ("taint", *rest)
        case _:
            return path


def parse_events(texts: Sequence[str], flag: str = "--event") -> tuple[EventEntry, ...] | None:
    """Read all events that are given: None where nothing is, () where it is said that none happen.

    Raises:
        InvalidInput: with everything that is wrong with one; or there are some beside none.
    """
    if NO_EVENTS not in texts:
        return tuple(parse_event(text, flag) for text in texts) or None
    if any(text != NO_EVENTS for text in texts):
        message = f'"{NO_EVENTS}" means no events at all: no other can stand beside it'
        raise _invalid(flag, [Finding((), message)])
    return ()


def refuse_without_cloud(
    cloud: CloudSpec | None, entries: Iterable[EventEntry], flag: str = "--event"
) -> None:
    """See that events of what a cloud has come with one.

    Raises:
        InvalidInput: no cloud is stated, with the event.
    """
    findings = [
        finding
        for entry in entries
        for name, given in entry.given()
        for finding in without_cloud(cloud, given, (_kebab(name),))
    ]
    if findings:
        raise _invalid(flag, findings)


def parse_event(text: str, flag: str = "--event") -> EventEntry:
    """Read an event: ``NAME[=TARGET][,KEY=VALUE]...``, its name as in a Check, or with hyphens.

    The target of a workload's event is its name (``rollout=web``, ``scale=web:5``), or nothing for
    one of each (``rollout``); of a node's
    event the node's name or how often (``drain=node-1``, ``node-crash=2``). Keys are the event's
    fields: ``rollout=web,max=2,new-version=crash-looping``.

    Raises:
        InvalidInput: with everything that is wrong, at the flag's name.
    """
    head, *pairs = [part.strip() for part in text.split(",")]
    written, equals, target = head.partition("=")
    name = _camel(written)
    shape = shape_of(EventEntry).fields.get(name)
    if shape is None:
        options = [_kebab(option) for option in event_names() if option != _APPLY]
        hint = did_you_mean(written, options)
        message = f'"{written}" is not one of the events {", ".join(options)}{hint}'
        raise _invalid(flag, [Finding((), message)])
    if name == _APPLY:
        message = "what is applied is the input, and what stands is named by --from"
        raise _invalid(flag, [Finding((name,), message)])
    wrong = _empty(written, target, shape) if equals else ""
    if wrong:
        raise _invalid(flag, [Finding((written,), wrong)])
    raw = dict(_target(target, shape)) if equals else {}
    findings = [f for pair in pairs for f in _event_pair(pair, name, shape, raw)]
    findings.extend(mismatches({name: raw}, shape_of(EventEntry), _CLOSED))
    if findings:
        raise _invalid(flag, (_with_usage(finding, name, shape) for finding in findings))
    entry = decode({name: raw}, EventEntry)
    invalid = tuple(validate_event(entry, ()))
    if invalid:
        raise _invalid(flag, (_with_usage(finding, name, shape) for finding in invalid))
    return entry


def _empty(event: str, target: str, shape: Shape) -> str:
    """What is missing behind the name of an event; empty where nothing is.

    A variable that a shell has not set is no choice.
    """
    if "replicas" in shape.fields:
        workload, colon, replicas = target.rpartition(":")
        if target and not (colon and not (workload and replicas)):
            return ""
        what = 'number behind the ":"' if workload else 'name behind the "="'
        return f"no {what}: write {event}=NAME:REPLICAS, or {event},replicas=REPLICAS for each"
    if target:
        return ""
    for field, whom in _ANY.items():
        if field in shape.fields:
            return f'no name behind the "=": write {event} for {whom}'
    return f'nothing behind the "=": write {event} without it'


_ANY = {"workload": "one of each workload", "node": "any node", "name": "the one that is usual"}
"""Who is meant where nobody is named, by the field that would do it."""


def _target(text: str, shape: Shape) -> Iterator[tuple[str, Any]]:
    """What the word after the event's name stands for, by the fields that the event has."""
    if "replicas" in shape.fields:
        workload, colon, replicas = text.rpartition(":")
        yield "workload", workload if colon else text
        if colon:
            yield "replicas", read_plain(replicas)
    elif "workload" in shape.fields:
        yield "workload", text
    elif _WHOLE_NUMBER.fullmatch(text):
        yield "max", int(text)
    else:
        yield ("node" if "node" in shape.fields else "name"), text


def _event_pair(pair: str, name: str, shape: Shape, raw: dict[str, Any]) -> Iterator[Finding]:
    key, equals, value = pair.partition("=")
    if not equals:
        yield Finding((), f'"{pair}" is not KEY=VALUE, such as max=2')
        return
    field = _camel(key)
    if not value:
        yield Finding((name, field), 'no value behind the "="')
        return
    meant = _camel(value) if field == "newVersion" else value
    typed = field in shape.fields and shape.fields[field].type in (int, bool)
    yield from _put(raw, field, read_plain(value) if typed else meant, (name, field))


def _with_usage(finding: Finding, name: str, shape: Shape) -> Finding:
    """The finding in the flag's own words."""
    path = tuple(_kebab(key) if isinstance(key, str) else key for key in finding.path)
    if finding.message != "is required":
        return Finding(path, finding.message)
    usage = "NAME:REPLICAS" if "replicas" in shape.fields else "NAME"
    return Finding(path, f"is required: write {_kebab(name)}={usage}")


def _camel(text: str) -> str:
    first, *rest = text.split("-")
    return first + "".join(word.capitalize() for word in rest)


def _kebab(text: str) -> str:
    return re.sub(r"(?=[A-Z])", "-", text).lower()


def _invalid(flag: str, findings: Iterable[Finding]) -> InvalidInput:
    position = Position(flag)
    return InvalidInput(Problem(position, show(f.path), f.message) for f in findings)
