"""Counterexamples on file: everything that is needed to run one again, and nothing else.

A recording embeds its input, so that it can be sent to somebody, and names its steps by rule,
action and positions, so that they can be taken again on the plain semantics.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from kubelemma.model.manifests.problems import InvalidInput, Position, Problem
from kubelemma.solver.replay import RecordedStep
from kubelemma.solver.result import Trace

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


class Recording(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A counterexample with its input.

    Attributes:
        name: of its file, without a suffix.
        scenario: the workloads in focus.
        property_id, subject: what is violated, and for which object.
        check: the ``kind: Check`` document in effect, options of the command line included.
        sources: the manifests.
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

    def recorded_steps(self) -> tuple[RecordedStep, ...]:
        """The steps as the solver takes them."""
        return tuple(
            RecordedStep(
                s.rule, s.action, tuple((k, _frozen(v)) for k, v in s.arguments), s.positions
            )
            for s in self.steps
        )


def file_name(*parts: str) -> str:
    """A name for a file that is safe on every file system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(parts))


def steps_of(trace: Trace) -> tuple[Step, ...]:
    """The steps of a trace as they are kept on file."""
    return tuple(
        Step(
            rule=step.rule,
            actor=step.actor,
            action=step.outcome.action,
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
    (folder.parent / ".gitignore").write_text("*\n", "utf-8")
    path = folder / f"{recording.name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(recording), indent=2) + b"\n")
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
