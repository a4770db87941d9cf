"""From what somebody asks to the scenarios that have to be explored.

What is said directly (on the command line) comes before what a ``kind: Check`` document says, and
that before the defaults.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

import msgspec

from .applying import Applying, applying_of, nothing_asked
from .loading import Extension, load_files, unknown_kinds
from .mentions import OPTIONS, named_properties, named_workloads, with_adopted
from .model.components.registry import KINDS
from .model.manifests import (
    Check,
    CheckSpec,
    Cluster,
    Document,
    FieldPath,
    InvalidInput,
    Manifests,
    Position,
    Problem,
    SchedulerOptions,
    Source,
    Variant,
    choose,
    did_you_mean,
    intake,
    parse_events,
    parse_nodes,
    show,
)
from .model.objects.node import Namespace, Node
from .model.objects.pod import Pod
from .model.objects.quantity import Quantity
from .model.scenario import (
    Application,
    Asking,
    Kept,
    Loaded,
    Scenario,
    Sizing,
    ambiguous,
    build,
    check_findings,
    cluster_of,
    cluster_scoped,
    is_named,
    kept_objects,
    key_of,
    known_kinds,
    owner_findings,
    owner_manifests,
    part_manifests,
    smaller_sizes,
    with_replicas,
    without_kept,
)
from .model.scenario.admitting import policies_of
from .policy import Annotations, Rule, read_annotations
from .properties.catalogue import STATEMENTS
from .properties.select import properties_for, usual_for
from .properties.statement import Property, Statement

ObjectT = TypeVar("ObjectT")

DEFAULT_TIME_LIMIT_SECONDS = 60.0
"""For one scenario, where nobody says how long it may take."""

NOTHING = Extension()
"""Of a question that loads nothing."""

PLACEABLE = ("DaemonSet ", "Job ", "StatefulSet ")
"""How objects are called whose pods no check has, but a placement does."""

STDIN = "-"
"""The path that stands for standard input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. Empty fields leave the choice to the Check document, or to the defaults.

    Attributes:
        paths: files and directories; ``-`` is ``stdin``.
        load: Python files that bring controllers, events and properties. They are run.
        stdin: what stands on standard input.
        stdin_name: what messages call it.
        nodes, events: as ``parse_nodes`` and ``parse_events`` read them.
        questions: the usual questions that are asked where nothing is said of events; all where
            none is named. Where it is ``thorough``, products of them, too.
        together, workloads: names of workloads, as in ``CheckSpec``.
        properties: identifiers.
        scoring: whether the scheduler's scores decide.
        kubernetes: the version, such as ``1.35``.
        namespace: of objects that name none.
        kustomize: whether directories with a kustomization file are built.
        strict: whether files in a directory that are no Kubernetes objects are an error.
        variant: the alternative that is asked about, where folders define the same objects.
        base: files and directories with what stands; then what is asked is that the others are
            applied to it.
        prune: whether what stands and is not among the others is taken away.
        max_states, time_limit_seconds, max_memory_bytes: where the search gives up.
    """

    paths: tuple[str, ...]
    load: tuple[str, ...] = ()
    stdin: str | bytes = ""
    stdin_name: str = "<stdin>"
    nodes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    thorough: bool = False
    together: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    scoring: bool | None = None
    kubernetes: str = ""
    namespace: str = ""
    kustomize: bool = True
    strict: bool = False
    variant: str = ""
    base: tuple[str, ...] = ()
    prune: bool = False
    max_states: int | None = None
    time_limit_seconds: float | None = None
    max_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario with its properties, what it was made from, and what its manifests suppress.

    ``document`` is that of the Check, None where nobody wrote one. ``building_seconds`` is the
    processor's time that it took to build the system. ``sizes`` are numbers of replicas below its
    own for which it may be asked as well; `resized` asks that.
    """

    scenario: Scenario
    properties: tuple[Property, ...]
    check: Check
    manifests: Manifests
    suppressions: tuple[Rule, ...] = ()
    document: Document | None = None
    extension: Extension = NOTHING
    kept: tuple[Kept, ...] = ()
    building_seconds: float = 0.0
    sizes: tuple[int, ...] = ()
    ask_again: Callable[[int], Case | None] | None = field(default=None, compare=False)

    def resized(self, replicas: int, time_limit_seconds: float | None) -> Case | None:
        """The same asked of so many replicas, within so much time; None where that is nothing."""
        case = self.ask_again(replicas) if self.ask_again else None
        if case is None:
            return None
        spec = case.check.spec
        bounds = msgspec.structs.replace(spec.bounds, time_limit_seconds=time_limit_seconds)
        check = msgspec.structs.replace(
            case.check, spec=msgspec.structs.replace(spec, bounds=bounds)
        )
        return replace(case, check=check)


class Asked(NamedTuple):
    """The cases of a question, and what should be said about its input.

    ``statements`` are all that could be asked, by identifier. ``problems`` are parts of the input
    that could not be read, so that the cases are not about them. ``unchanged`` says so where
    nothing is asked because nothing differs, or nothing that is modelled: that is ``left_open``.
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
    reader = _Reader(question, extension)
    given = reader.read(_sources(question.paths, question))
    groups = tuple(reader.groups(given))
    reader.refuse_variant(given)
    scopes = tuple(scope for group in groups for scope in group)
    statements = {**STATEMENTS, **extension.statements}
    applyings = [scope.applying for scope in scopes if scope.applying is not None]
    if scopes and len(applyings) == len(scopes) and all(each.is_none for each in applyings):
        return Asked(
            (),
            tuple(reader.warnings),
            statements,
            tuple(reader.problems),
            unchanged=nothing_asked(applyings),
            left_open=any(each.aside for each in applyings),
        )
    found = [_cases(group) for group in groups]
    cases = tuple(case for each in found for case in each.cases)
    problems = [*reader.problems, *(problem for each in found for problem in each.problems)]
    unasked = tuple(_unasked(extension, scopes, cases))
    if unasked:
        raise InvalidInput(unasked)
    ignored = (problem for scope in scopes for problem in scope.without_effect(cases))
    said = (*reader.warnings, *_unused(given, scopes), *ignored)
    return Asked(cases, tuple(dict.fromkeys(said)), statements, tuple(dict.fromkeys(problems)))


def _sources(paths: Iterable[str], question: Question) -> list[Source]:
    return [
        Source(question.stdin_name, question.stdin) if path == STDIN else Source(path)
        for path in paths
    ]


def _unasked(
    extension: Extension, scopes: Iterable[_Scope], cases: Iterable[Case]
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


@dataclass(frozen=True, slots=True)
class _Scope:
    """One Check with the manifests it is about; ``document`` is None where nobody wrote it."""

    variant: Variant
    manifests: Manifests
    check: Check
    document: Document | None
    question: Question
    extension: Extension
    applying: Applying | None = None

    def cases(self) -> _Cases:
        """The cases, of which an alternative may have none."""
        kept = self._kept()
        there = self.applying.before if self.applying else self.manifests
        application = Application(
            owners=tuple(m.object for m in owner_manifests(there)),
            parts=tuple(m.object for m in part_manifests(there)),
            nodes=_objects(there, Node),
            pods=_objects(there, Pod),
            namespaces=_objects(there, Namespace),
            objects=_all_of(there, KINDS),
            policies=policies_of(there),
            loaded=self._loaded(kept),
            changes=self.applying.changes if self.applying else (),
            policies_after=policies_of(self.manifests),
        )
        check = self._own_check()
        if check is None:
            return _Cases()
        self._refuse(self._inconsistent(application))
        sizing = cluster_of(application, check)
        manifests = without_kept(with_adopted(self.manifests), self.extension.kinds, kept)
        cases = self._built(application, check, sizing, manifests, kept)
        return _Cases(tuple(cases), tuple(self._placeless(check.spec, sizing)))

    def _built(
        self,
        application: Application,
        check: Check,
        sizing: Sizing,
        manifests: Manifests,
        kept: tuple[Kept, ...],
    ) -> Iterator[Case]:
        """A case for each scenario that is asked anything."""
        suppressed = self.annotations(kept)
        begun = time.process_time()
        found = build(application, check, self._title(), sizing, self._asking())
        seconds = (time.process_time() - begun) / max(1, len(found))
        for scenario in found:
            if properties := self._properties(scenario):
                again = partial(self._again, application, scenario, manifests, kept)
                subjects = {p.subject for p in properties}
                yield Case(
                    _in_variant(_in_change(scenario, self.applying), self.variant),
                    properties,
                    scenario.check,
                    manifests,
                    suppressed.covering(subjects, _annotatable(scenario)),
                    self.document,
                    self.extension,
                    kept,
                    seconds,
                    smaller_sizes(application, scenario),
                    again,
                )

    def _again(
        self,
        application: Application,
        scenario: Scenario,
        manifests: Manifests,
        kept: tuple[Kept, ...],
        replicas: int,
    ) -> Case | None:
        """The question of a scenario, asked of so many replicas."""
        fewer = with_replicas(application, scenario, replicas)
        sizing = cluster_of(fewer, scenario.check)
        cases = self._built(fewer, scenario.check, sizing, manifests, kept)
        return next((each for each in cases if each.scenario.focus == scenario.focus), None)

    def _placeless(self, spec: CheckSpec, sizing: Sizing) -> Iterator[Problem]:
        """Workloads that no cluster which could be made up has a place for."""
        homeless = {key_of(owner) for owner in sizing.homeless}
        for manifest in owner_manifests(self.manifests):
            owner, document = manifest.object, manifest.document
            wanted = not spec.workloads or is_named(owner, spec.workloads)
            if wanted and key_of(owner) in homeless:
                path: FieldPath = ("spec", "template", "spec")
                message = (
                    f"{key_of(owner)} finds no place on any default cluster, "
                    "whatever the number and size of its nodes: give some with --nodes, or as "
                    "cluster.nodes of a scenario"
                )
                yield Problem(document.at(path), show(path), message)

    def _properties(self, scenario: Scenario) -> tuple[Property, ...]:
        """What is asked about a scenario."""
        spec, declared = self.check.spec, self.extension.properties
        if spec.properties:
            return properties_for(scenario, spec.properties, declared)
        return usual_for(scenario, declared, spec.expect)

    def _asking(self) -> Asking:
        """Which questions are asked where nobody says what happens."""
        return Asking(self.question.questions, self.question.thorough)

    def _title(self) -> str:
        """What the scenarios are called after: the Check, the alternative, or both."""
        return " in ".join(filter(None, (self.check.metadata.name, self.variant.name)))

    def _own_check(self) -> Check | None:
        """The Check about the workloads that no other alternative is asked about; None if none."""
        if not self.variant.own:
            return self.check
        spec = self.check.spec
        own = tuple(
            key_of(manifest.object).spellings[-1]
            for manifest in owner_manifests(self.manifests)
            if manifest.document.file in self.variant.own
            and (not spec.workloads or is_named(manifest.object, spec.workloads))
        )
        if not own:
            return None
        return msgspec.structs.replace(
            self.check, spec=msgspec.structs.replace(spec, workloads=own)
        )

    def annotations(self, kept: tuple[Kept, ...]) -> Annotations:
        """What the manifests and the Check suppress."""
        known = self._statements()
        return read_annotations(self.manifests, self.check, self.document, known, kept)

    def _statements(self) -> dict[str, Statement]:
        """All that can be asked, by identifier."""
        return {**STATEMENTS, **self.extension.statements}

    def _kept(self) -> tuple[Kept, ...]:
        """The objects that loaded code acts on."""
        self._refuse(unknown_kinds(self.extension, known_kinds(self.manifests)))
        kinds, namespace = self.extension.kinds, self.question.namespace
        kept, problems = kept_objects(self.manifests, kinds, namespace)
        self._refuse(problems)
        return kept

    def _loaded(self, kept: Iterable[Kept]) -> Loaded:
        found = self.extension
        return Loaded(
            found.controllers,
            found.events,
            tuple(prop.code for prop in found.properties),
            found.kinds,
            tuple(item.object for item in kept),
            cluster_scoped(self.manifests, found.kinds),
        )

    def without_effect(self, cases: Iterable[Case]) -> Iterator[Problem]:
        """Suppressions that bear on none of the cases, wherever these may come from."""
        objects = {name for case in cases for name in _annotatable(case.scenario)}
        subjects = {prop.subject for case in cases for prop in case.properties}
        return self.annotations(self._kept()).without_effect(objects | subjects)

    def refuse_names(self, owners: tuple[Any, ...]) -> None:
        """Refuse workloads and properties that are named and not there, or that nothing is there.

        Raises:
            InvalidInput: with all of them.
        """
        self._refuse(self._wrong_names(owners))
        self._refuse(self._nothing(owners))

    def refuse_missing(self, cases: tuple[Case, ...]) -> None:
        """Refuse properties that are asked for and apply to nothing.

        Raises:
            InvalidInput: with all of them.
        """
        self._refuse(self._missing_properties(cases))

    def _refuse(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        if found:
            raise InvalidInput(found)

    def _problem(self, path: FieldPath, flag: str, message: str) -> Problem:
        """A problem where the value stands: at the option that gave it, or in the document."""
        overridden = bool(getattr(self.question, flag, None))
        if self.document is None or overridden:
            return Problem(Position(f"--{OPTIONS.get(flag, flag)}"), "", message)
        return Problem(self.document.at(path), show(path), message)

    def _wrong_names(self, owners: tuple[Any, ...]) -> Iterator[Problem]:
        known = [name for owner in owners for name in key_of(owner).spellings]
        for path, flag, name, meant in named_workloads(self.check.spec):
            if meant not in known:
                kind = "Deployment" if meant != name else "workload"
                message = f'there is no {kind} "{name}"{did_you_mean(meant, known)}'
                yield self._problem(path, flag, message)
            elif several := ambiguous(meant, owners):
                message = f'"{name}" may be {" or ".join(several)}: write KIND/NAME'
                yield self._problem(path, flag, message)
        for path, flag, name in named_properties(self.check.spec):
            if name not in (ids := self._statements()):
                message = f'there is no property "{name}"{did_you_mean(name, ids)}'
                yield self._problem(path, flag, message)

    def _nothing(self, owners: tuple[Any, ...]) -> Iterator[Problem]:
        if owners or self.extension.files:
            return
        names = [m.object for m in self.manifests.not_modelled if not m.path]
        found = f" (what there is is not modelled: {', '.join(names[:5])})" if names else ""
        if any(name.startswith(PLACEABLE) for name in names):
            found += "; whether its pods fit, kubelemma place tells"
        message = f"no workload: nothing to check{found}"
        position = self.document.at() if self.document else Position(self.question.paths[0])
        yield Problem(position, "", message)

    def _inconsistent(self, application: Application) -> Iterator[Problem]:
        """What does not go together: events, the cluster, and nodes that templates name."""
        spec = self.check.spec
        accounts = any(entry.delete_service_account for entry in spec.events or ())
        caches = accounts or bool(application.loaded.controllers)
        findings = check_findings(spec, application.nodes, application.owners, caches=caches)
        for path, message in findings:
            flag = {"events": "events", "cluster": "nodes"}.get(str(path[1]), "")
            yield self._problem(path, flag, message)
        documents = {id(m.object): m.document for m in owner_manifests(self.manifests)}
        for owner, finding in owner_findings(application.owners, spec, application.nodes):
            document = documents[id(owner)]
            yield Problem(document.at(finding.path), show(finding.path), finding.message)

    def _missing_properties(self, cases: tuple[Case, ...]) -> Iterator[Problem]:
        """Properties that are asked for or expected, and apply to nothing."""
        present = {prop.id for case in cases for prop in case.properties}
        for path, flag, name in named_properties(self.check.spec):
            if name not in present:
                yield self._problem(path, flag, f"{name} applies to nothing here")


def _annotatable(scenario: Scenario) -> tuple[str, ...]:
    """The objects of a scenario whose annotations count."""
    found = scenario.custom.objects.values()
    return (*scenario.focus, *(str(each) for objects in found for each in objects))


class _Cases(NamedTuple):
    """Cases, and what there can be none of."""

    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()


def _cases(group: Sequence[_Scope]) -> _Cases:
    """The cases of a Check, with each alternative by itself; there is at least one.

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
    group[0].refuse_missing(cases)
    return _Cases(cases, problems)


def _in_change(scenario: Scenario, applying: Applying | None) -> Scenario:
    """The scenario, which says what is applied where something is."""
    if applying is None:
        return scenario
    return replace(scenario, setting=(*applying.sentences, *scenario.setting))


def _in_variant(scenario: Scenario, variant: Variant) -> Scenario:
    """The scenario, which says so where there are alternatives."""
    if not variant.others:
        return scenario
    others = ", ".join(variant.others)
    said = f"alternative: {variant.name}; looked at by themselves are {others}"
    return replace(scenario, setting=(said, *scenario.setting))


class _Reader:
    """Reads manifests, and remembers what is to be said of them."""

    def __init__(self, question: Question, extension: Extension) -> None:
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []
        self._question = question
        self._extension = extension
        self._chosen = False
        self._base: Manifests | None = None

    def read(self, sources: Sequence[Source]) -> tuple[Variant, ...]:
        """The alternatives, or the one that is named."""
        asked = self._question
        found = intake(sources, kustomize=asked.kustomize, strict=asked.strict)
        self.warnings += found.warnings
        self.problems += found.problems
        self._chosen |= len(found.variants) > 1
        return choose(found.variants, asked.variant if len(found.variants) > 1 else "")

    def refuse_variant(self, given: tuple[Variant, ...]) -> None:
        """Refuse to choose where nothing that was read has alternatives.

        Raises:
            InvalidInput: that is so.
        """
        if not self._chosen:
            choose(given, self._question.variant)

    def groups(self, given: tuple[Variant, ...]) -> Iterator[tuple[_Scope, ...]]:
        """Each Check with its own resources, or else with all that is given."""
        bare = tuple(variant for variant in given if not variant.manifests.checks)
        checks = {id(c.document): c for variant in given for c in variant.manifests.checks}
        for check in checks.values():
            chosen = tuple(
                variant
                for variant in given
                if any(check.document is c.document for c in variant.manifests.checks)
            )
            if check.check.spec.resources:
                chosen = self.read([Source(path) for path in check.resources()])
            yield tuple(self._scope(v, check.check, check.document) for v in chosen)
        if bare:
            yield tuple(self._scope(variant, Check(), None) for variant in bare)

    def _scope(self, variant: Variant, check: Check, document: Document | None) -> _Scope:
        spec = _overridden(check.spec, self._question)
        manifests = variant.manifests.in_namespace(self._question.namespace)
        applying = None
        if self._question.base:
            applying = applying_of(self.base(), manifests, prune=self._question.prune)
            manifests = applying.after
            spec = applying.asked(spec)
        return _Scope(
            variant,
            manifests,
            msgspec.structs.replace(check, spec=spec),
            document,
            self._question,
            self._extension,
            applying,
        )

    def base(self) -> Manifests:
        """What stands before anything is applied.

        Raises:
            InvalidInput: it cannot be read, or is one of several alternatives.
        """
        if self._base is None:
            found = self.read(_sources(self._question.base, self._question))
            if len(found) != 1:
                names = ", ".join(variant.name for variant in found)
                message = f"folders define the same objects ({names}): choose one with --variant"
                raise InvalidInput([Problem(Position("--from"), "", message)])
            self._base = found[0].manifests.in_namespace(self._question.namespace)
        return self._base


def _overridden(spec: CheckSpec, question: Question) -> CheckSpec:
    """The specification in effect."""
    nodes = tuple(map(parse_nodes, question.nodes))
    events = parse_events(question.events)
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


def _objects(manifests: Manifests, kind: type[ObjectT]) -> tuple[ObjectT, ...]:
    return tuple(manifest.object for manifest in manifests.of(kind))


def _all_of(manifests: Manifests, kinds: Iterable[type[Any]]) -> tuple[Any, ...]:
    return tuple(manifest.object for kind in kinds for manifest in manifests.of(kind))


def _unused(given: Iterable[Variant], scopes: Iterable[_Scope]) -> Iterator[Problem]:
    """Workloads that were given, but that no Check is about."""
    used = {m.document.at() for scope in scopes for m in owner_manifests(scope.manifests)}
    for manifest in (m for variant in given for m in owner_manifests(variant.manifests)):
        if manifest.document.at() not in used:
            key = key_of(manifest.object)
            message = f"{key.kind} {key.name} is not checked: no scenario names this file"
            yield Problem(manifest.document.at(), "", message)
