"""StatefulSet.

Sources: ``pkg/apis/apps/v1/defaults.go``, ``pkg/apis/apps/validation/validation.go``,
``pkg/controller/statefulset/stateful_set_control.go`` (when a pod is made again).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.controllers import (
    RollingUpdateStatefulSet,
    StatefulSet,
    StatefulSetSpec,
    StatefulSetStatus,
    StatefulSetUpdateStrategy,
)

from .kind import Kind, Stamp, Use
from .notes import NOT_PLACING, ROLLING, STATUS, irrelevant
from .parts.names import dns_label, dns_subdomain
from .parts.pod_defaults import given_or
from .parts.rules import at_least, at_most_whole, problem
from .parts.templates import filled_template, lasting_template, selected, template_advice
from .parts.volumes import claim_spec

_REVISIONS = 10

_ROLLING_UPDATE: FieldPath = ("spec", "updateStrategy", "rollingUpdate")
_TEMPLATES: FieldPath = ("spec", "volumeClaimTemplates")

_CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
"""The fields of a spec that may change once the object is there."""

_NO_POD = (
    " (the API server accepts the StatefulSet, and refuses each claim that is made from this "
    "template: no pod is ever made)"
)
_NAMES = "gives pods names in DNS, which nobody looks up here"
_NONE_DELETED = (
    "a StatefulSet that is deleted stays so here: what becomes of its claims matters to nobody"
)


def _filled(thing: StatefulSet) -> StatefulSet:
    spec = replace(
        thing.spec,
        replicas=given_or(thing.spec.replicas, 1),
        template=filled_template(thing.spec.template),
        pod_management_policy=thing.spec.pod_management_policy or "OrderedReady",
        update_strategy=_strategy(thing.spec.update_strategy),
        revision_history_limit=given_or(thing.spec.revision_history_limit, _REVISIONS),
    )
    return replace(thing, spec=spec)


def _strategy(strategy: StatefulSetUpdateStrategy) -> StatefulSetUpdateStrategy:
    """A type without ``rollingUpdate`` keeps none; only without a type it becomes partition 0."""
    rolling = strategy.rolling_update
    if strategy.type == "":
        rolling = rolling or RollingUpdateStatefulSet()
    if strategy.type != "OnDelete" and rolling is not None:
        rolling = replace(rolling, partition=given_or(rolling.partition, 0))
    return StatefulSetUpdateStrategy(type=strategy.type or "RollingUpdate", rolling_update=rolling)


def _refused(thing: StatefulSet) -> Iterator[Finding]:
    spec = thing.spec
    yield from at_least(0, spec.replicas, ("spec", "replicas"))
    yield from at_least(0, spec.min_ready_seconds, ("spec", "minReadySeconds"))
    yield from at_least(0, spec.ordinals.start, ("spec", "ordinals", "start"))
    if spec.service_name:
        yield from problem(("spec", "serviceName"), dns_subdomain(spec.service_name))
    yield from selected(spec.selector, spec.template)
    yield from lasting_template(spec.template)
    yield from _refused_strategy(spec.update_strategy)
    yield from _refused_claims(spec)


def _refused_strategy(strategy: StatefulSetUpdateStrategy) -> Iterator[Finding]:
    rolling = strategy.rolling_update
    if rolling is None:
        return
    if strategy.type == "OnDelete":
        message = "is not allowed with type OnDelete (remove it, or the type)"
        yield Finding(_ROLLING_UPDATE, message)
    yield from at_least(0, rolling.partition, (*_ROLLING_UPDATE, "partition"))
    most, path = rolling.max_unavailable, (*_ROLLING_UPDATE, "maxUnavailable")
    yield from at_most_whole(most, path)
    if most is not None and most.number == 0:
        yield Finding(path, f"{most}: no pod could be replaced")


def _advice(thing: StatefulSet) -> Iterator[Finding]:
    spec = thing.spec
    yield from template_advice(spec.template)
    rolling = spec.update_strategy.rolling_update
    if rolling is not None and rolling.max_unavailable is not None:
        message = (
            "counts only where the feature gate MaxUnavailableStatefulSet is on, as in Kubernetes "
            "1.35.0 to 1.35.3: elsewhere one pod is replaced at a time"
        )
        yield Finding((*_ROLLING_UPDATE, "maxUnavailable"), message)
    partition, replicas = (rolling.partition or 0 if rolling else 0), spec.replicas
    if partition and partition >= given_or(replicas, 1):
        message = f"{partition} is not below replicas: a new template reaches no pod"
        yield Finding((*_ROLLING_UPDATE, "partition"), message)
    yield from _claim_advice(spec)


def _refused_claims(spec: StatefulSetSpec) -> Iterator[Finding]:
    """What the API server refuses of each claim: templates themselves are not validated."""
    for index, template in enumerate(spec.volume_claim_templates or ()):
        path: FieldPath = (*_TEMPLATES, index)
        for found in claim_spec(template.spec, (*path, "spec")):
            yield found._replace(message=f"{found.message}{_NO_POD}")
        name = template.metadata.name
        yield from problem((*path, "metadata", "name"), dns_label(name))


def _claim_advice(spec: StatefulSetSpec) -> Iterator[Finding]:
    names: set[str] = set()
    for index, template in enumerate(spec.volume_claim_templates or ()):
        if template.metadata.name in names:
            message = f'"{template.metadata.name}" is there twice: pods get one claim of this name'
            yield Finding((*_TEMPLATES, index, "metadata", "name"), message)
        names.add(template.metadata.name)


def _refused_change(
    _before: StatefulSet, _after: StatefulSet, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    fixed = [path for path in changed if path[:1] == ("spec",) and path[1] not in _CHANGEABLE]
    if fixed:
        *others, last = (f"'{name}'" for name in _CHANGEABLE)
        message = (
            "Forbidden: updates to statefulset spec for fields other than "
            f"{', '.join(others)} and {last} are forbidden"
        )
        yield Finding(fixed[0][:2], message)


def _wanted(thing: StatefulSet) -> int:
    return thing.spec.replicas or 0


KIND = Kind(
    StatefulSet,
    "apps/v1",
    check=Use(
        fields={
            StatefulSetStatus: irrelevant(
                STATUS, "observedGeneration", "updatedReplicas", "conditions", "collisionCount"
            ),
            StatefulSetSpec: {
                **irrelevant(_NAMES, "serviceName"),
                "persistentVolumeClaimRetentionPolicy": {
                    **irrelevant(_NONE_DELETED, "whenDeleted"),
                    "whenScaled": None,
                },
            },
        }
    ),
    placement=Use(
        fields={
            StatefulSet: irrelevant(NOT_PLACING, "status"),
            StatefulSetSpec: {
                **irrelevant(NOT_PLACING, "serviceName", "podManagementPolicy", "minReadySeconds"),
                **irrelevant(NOT_PLACING, "revisionHistoryLimit"),
                **irrelevant(NOT_PLACING, "persistentVolumeClaimRetentionPolicy"),
                **irrelevant(ROLLING, "updateStrategy"),
                "volumeClaimTemplates": None,
            },
        }
    ),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    stamp=Stamp(_wanted, waits_for_end=True),
    refused_change=_refused_change,
)
