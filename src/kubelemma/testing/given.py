"""From what a test hands over (paths, objects, nodes, events) to a question."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypedDict

import msgspec

from kubelemma.api import STDIN, Asked, Question, ask
from kubelemma.model.kinds.registry import KINDS
from kubelemma.model.manifests import (
    NO_EVENTS,
    InvalidInput,
    Position,
    Problem,
    did_you_mean,
    parse_event,
    parse_nodes,
)
from kubelemma.model.manifests.check import Check
from kubelemma.model.manifests.own import CHECK_KIND, CHECK_VERSION
from kubelemma.recording import stream

Given: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | msgspec.Struct
"""A path of manifests or scenarios, or an object: plain data, or a type of the model."""

Part: TypeAlias = str | Mapping[str, Any]
"""A group of nodes or an event: as on the command line, or as in a Check."""

_ENVELOPES: Mapping[type, tuple[str, str]] = {
    kind.struct: (kind.api_version, kind.name) for kind in KINDS
}
_STREAM = "<stdin>"
_ARGUMENTS = {
    "--nodes": "nodes",
    "--event": "events",
    "--property": "properties",
    "--workload": "workloads",
    "--together": "together",
}
"""Options of the command line, and what they are called here."""

_FIELDS = {"time_limit": "time_limit_seconds"}
"""What a question calls by another name."""


NOTHING_WANTED = Question(paths=())
"""Of a test that leaves everything to the scenarios."""


class Wanted(TypedDict, total=False):
    """What is asked, apart from what it is asked of. What is left out is left to the scenarios.

    Attributes:
        nodes, events: as on the command line (``"count=3,cpu=4"``, ``"rollout=web"``), or as in a
            Check; among nodes also ``kind: Node`` objects.
        load: Python files that bring controllers, events and properties. They are run.
        together, workloads: names of Deployments.
        properties: identifiers.
        scoring: whether the scheduler's scores decide.
        kubernetes: the version, such as ``1.35``.
        namespace: of objects that name none.
        max_states: after so many states a search gives up.
        time_limit: after so many seconds.
    """

    nodes: Sequence[Part] | Part
    events: Sequence[Part] | Part
    load: Sequence[str]
    together: Sequence[str]
    workloads: Sequence[str]
    properties: Sequence[str]
    scoring: bool | None
    kubernetes: str
    namespace: str
    max_states: int | None
    time_limit: float | None


def ask_about(given: Iterable[Given], wanted: Wanted, usual: Question = NOTHING_WANTED) -> Asked:
    """The cases of a test; ``usual`` is asked where nothing is wanted.

    Raises:
        InvalidInput: something is wrong with it, or there is nothing to check; objects are called
            by their number and name.
        TypeError: something is neither a path nor an object, or wanted in words that are not known.
    """
    _refuse_unknown(wanted)
    things = tuple(given)
    objects = [plain(thing) for thing in things if not isinstance(thing, str | os.PathLike)]
    paths = [os.fspath(thing) for thing in things if isinstance(thing, str | os.PathLike)]
    node_objects, groups = _nodes(wanted.get("nodes", ()))
    objects += node_objects
    said = {_FIELDS.get(name, name): _READ.get(name, _as_it_is)(v) for name, v in wanted.items()}
    if "nodes" in wanted:
        said["nodes"] = groups
    stdin = [STDIN] if objects else []
    question = replace(usual, paths=(*paths, *stdin), stdin=stream(objects), **said)
    try:
        return _whole(ask(question))
    except InvalidInput as error:
        problems = (_renamed(problem, objects) for problem in error.problems)
        raise InvalidInput(problems) from error


def _whole(asked: Asked) -> Asked:
    """What is asked, if all could be read: no test is passed by a part of what it is about."""
    if asked.problems:
        raise InvalidInput(asked.problems)
    return asked


def _refuse_unknown(wanted: Wanted) -> None:
    known = Wanted.__annotations__
    for name in wanted:
        if name not in known:
            options = ", ".join(known)
            hint = did_you_mean(name, known)
            raise TypeError(f'there is no argument "{name}"{hint}; there are {options}')


def _names(given: Sequence[str]) -> tuple[str, ...]:
    """The names; a single one may stand by itself."""
    return (given,) if isinstance(given, str) else tuple(given)


def _as_it_is(given: Any) -> Any:
    return given


def plain(thing: Mapping[str, Any] | msgspec.Struct) -> Mapping[str, Any]:
    """An object as plain data.

    Raises:
        TypeError: it is no object of the API.
    """
    if isinstance(thing, Mapping):
        return thing
    if isinstance(thing, Check):
        version, kind = CHECK_VERSION, CHECK_KIND
    elif type(thing) in _ENVELOPES:
        version, kind = _ENVELOPES[type(thing)]
    else:
        what = type(thing).__name__
        raise TypeError(f"expected paths and objects of the API, found a {what}: {thing!r}")
    return {"apiVersion": version, "kind": kind, **msgspec.to_builtins(thing, enc_hook=str)}


def _renamed(problem: Problem, objects: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem at the object or argument, instead of at a line or option nobody has written."""
    file, line, *_ = problem.position
    if file in _ARGUMENTS:
        return problem._replace(position=Position(_ARGUMENTS[file]))
    if file != _STREAM or not line:
        return problem
    number = (line + 1) // 2
    thing = objects[number - 1] if number <= len(objects) else {}
    metadata = thing.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    words = f"{thing.get('kind') or 'object'} {name or 'without a name'}"
    return problem._replace(position=Position(f"object {number}", object=words))


# Nodes and events


def _several(parts: Sequence[Part] | Part) -> Sequence[Part]:
    return (parts,) if isinstance(parts, str | Mapping) else parts


def _nodes(
    parts: Sequence[Part] | Part,
) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
    """Those that are objects, and those that are groups, in the words of the command line."""
    given = _several(parts)
    objects = [p for p in given if isinstance(p, Mapping) and p.get("kind") == "Node"]
    groups = tuple(
        part if isinstance(part, str) else ",".join(_group_pairs(part))
        for part in given
        if part not in objects
    )
    for number, group in enumerate(groups):
        parse_nodes(group, flag=f"nodes[{number}]")
    return objects, groups


def _group_pairs(group: Mapping[str, Any]) -> Iterator[str]:
    for key, value in group.items():
        match key, value:
            case "allocatable", {**amounts}:
                yield from (f"{name}={amount}" for name, amount in amounts.items())
            case "labels", {**labels}:
                yield from (f"labels.{name}={label}" for name, label in labels.items())
            case "taints", [*taints]:
                yield from (f"taint={_taint(taint)}" for taint in taints)
            case _:
                yield f"{key}={_word(value)}"


def _taint(taint: Mapping[str, Any]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key', '')}{value}:{taint.get('effect', '')}"


def _events(parts: Sequence[Part] | Part) -> tuple[str, ...]:
    """All events, in the words of the command line; an empty list is none, as in a Check."""
    texts = tuple(part if isinstance(part, str) else _event(part) for part in _several(parts))
    for number, text in enumerate(texts):
        if text != NO_EVENTS:
            parse_event(text, flag=f"events[{number}]")
    return texts or (NO_EVENTS,)


def _event(event: Mapping[str, Any]) -> str:
    if len(event) != 1:
        usage = '{"rollout": {"deployment": "web"}}'
        message = f"expected one event, such as {usage}, found {', '.join(event) or 'none'}"
        raise InvalidInput([Problem(Position("events"), "", message)])
    ((name, fields),) = event.items()
    return ",".join((name, *(f"{key}={_word(value)}" for key, value in (fields or {}).items())))


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "load": _names,
    "events": _events,
    "together": _names,
    "workloads": _names,
    "properties": _names,
}
"""How what is wanted becomes what a question holds, where that is not the same."""
