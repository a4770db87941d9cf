"""A report that was written as JSON or YAML, read again: what `kubelemma.reports.json` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import yaml

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import InvalidInput, Position, Problem
from kubelemma.properties.statement import Kind, Severity, Statement
from kubelemma.solver.result import Statistics, Verdict

from .document import Finding, PropertyReport, Report, ScenarioReport
from .picture import NodeBox, Picture, PictureChange, PodBox, SetBox, WorkloadBox
from .story import Change, Story, StoryStep

KIND = "CheckReport"


def load(name: str, text: str) -> Report:
    """The report in the text of the file ``name``.

    Raises:
        InvalidInput: the text is no such report; the message says why, and where.
    """
    data = _parsed(name, text)
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind != KIND:
        found = f'is a document of kind "{kind}"' if kind else "is no document with a kind"
        raise _refused(
            name, f"{found}, not a {KIND}: name a file that check --report json=FILE wrote"
        )
    try:
        return _report(msgspec.convert(data, _Report))
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise _refused(name, message, path.strip("`.")) from error
    except KeyError as error:
        message = f"says nothing of the property {error}: it should stand under statements"
        raise _refused(name, message) from error
    except ValueError as error:
        raise _refused(name, str(error)) from error


def _parsed(name: str, text: str) -> Any:
    try:
        if text.lstrip().startswith("{"):
            return msgspec.json.decode(text)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (msgspec.DecodeError, yaml.YAMLError) as error:
        first = " ".join(str(error).split())
        raise _refused(name, f"is neither JSON nor YAML (cut short?): {first}") from error


def _refused(name: str, message: str, path: str = "") -> InvalidInput:
    return InvalidInput([Problem(Position(name), path, message)])


class _File(msgspec.Struct, kw_only=True, rename="camel"):
    """A part of the file; all have their fields called in the same way."""


class _Location(_File):
    file: str
    line: int = 0
    column: int = 0
    object: str = ""

    def position(self) -> Position:
        return Position(self.file, self.line, self.column, self.object)


class _Statement(_File):
    title: str
    kind: Kind
    severity: Severity
    statement: str
    why: str
    conditions: str
    source: str
    components: tuple[str, ...]
    remediation: str


class _Picture(_File):
    workloads: tuple[WorkloadBox, ...] = ()
    replica_sets: tuple[SetBox, ...] = ()
    nodes: tuple[NodeBox, ...] = ()
    pods: tuple[PodBox, ...] = ()

    def picture(self) -> Picture:
        return Picture(self.workloads, self.replica_sets, self.nodes, self.pods)


class _Removed(_File):
    replica_sets: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()


class _PictureChange(_File):
    changed: _Picture
    removed: _Removed

    def change(self) -> PictureChange:
        return PictureChange(self.changed.picture(), self.removed.replica_sets, self.removed.pods)


class _Step(_File):
    index: int
    actor: str
    action: str
    arguments: dict[str, str]
    environment: bool
    summary: str
    why: str
    changes: tuple[Change, ...]
    unseen: tuple[str, ...] = ()
    picture: _PictureChange | None = None

    def step(self) -> StoryStep:
        return StoryStep(
            index=self.index,
            actor=self.actor,
            action=self.action,
            summary=self.summary,
            arguments=tuple(self.arguments.items()),
            why=self.why,
            environment=self.environment,
            changes=self.changes,
            unseen=self.unseen,
            picture=self.picture.change() if self.picture else None,
        )


class _Trace(_File):
    allowed: tuple[str, ...]
    steps: tuple[_Step, ...]
    standstill: bool
    conclusion: tuple[str, ...]
    repeat: tuple[str, ...]
    loop_start: int | None = None
    picture: _Picture | None = None

    def story(self, property_id: str, subject: str) -> Story:
        return Story(
            property_id=property_id,
            subject=subject,
            allowed=self.allowed,
            steps=tuple(step.step() for step in self.steps),
            loop_start=self._loop_position(),
            standstill=self.standstill,
            conclusion=self.conclusion,
            repeat=self.repeat,
            picture=self.picture.picture() if self.picture else None,
        )

    def _loop_position(self) -> int | None:
        if self.loop_start is None:
            return None
        indexes = [step.index for step in self.steps]
        if self.loop_start not in indexes:
            raise ValueError(f"no step has the index {self.loop_start} that loopStart names")
        return indexes.index(self.loop_start)


class _Property(_File):
    id: str
    subject: str
    verdict: Verdict
    message: str
    vacuous: bool
    expected: Finding | None = None
    location: _Location | None = None
    trace: _Trace | None = None

    def report(self, statements: Mapping[str, Statement]) -> PropertyReport:
        return PropertyReport(
            statement=statements[self.id],
            subject=self.subject,
            verdict=self.verdict,
            message=self.message,
            vacuous=self.vacuous,
            expected=self.expected,
            story=self.trace.story(self.id, self.subject) if self.trace else None,
            position=self.location.position() if self.location else None,
        )


class _NotModelled(_File):
    object: str
    path: str
    location: str
    relevant: bool
    reason: str
    position: _Location | None = None

    def part(self) -> NotModelled:
        return NotModelled(
            position=self.position.position() if self.position else Position(self.location),
            object=self.object,
            path=self.path,
            severity="not modelled" if self.relevant else "irrelevant",
            reason=self.reason,
        )


class _Statistics(msgspec.Struct):
    """These are called in JSON as they are here."""

    states: int
    concrete_states: int
    transitions: int
    depth: int
    terminal_states: int
    cut_states: int
    model_calls: int
    seconds: float
    peak_memory_bytes: int
    exhaustive: bool
    actions: dict[str, int]
    rules_never_fired: tuple[str, ...]
    stopped_by: str | None = None
    out_degree: int = 0
    tables: dict[str, int] = {}

    def statistics(self) -> Statistics:
        given = msgspec.structs.asdict(self)
        pairs = {"actions": tuple(self.actions.items()), "tables": tuple(self.tables.items())}
        return Statistics(**{**given, **pairs})


class _Scenario(_File):
    name: str
    setting: tuple[str, ...]
    properties: tuple[_Property, ...]
    statistics: _Statistics
    not_modelled: tuple[_NotModelled, ...]


class _Report(_File):
    api_version: Literal["kubelemma.dev/v1alpha1"]
    kubelemma_version: str
    fail_on: Severity
    scenarios: tuple[_Scenario, ...]
    statements: dict[str, _Statement] = {}


def _report(given: _Report) -> Report:
    statements = {
        identifier: Statement(id=identifier, **msgspec.structs.asdict(statement))
        for identifier, statement in given.statements.items()
    }
    scenarios = tuple(
        ScenarioReport(
            name=scenario.name,
            setting=scenario.setting,
            properties=tuple(p.report(statements) for p in scenario.properties),
            statistics=scenario.statistics.statistics(),
            not_modelled=tuple(part.part() for part in scenario.not_modelled),
        )
        for scenario in given.scenarios
    )
    if not scenarios:
        raise ValueError("has no scenarios: nothing was checked")
    return Report(given.kubelemma_version, scenarios, given.fail_on)
