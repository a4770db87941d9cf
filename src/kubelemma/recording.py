"""Counterexamples on file: everything that is needed to run one again, and nothing else.

A recording embeds its input, so that it can be sent to somebody, and names its steps by rule,
action and positions, so that they can be taken again on the plain semantics.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec

from .files import ignore_in_git, write_whole
from .model.manifests.problems import InvalidInput, Position, Problem
from .properties.statement import Property
from .solver.replay import RecordedStep
from .solver.result import Trace

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\n]")

FOLDER = Path(".kubelemma") / "traces"
"""Where counterexamples are kept, below the working directory."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step; ``arguments`` are pairs of a name and a number or string."""

    rule: str
    actor: str
    action: str
    arguments: tuple[tuple[str, Any], ...] = ()
    positions: tuple[int, ...] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One document of the input, and the file that it came from."""

    file: str
    document: Any


class LoadedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A Python file that was loaded, and the SHA-256 of what it held."""

    file: str
    digest: str


class Recording(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A counterexample with its input.

    Attributes:
        name: of its file, without a suffix.
        scenario: the workloads in focus.
        property_id, subject: what is violated, and for which object.
        check: the ``kind: Check`` document in effect, options of the command line included.
        sources: the manifests; where they are applied, ``base`` is what stands, and ``prune`` as in
            a question.
        loaded: the Python files that brought controllers or properties. They are not embedded: a
            recording is data, and nothing in it is ever run.
        loop_start: as in `Trace`.
    """

    api_version: Literal["kubelemma.dev/v1alpha1"] = "kubelemma.dev/v1alpha1"
    kind: Literal["Trace"] = "Trace"
    name: str
    kubelemma_version: str
    scenario: str
    property_id: str
    subject: str
    steps: tuple[Step, ...]
    loop_start: int | None = None
    check: dict[str, Any]
    sources: tuple[Source, ...]
    base: tuple[Source, ...] = ()
    prune: bool = False
    loaded: tuple[LoadedCode, ...] = ()

    def recorded_steps(self) -> tuple[RecordedStep, ...]:
        """The steps as the solver takes them."""
        return as_recorded(self.steps)


def as_recorded(steps: Iterable[Step]) -> tuple[RecordedStep, ...]:
    """Steps on file as the solver takes them."""
    return tuple(
        RecordedStep(s.rule, s.action, tuple((k, _frozen(v)) for k, v in s.arguments), s.positions)
        for s in steps
    )


def name_of(scenario: str, prop: Property, asked: Iterable[Property]) -> str:
    """What a recording is called: scenario and property, and subject if several are asked about."""
    alike = [other for other in asked if other.id == prop.id]
    subject = [prop.subject] if len(alike) > 1 else []
    return file_name(scenario, prop.id, *subject)


def file_name(*parts: str) -> str:
    """A name for a file that is safe on every file system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(parts))


def steps_of(trace: Trace) -> tuple[Step, ...]:
    """The steps of a trace as they are kept on file."""
    return tuple(
        Step(
            rule=str(step.rule),  # which may be called as its action
            actor=step.actor,
            action=str(step.outcome.action),
            arguments=step.outcome.arguments,
            positions=step.positions,
        )
        for step in trace.steps
    )


def save(recording: Recording, root: Path) -> Path:
    """Write a recording to its file below ``root``; gives the file.

    The folder ignores itself in git: a counterexample is no source.

    Raises:
        OSError: the file cannot be written.
    """
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    ignore_in_git(folder.parent)
    path = folder / f"{recording.name}.json"
    content = msgspec.json.format(msgspec.json.encode(recording), indent=2)
    write_whole(path, content + b"\n")
    return path


def find(name: str, root: Path) -> Path:
    """The file meant by a path, or by the name of a recording below ``root``.

    Raises:
        InvalidInput: there is neither; the message lists what there is.
    """
    for path in (Path(name), root / FOLDER / f"{name}.json"):
        if path.is_file():
            return path
    known = sorted(path.stem for path in (root / FOLDER).glob("*.json"))
    have = f"there are: {', '.join(known)}" if known else f"there are none in {FOLDER}"
    message = f"is neither a file nor the name of a recorded counterexample ({have})"
    raise InvalidInput([Problem(Position(name), "", message)])


def load(path: Path) -> Recording:
    """Read a recording.

    Raises:
        InvalidInput: the file cannot be read, or is no recording; the message says why.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recording)
    except OSError as error:
        message = error.strerror or str(error)
    except msgspec.MsgspecError as error:
        message = f"is no counterexample that this version of kubelemma can read: {error}"
    raise InvalidInput([Problem(Position(str(path)), "", message)])


def _frozen(value: Any) -> Any:
    """The value as an outcome has it: JSON knows lists only, where outcomes have tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def stream(documents: Iterable[Mapping[str, Any]]) -> str:
    """The documents as YAML: one a line, every second line divides them.

    Raises:
        TypeError: one holds what JSON does not know.
    """
    return "\n---\n".join(map(_line, documents))


def _line(document: Mapping[str, Any]) -> str:
    """JSON that YAML reads in the same way, whatever characters there are in it."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, default=_refuse)
    return _UNPRINTABLE.sub(lambda found: f"\\U{ord(found[0]):08x}", text)


def _refuse(value: object) -> NoReturn:
    what = type(value).__name__
    raise TypeError(f"an object holds a {what}, which JSON does not know: {value!r}")
