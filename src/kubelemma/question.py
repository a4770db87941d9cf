"""From what somebody asks to the scenarios that have to be explored.

What is said directly (on the command line) comes before what a ``kind: Check`` document says, and
that before the defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from .applying import CHANGE, nothing_asked
from .asked import Case, Question
from .loading import Extension, load_files
from .model.manifests import (
    CheckSpec,
    Cluster,
    InvalidInput,
    Position,
    Problem,
    SchedulerOptions,
    Source,
    Variant,
    advice_beside,
    parse_events,
    parse_nodes,
    refuse_without_cloud,
)
from .model.objects.quantity import Quantity
from .model.scenario import (
    key_of,
    owner_manifests,
)
from .properties.catalogue import STATEMENTS
from .properties.statement import Statement
from .reader import Read, Reader, Sources
from .scope import Cases, Scope

__all__ = ["CHANGE", "DEFAULT_TIME_LIMIT_SECONDS", "STDIN", "Asked", "Case", "Question", "ask"]

DEFAULT_TIME_LIMIT_SECONDS = 60.0
"""For one scenario, where nobody says how long it may take."""

STDIN = "-"
"""The path that stands for standard input."""


class Asked(NamedTuple):
    """The cases of a question, and what should be said about its input.

    ``statements`` are all that could be asked, by identifier. ``problems`` are parts of the input
    that could not be read, so that the cases are not about them. ``unchanged`` says so where
    nothing is asked of a change because nothing differs, or nothing that is modelled: that is
    ``left_open``. There are cases then only if the usual questions are asked of what is applied.
    """

    cases: tuple[Case, ...]
    warnings: tuple[Problem, ...]
    statements: Mapping[str, Statement] = STATEMENTS
    problems: tuple[Problem, ...] = ()
    unchanged: str = ""
    left_open: bool = False


def ask(question: Question) -> Asked:
    """The cases that answer a question: for each Check one for each workload, or group of them.

    Raises:
        InvalidInput: something is wrong with the input, or there is nothing to check.
    """
    extension = load_files(question.load)
    reader = Reader(_sources_of(question))
    given = reader.read(_sources(question.paths, question))
    groups = [
        [_scope_of(read, question, extension) for read in group] for group in reader.groups(given)
    ]
    reader.refuse_variant(given)
    scopes = tuple(scope for group in groups for scope in group)
    statements = {**STATEMENTS, **extension.statements}
    applyings = [scope.applying for scope in scopes if scope.applying is not None]
    usual = _usual_of_new(question, scopes)
    if scopes and len(applyings) == len(scopes) and all(scope.rests() for scope in scopes):
        return Asked(
            usual.cases,
            tuple(reader.warnings),
            statements,
            tuple(dict.fromkeys((*reader.problems, *usual.problems))),
            unchanged=nothing_asked(applyings),
            left_open=any(each.aside or each.open for each in applyings),
        )
    found = [_cases(group, usual.cases) for group in groups]
    cases = tuple(case for each in found for case in each.cases)
    problems = (problem for each in (*found, usual) for problem in each.problems)
    unasked = tuple(_unasked(extension, scopes, cases))
    if unasked:
        raise InvalidInput(unasked)
    cases += usual.cases
    ignored = (problem for scope in scopes for problem in scope.without_effect(cases))
    lacking = (p for scope in scopes for p in (*scope.of_storage(), *scope.lacking()))
    unheard = (problem for scope in scopes for problem in advice_beside(scope.manifests))
    said = (*reader.warnings, *lacking, *_unused(given, scopes), *ignored, *unheard)
    every = tuple(dict.fromkeys((*reader.problems, *problems)))
    return Asked(cases, tuple(dict.fromkeys(said)), statements, every)


def _usual_of_new(question: Question, scopes: Iterable[Scope]) -> Cases:
    """What is asked of that which is applied, where it has come to, if the question is thorough."""
    if not (question.thorough and (question.base or question.standing)):
        return Cases()
    after = filter(None, (scope.of_applied() for scope in scopes))
    found = [scope.cases() for scope in after]
    return Cases(
        tuple(case for each in found for case in each.cases),
        tuple(problem for each in found for problem in each.problems),
    )


def _sources(paths: Iterable[str], question: Question) -> list[Source]:
    return [
        Source(question.stdin_name, question.stdin) if path == STDIN else Source(path)
        for path in paths
    ]


def _sources_of(question: Question) -> Sources:
    """What is read beside what is asked about, and how."""
    standing = [Source(question.stdin_name, question.standing)] if question.standing else []
    return Sources(
        base=(*_sources(question.base, question), *standing),
        prune=question.prune,
        kustomize=question.kustomize,
        strict=question.strict,
        variant=question.variant,
        namespace=question.namespace,
        applies=not question.events,
    )


def _scope_of(read: Read, question: Question, extension: Extension) -> Scope:
    spec = _overridden(read.check.spec, question)
    check = msgspec.structs.replace(read.check, spec=spec)
    return Scope(
        read.variant, read.manifests, check, read.document, question, extension, read.applying
    )


def _unasked(
    extension: Extension, scopes: Iterable[Scope], cases: Iterable[Case]
) -> Iterator[Problem]:
    """What was loaded for nothing: properties that apply to nothing, code that none is about."""
    asked = {prop.id for case in cases for prop in case.properties}
    chosen = any(scope.check.spec.properties for scope in scopes)
    for prop in extension.properties:
        if prop.statement.id not in asked and not chosen:
            what = f"{prop.statement.id} applies to nothing: there is no {prop.about}"
            yield Problem(Position(prop.code.file, prop.code.line), prop.code.name, what)
    if not any(case.scenario.custom.kinds for case in cases) and not extension.properties:
        for file in extension.files:
            message = (
                "no property is about what it declares: nothing to check; declare one with always, "
                "converges or another of kubelemma.extending"
            )
            yield Problem(Position(file.path), "", message)


def _cases(group: Sequence[Scope], beside: tuple[Case, ...]) -> Cases:
    """The cases of a Check, with each alternative by itself; there is at least one.

    What is named may be asked ``beside`` them.

    Raises:
        InvalidInput: there is none, and why.
    """
    manifests = (m for scope in group for m in owner_manifests(scope.manifests))
    owners = {str(key_of(manifest.object)): manifest.object for manifest in manifests}
    group[0].refuse_names(tuple(owners.values()))
    found = [scope.cases() for scope in group]
    cases = tuple(case for each in found for case in each.cases)
    problems = tuple(problem for each in found for problem in each.problems)
    if problems and not cases:
        raise InvalidInput(problems)
    group[0].refuse_missing((*cases, *beside))
    return Cases(cases, problems)


def _overridden(spec: CheckSpec, question: Question) -> CheckSpec:
    """The specification in effect."""
    nodes = tuple(map(parse_nodes, question.nodes))
    events = parse_events(question.events)
    refuse_without_cloud(spec.cloud, events or ())
    scoring = spec.scheduler.scoring if question.scoring is None else question.scoring
    memory = question.max_memory_bytes
    bounds = msgspec.structs.replace(
        spec.bounds,
        max_states=question.max_states or spec.bounds.max_states,
        time_limit_seconds=question.time_limit_seconds
        or spec.bounds.time_limit_seconds
        or DEFAULT_TIME_LIMIT_SECONDS,
        max_memory=Quantity(memory) if memory else spec.bounds.max_memory,
    )
    return msgspec.structs.replace(
        spec,
        kubernetes=question.kubernetes or spec.kubernetes,
        cluster=Cluster(nodes=nodes) if nodes else spec.cluster,
        events=spec.events if events is None else events,
        together=question.together or spec.together,
        workloads=question.workloads or spec.workloads,
        properties=question.properties or spec.properties,
        scheduler=SchedulerOptions(scoring=scoring),
        bounds=bounds,
    )


def _unused(given: Iterable[Variant], scopes: Iterable[Scope]) -> Iterator[Problem]:
    """Workloads that were given, but that no Check is about."""
    given_to = [m for scope in scopes for m in (scope.manifests, *scope.applied)]
    used = {m.document.at() for manifests in given_to for m in owner_manifests(manifests)}
    for manifest in (m for variant in given for m in owner_manifests(variant.manifests)):
        if manifest.document.at() not in used:
            key = key_of(manifest.object)
            message = f"{key.kind} {key.name} is not checked: no scenario names this file"
            yield Problem(manifest.document.at(), "", message)
