"""One Check with the manifests that it is about, and the cases that come of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import msgspec

from .applying import Applying, changed
from .asked import Case, Changing, Question
from .loading import Extension, unknown_kinds
from .mentions import (
    OPTIONS,
    lacking_of,
    named_for_nothing,
    named_properties,
    named_workloads,
    with_adopted,
    with_balancers,
)
from .model.components.registry import KINDS
from .model.components.servicelb.decision import BALANCED
from .model.manifests import (
    Check,
    CheckSpec,
    Document,
    FieldPath,
    InvalidInput,
    Manifests,
    Position,
    Problem,
    Variant,
    did_you_mean,
    show,
)
from .model.manifests.groups import nodes_of
from .model.objects.node import Namespace, Node
from .model.objects.pod import Pod
from .model.objects.service import Service
from .model.objects.workloads import Deployment
from .model.scenario import (
    Application,
    Asking,
    Kept,
    Loaded,
    Scenario,
    Sizing,
    ambiguous,
    apart,
    build,
    check_findings,
    cluster_of,
    cluster_scoped,
    is_named,
    kept_objects,
    key_of,
    known_kinds,
    mirrored,
    owner_findings,
    owner_manifests,
    part_manifests,
    smaller_sizes,
    static_findings,
    storage_findings,
    under_way,
    with_replicas,
    without_kept,
)
from .model.scenario.admitting import policies_of
from .model.scenario.said import absent
from .policy import Annotations, read_annotations
from .properties.catalogue import STATEMENTS
from .properties.select import properties_for, usual_for
from .properties.statement import Property, Statement

ObjectT = TypeVar("ObjectT")

PLACEABLE = ("DaemonSet ", "Job ")
"""How objects are called whose pods no check has, but a placement does."""


class _About(NamedTuple):
    """What all cases of a scope are about; ``moving`` is under way before anything is applied.

    ``apart``: whether what is applied does not interact.
    """

    application: Application
    manifests: Manifests
    kept: tuple[Kept, ...]
    moving: tuple[Any, ...]
    apart: bool


@dataclass(frozen=True, slots=True)
class Scope:
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
        """What is applied, be it what is there already, and to what."""
        return () if self.applying is None else (self.applying.base, self.applying.new)

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
            pods=mirrored(_objects(there, Pod), self.check.spec.cluster),
            namespaces=_objects(there, Namespace),
            objects=_all_of(there, KINDS),
            policies=policies_of(applying.base if applying is not None else there),
            loaded=self._loaded(kept),
            changes=applying.changes if applying is not None else (),
            policies_after=policies_of(self.manifests),
            arriving=applying.pods if applying is not None else (),
        )

    def cases(self) -> Cases:
        """The cases, of which an alternative may have none."""
        if self.rests():
            return Cases()
        kept = self._kept()
        application = self._application(kept)
        moving: tuple[Any, ...] = ()
        free = True
        if self.applying is not None:
            sizing = cluster_of(application, self.check)
            moving = under_way(application, self.check, sizing)
            free = apart(application, self.check, sizing)
        check = self._own_check(moving, apart=free)
        if check is None:
            return Cases()
        self._refuse(self._inconsistent(application))
        sizing = cluster_of(application, check)
        manifests = without_kept(with_adopted(self.manifests), self.extension.kinds, kept)
        if check.spec.cloud is not None:
            manifests = with_balancers(manifests)
        about = _About(application, manifests, kept, moving, apart=free)
        cases = self._built(about, check, sizing)
        return Cases(tuple(cases), tuple(self._placeless(check.spec, sizing)))

    def of_applied(self) -> Scope | None:
        """What is asked of the workloads that are applied, once the change is through.

        All else is there as well: nodes, budgets, other workloads. None where no workload is.
        """
        applying, spec = self.applying, self.check.spec
        if applying is None:
            return None
        names = tuple(
            key_of(manifest.object).spellings[-1]
            for manifest in owner_manifests(applying.new)
            if not spec.workloads or is_named(manifest.object, spec.workloads)
        )
        if not names:
            return None
        spec = msgspec.structs.replace(spec, workloads=names)
        return replace(
            self,
            manifests=applying.at_rest(),
            check=msgspec.structs.replace(self.check, spec=spec),
            question=replace(self.question, base=(), standing="", prune=False, thorough=False),
            applying=None,
        )

    def _built(self, about: _About, check: Check, sizing: Sizing) -> Iterator[Case]:
        """A case for each scenario that is asked anything."""
        application, manifests, kept, moving, free = about
        suppressed = self.annotations(kept)
        begun = time.process_time()
        found = build(application, check, self._title(), sizing, self._asking())
        seconds = (time.process_time() - begun) / max(1, len(found))
        for scenario in found:
            if properties := self._properties(scenario):
                subjects = {p.subject for p in properties}
                yield Case(
                    _in_variant(changed(scenario, self.applying, moving, apart=free), self.variant),
                    properties,
                    scenario.check,
                    manifests,
                    suppressed.covering(subjects, _annotatable(scenario)),
                    self.document,
                    self.extension,
                    kept,
                    self.applying,
                    seconds,
                    smaller_sizes(application, scenario),
                    partial(self._again, about, scenario),
                    partial(self._changed, about, scenario) if self.applying is None else None,
                )

    def _again(self, about: _About, scenario: Scenario, replicas: int) -> Case | None:
        """The question of a scenario, asked of so many replicas."""
        fewer = with_replicas(about.application, scenario, replicas)
        sizing = cluster_of(fewer, scenario.check)
        cases = self._built(about._replace(application=fewer), scenario.check, sizing)
        return next((each for each in cases if each.scenario.focus == scenario.focus), None)

    def _changed(self, about: _About, scenario: Scenario, change: Changing) -> Case | None:
        """The question of a scenario, asked of the same cluster with changed Deployments."""
        there = about.application
        owners = tuple(
            change(owner)
            if isinstance(owner, Deployment) and str(key_of(owner)) in scenario.focus
            else owner
            for owner in there.owners
        )
        about = about._replace(application=replace(there, owners=owners))
        cases = self._built(about, scenario.check, cluster_of(there, scenario.check))
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

    def _own_check(self, moving: tuple[Any, ...], *, apart: bool) -> Check | None:
        """The Check about the workloads that no other alternative is asked about; None if none.

        ``moving`` are those that are under way before anything is applied.
        """
        spec = self.check.spec
        if self.applying is not None:
            spec = self.applying.asked(spec, moving, apart=apart)
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

    def lacking(self) -> Iterator[Problem]:
        """What templates refer to and was not given, or lacks a key."""
        there = self.manifests if self.applying is None else self.applying.after
        return lacking_of(there, absent(self.check.spec))

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
        """Refuse properties that apply to nothing, and deletions of what no pod uses.

        Raises:
            InvalidInput: with all of them.
        """
        self._refuse(self._missing_properties(cases))
        found = named_for_nothing(self.check.spec, (case.scenario for case in cases))
        self._refuse(self._problem(path, "events", message) for path, message in found)

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
        there = [self.manifests, *([self.applying.before] if self.applying else [])]
        services = {
            f"{s.metadata.namespace}/{s.metadata.name}": s.spec.type == BALANCED
            for each in there
            for s in _objects(each, Service)
        }
        owners = application.admitted().owners
        findings = chain(
            check_findings(spec, application.nodes, owners, caches=caches, services=services),
            static_findings(_objects(there[-1], Pod), spec.cluster),
        )
        for path, message in findings:
            flag = {"events": "events", "cluster": "nodes"}.get(str(path[1]), "")
            yield self._problem(path, flag, message)
        documents = {id(m.object): m.document for each in there for m in owner_manifests(each)}
        for owner, finding in owner_findings(application.owners, spec, application.nodes):
            document = documents[id(owner)]
            yield Problem(document.at(finding.path), show(finding.path), finding.message)

    def of_storage(self) -> Iterator[Problem]:
        """What keeps pods of its workloads Pending for want of a claim, or of a volume."""
        there = self.manifests
        objects = _all_of(there, KINDS)
        spec = self.check.spec
        every = (m.object for m in owner_manifests(there))
        owners = [o for o in every if not spec.workloads or is_named(o, spec.workloads)]
        nodes = (*_objects(there, Node), *nodes_of(spec.cluster))
        documents = {id(m.object): m.document for m in there.objects}
        for found, finding in storage_findings(owners, objects, nodes):
            document = documents[id(found)]
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


class Cases(NamedTuple):
    """Cases, and what there can be none of."""

    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()


def _in_variant(scenario: Scenario, variant: Variant) -> Scenario:
    """The scenario, which says so where there are alternatives."""
    if not variant.others:
        return scenario
    others = ", ".join(variant.others)
    said = f"alternative: {variant.name}; looked at by themselves are {others}"
    return replace(scenario, setting=(said, *scenario.setting))


def _objects(manifests: Manifests, kind: type[ObjectT]) -> tuple[ObjectT, ...]:
    return tuple(manifest.object for manifest in manifests.of(kind))


def _all_of(manifests: Manifests, kinds: Iterable[type[Any]]) -> tuple[Any, ...]:
    return tuple(manifest.object for kind in kinds for manifest in manifests.of(kind))
