"""From what somebody asks to the scenarios that have to be explored.

What is said directly (on the command line) comes before what a ``kind: Check`` document says, and
that before the defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import msgspec

from .applying import Applying, changed, nothing_asked
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
    did_you_mean,
    parse_events,
    parse_nodes,
    show,
)
from .model.objects.node import Namespace, Node
from .model.objects.pod import Pod
from .model.objects.quantity import Quantity
from .model.scenario import (
    Application,
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
    under_way,
    without_kept,
)
from .model.scenario.admitting import policies_of
from .policy import Annotations, Rule, read_annotations
from .properties.catalogue import STATEMENTS
from .properties.select import properties_for
from .properties.statement import Property, Statement
from .reader import Read, Reader, Sources

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
        standing: what stands, as text, beside that.
        prune: whether what stands and is not among the others is taken away.
        max_states, time_limit_seconds, max_memory_bytes: where the search gives up.
    """

    paths: tuple[str, ...]
    load: tuple[str, ...] = ()
    stdin: str | bytes = ""
    stdin_name: str = "<stdin>"
    nodes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
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
    standing: str = ""
    prune: bool = False
    max_states: int | None = None
    time_limit_seconds: float | None = None
    max_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario with its properties, what it was made from, and what its manifests suppress.

    ``document`` is that of the Check, None where nobody wrote one; ``applying`` what is applied to
    what stands, where something is.
    """

    scenario: Scenario
    properties: tuple[Property, ...]
    check: Check
    manifests: Manifests
    suppressions: tuple[Rule, ...] = ()
    document: Document | None = None
    extension: Extension = NOTHING
    kept: tuple[Kept, ...] = ()
    applying: Applying | None = None


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
    reader = Reader(_sources_of(question))
    given = reader.read(_sources(question.paths, question))
    groups = [
        [_scope_of(read, question, extension) for read in group] for group in reader.groups(given)
    ]
    reader.refuse_variant(given)
    scopes = tuple(scope for group in groups for scope in group)
    statements = {**STATEMENTS, **extension.statements}
    applyings = [scope.applying for scope in scopes if scope.applying is not None]
    if scopes and len(applyings) == len(scopes) and all(scope.rests() for scope in scopes):
        return Asked(
            (),
            tuple(reader.warnings),
            statements,
            tuple(reader.problems),
            unchanged=nothing_asked(applyings),
            left_open=any(each.aside or each.open for each in applyings),
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


def _scope_of(read: Read, question: Question, extension: Extension) -> _Scope:
    spec = _overridden(read.check.spec, question)
    check = msgspec.structs.replace(read.check, spec=spec)
    return _Scope(
        read.variant, read.manifests, check, read.document, question, extension, read.applying
    )


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

    @property
    def applied(self) -> tuple[Manifests, ...]:
        """What is applied, be it what is there already."""
        return () if self.applying is None else (self.applying.new,)

    def rests(self) -> bool:
        """Whether nothing is applied by a step, and nothing is under way either."""
        applying = self.applying
        if applying is None or applying.has_steps or (applying.at_once and self.check.spec.events):
            return False
        application = self._application(())
        return not under_way(application, self.check, cluster_of(application, self.check))

    def _application(self, kept: tuple[Kept, ...]) -> Application:
        there, applying = self.manifests, self.applying
        if applying is not None:
            there = applying.before
        return Application(
            owners=tuple(m.object for m in owner_manifests(there)),
            parts=tuple(m.object for m in part_manifests(there)),
            nodes=_objects(there, Node),
            pods=_objects(there, Pod),
            namespaces=_objects(there, Namespace),
            objects=_all_of(there, KINDS),
            policies=policies_of(applying.base if applying is not None else there),
            loaded=self._loaded(kept),
            changes=applying.changes if applying is not None else (),
            policies_after=policies_of(self.manifests),
            arriving=applying.pods if applying is not None else (),
        )

    def cases(self) -> _Cases:
        """The cases, of which an alternative may have none."""
        if self.rests():
            return _Cases()
        kept = self._kept()
        application = self._application(kept)
        moving: tuple[Any, ...] = ()
        if self.applying is not None:
            moving = under_way(application, self.check, cluster_of(application, self.check))
        check = self._own_check(moving)
        if check is None:
            return _Cases()
        self._refuse(self._inconsistent(application))
        sizing = cluster_of(application, check)
        suppressed = self.annotations(kept)
        kinds = self.extension.kinds
        manifests = without_kept(with_adopted(self.manifests), kinds, kept)
        asked, declared = self.check.spec.properties, self.extension.properties
        cases = tuple(
            Case(
                _in_variant(changed(scenario, self.applying, moving), self.variant),
                properties,
                check,
                manifests,
                suppressed.covering({p.subject for p in properties}, _annotatable(scenario)),
                self.document,
                self.extension,
                kept,
                self.applying,
            )
            for scenario in build(application, check, self._title(), sizing)
            if (properties := properties_for(scenario, asked, declared))
        )
        return _Cases(cases, tuple(self._placeless(check.spec, sizing)))

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

    def _title(self) -> str:
        """What the scenarios are called after: the Check, the alternative, or both."""
        return " in ".join(filter(None, (self.check.metadata.name, self.variant.name)))

    def _own_check(self, moving: tuple[Any, ...]) -> Check | None:
        """The Check about the workloads that no other alternative is asked about; None if none.

        ``moving`` are those that are under way before anything is applied.
        """
        spec = self.check.spec
        if self.applying is not None:
            spec = self.applying.asked(spec, moving)
        if self.variant.own:
            going = set(map(key_of, moving))
            own = tuple(
                key_of(manifest.object).spellings[-1]
                for manifest in owner_manifests(self.manifests)
                if manifest.document.file in self.variant.own or key_of(manifest.object) in going
                if not spec.workloads or is_named(manifest.object, spec.workloads)
            )
            if not own:
                return None
            spec = msgspec.structs.replace(spec, workloads=own)
        return msgspec.structs.replace(self.check, spec=spec)

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
        there = [self.manifests, *([self.applying.before] if self.applying else [])]
        documents = {id(m.object): m.document for each in there for m in owner_manifests(each)}
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


def _in_variant(scenario: Scenario, variant: Variant) -> Scenario:
    """The scenario, which says so where there are alternatives."""
    if not variant.others:
        return scenario
    others = ", ".join(variant.others)
    said = f"alternative: {variant.name}; looked at by themselves are {others}"
    return replace(scenario, setting=(said, *scenario.setting))


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
    given_to = [m for scope in scopes for m in (scope.manifests, *scope.applied)]
    used = {m.document.at() for manifests in given_to for m in owner_manifests(manifests)}
    for manifest in (m for variant in given for m in owner_manifests(variant.manifests)):
        if manifest.document.at() not in used:
            key = key_of(manifest.object)
            message = f"{key.kind} {key.name} is not checked: no scenario names this file"
            yield Problem(manifest.document.at(), "", message)
