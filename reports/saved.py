"""A report that was written as JSON or YAML, read again: what `kubelemma.reports.json` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec
import yaml

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import InvalidInput, Position, Problem
from kubelemma.properties.statement import Kind, Severity, Statement
from kubelemma.solver.result import Influence, Influenced, Reduction, Statistics, Used, Verdict

from .document import (
    BaselineState,
    Finding,
    InputFile,
    Occasion,
    PropertyReport,
    Report,
    ScenarioReport,
    Suppression,
    Tried,
)
from .picture import (
    BudgetBox,
    CacheBox,
    NodeBox,
    ObjectBox,
    Picture,
    PictureChange,
    PodBox,
    ServiceBox,
    SetBox,
    VolumeBox,
    WorkerBox,
    WorkloadBox,
)
from .story import (
    Change,
    Contradiction,
    Decisive,
    Fact,
    Idle,
    Judgement,
    Missed,
    NodeReview,
    Story,
    StoryStep,
    Waiting,
)

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
    services: tuple[ServiceBox, ...] = ()
    budgets: tuple[BudgetBox, ...] = ()
    volumes: tuple[VolumeBox, ...] = ()
    objects: tuple[ObjectBox, ...] = ()
    workers: tuple[WorkerBox, ...] = ()
    caches: tuple[CacheBox, ...] = ()

    def picture(self) -> Picture:
        return Picture(
            self.workloads,
            self.replica_sets,
            self.nodes,
            self.pods,
            self.services,
            self.budgets,
            self.volumes,
            self.objects,
            self.workers,
            self.caches,
        )


class _Removed(_File):
    replica_sets: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()


class _PictureChange(_File):
    changed: _Picture
    removed: _Removed

    def change(self) -> PictureChange:
        gone = self.removed
        return PictureChange(
            self.changed.picture(), gone.replica_sets, gone.pods, gone.objects, gone.volumes
        )


class _Fact(_File):
    name: str
    value: str
    location: _Location | None = None
    since: int = 0

    def fact(self) -> Fact:
        return Fact(self.name, self.value, _position(self.location), self.since)


class _Review(_File):
    nodes: tuple[str, ...]
    judgement: Judgement
    plugin: str = ""
    reasons: tuple[str, ...] = ()
    detail: str = ""
    score: int | None = None
    location: _Location | None = None

    def review(self) -> NodeReview:
        return NodeReview(
            nodes=self.nodes,
            judgement=self.judgement,
            plugin=self.plugin,
            reasons=self.reasons,
            detail=self.detail,
            score=self.score,
            position=_position(self.location),
        )


class _Contradiction(_File):
    claim: str
    terms: tuple[_Fact, ...]
    step: int

    def contradiction(self) -> Contradiction:
        return Contradiction(self.claim, tuple(term.fact() for term in self.terms), self.step)


class _Waiting(_File):
    pod: str
    message: str
    nodes: tuple[_Review, ...]
    facts: tuple[_Fact, ...] = ()

    def waiting(self) -> Waiting:
        nodes = tuple(review.review() for review in self.nodes)
        return Waiting(self.pod, self.message, nodes, tuple(fact.fact() for fact in self.facts))


class _Idle(_File):
    actor: str
    reason: str
    held_up: bool

    def idle(self) -> Idle:
        return Idle(self.actor, self.reason, self.held_up)


def _position(location: _Location | None) -> Position | None:
    return location.position() if location is not None else None


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
    facts: tuple[_Fact, ...] = ()
    nodes: tuple[_Review, ...] = ()
    location: _Location | None = None
    follows: int = 0
    missed: tuple[Missed, ...] = ()

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
            facts=tuple(fact.fact() for fact in self.facts),
            nodes=tuple(review.review() for review in self.nodes),
            position=_position(self.location),
            follows=self.follows,
            missed=self.missed,
        )


class _Trace(_File):
    allowed: tuple[str, ...]
    steps: tuple[_Step, ...]
    standstill: bool
    conclusion: tuple[str, ...]
    repeat: tuple[str, ...]
    loop_start: int | None = None
    picture: _Picture | None = None
    contradictions: tuple[_Contradiction, ...] = ()
    waiting: tuple[_Waiting, ...] = ()
    idle: tuple[_Idle, ...] = ()
    decisive: Decisive | None = None

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
            contradictions=tuple(found.contradiction() for found in self.contradictions),
            waiting=tuple(one.waiting() for one in self.waiting),
            idle=tuple(one.idle() for one in self.idle),
            decisive=self.decisive,
        )

    def _loop_position(self) -> int | None:
        if self.loop_start is None:
            return None
        indexes = [step.index for step in self.steps]
        if self.loop_start not in indexes:
            raise ValueError(f"no step has the index {self.loop_start} that loopStart names")
        return indexes.index(self.loop_start)


class _Suppression(_File):
    kind: Literal["inSource", "external"]
    reason: str
    location: _Location
    expires: date | None = None

    def suppression(self) -> Suppression:
        return Suppression(self.kind, self.reason, self.location.position(), self.expires)


class _Remark(_File):
    location: _Location
    message: str

    def problem(self) -> Problem:
        return Problem(self.location.position(), "", self.message)


class _Property(_File):
    id: str
    subject: str
    verdict: Verdict
    message: str
    vacuous: bool
    severity: Severity | None = None
    expected: Finding | None = None
    location: _Location | None = None
    suppression: _Suppression | None = None
    baseline: BaselineState | None = None
    tried: tuple[Tried, ...] = ()
    trace: _Trace | None = None

    def report(self, statements: Mapping[str, Statement]) -> PropertyReport:
        statement = statements[self.id]
        return PropertyReport(
            statement=statement,
            subject=self.subject,
            verdict=self.verdict,
            message=self.message,
            vacuous=self.vacuous,
            expected=self.expected,
            tried=self.tried,
            story=self.trace.story(self.id, self.subject) if self.trace else None,
            position=_position(self.location),
            suppression=self.suppression.suppression() if self.suppression else None,
            baseline=self.baseline,
            regraded=self.severity if self.severity is not statement.severity else None,
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


class _Reduction(msgspec.Struct):
    name: str
    used: bool
    why: str


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
    remembered: bool = False
    runs: int = 0
    seed: int | None = None
    reductions: tuple[_Reduction, ...] = ()

    def statistics(self) -> Statistics:
        given = msgspec.structs.asdict(self)
        pairs = {"actions": tuple(self.actions.items()), "tables": tuple(self.tables.items())}
        reductions = tuple(Reduction(each.name, each.used, each.why) for each in self.reductions)
        return Statistics(**{**given, **pairs, "reductions": reductions})


class _Influenced(_File):
    id: str
    subject: str
    sees: tuple[str, ...]
    left_out: tuple[str, ...]


class _Used(_File):
    rule: str
    sees: tuple[str, ...]
    writes: tuple[str, ...]
    depended_on: tuple[str, ...] | None = None


class _Influence(_File):
    properties: tuple[_Influenced, ...]
    rules: tuple[_Used, ...]
    states: int

    def influence(self) -> Influence:
        properties = (Influenced(**msgspec.structs.asdict(each)) for each in self.properties)
        rules = (Used(**msgspec.structs.asdict(each)) for each in self.rules)
        return Influence(tuple(properties), tuple(rules), self.states)


class _Scenario(_File):
    name: str
    setting: tuple[str, ...]
    properties: tuple[_Property, ...]
    statistics: _Statistics
    not_modelled: tuple[_NotModelled, ...]
    question: str = ""
    influence: _Influence | None = None


class _Input(_File):
    file: str
    sha256: str = ""


class _Occasion(_File):
    time: str
    command: tuple[str, ...]
    inputs: tuple[_Input, ...] = ()

    def occasion(self) -> Occasion:
        inputs = tuple(InputFile(one.file, one.sha256) for one in self.inputs)
        return Occasion(self.time, self.command, inputs)


class _Report(_File):
    api_version: Literal["kubelemma.dev/v1alpha1"]
    kubelemma_version: str
    fail_on: Severity
    scenarios: tuple[_Scenario, ...]
    statements: dict[str, _Statement] = {}
    remarks: tuple[_Remark, ...] = ()
    occasion: _Occasion | None = None


def _report(given: _Report) -> Report:
    statements = {
        identifier: Statement(id=identifier, **msgspec.structs.asdict(statement))
        for identifier, statement in given.statements.items()
    }
    scenarios = tuple(
        ScenarioReport(
            name=scenario.name,
            question=scenario.question,
            setting=scenario.setting,
            properties=tuple(p.report(statements) for p in scenario.properties),
            statistics=scenario.statistics.statistics(),
            not_modelled=tuple(part.part() for part in scenario.not_modelled),
            influence=scenario.influence.influence() if scenario.influence else None,
        )
        for scenario in given.scenarios
    )
    if not scenarios:
        raise ValueError("has no scenarios: nothing was checked")
    remarks = tuple(remark.problem() for remark in given.remarks)
    occasion = given.occasion.occasion() if given.occasion else None
    return Report(given.kubelemma_version, scenarios, given.fail_on, remarks, occasion)
