"""Deployment.

Sources: ``pkg/apis/apps/v1/defaults.go``, ``pkg/apis/apps/validation/validation.go``,
``staging/src/k8s.io/api/apps/v1/types.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kubelemma.model.components.deployment.decision import resolve_fenceposts
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.objects.workloads import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    DeploymentStrategy,
    RollingUpdateDeployment,
)

from .kind import Kind, Stamp, Use
from .notes import NOT_PLACING, STATUS, irrelevant, not_modelled
from .parts.pod_defaults import given_or
from .parts.rules import at_least, at_most_whole
from .parts.templates import filled_template, lasting_template, selected, template_advice

_QUARTER = IntOrPercent(25, percent=True)
_REVISIONS = 10
_PROGRESS_SECONDS = 600

_ROLLING_UPDATE: FieldPath = ("spec", "strategy", "rollingUpdate")
_CONDITION = "decides when a condition is written: no controller reads it, and no pod depends on it"
_DEADLINE: FieldPath = ("spec", "progressDeadlineSeconds")

_ROLL_BACK = not_modelled(
    "is no longer read by Kubernetes (removed with extensions/v1beta1)", "rollbackTo"
)


def _filled(thing: Deployment) -> Deployment:
    spec = replace(
        thing.spec,
        replicas=given_or(thing.spec.replicas, 1),
        template=filled_template(thing.spec.template),
        strategy=_strategy(thing.spec.strategy),
        revision_history_limit=given_or(thing.spec.revision_history_limit, _REVISIONS),
        progress_deadline_seconds=given_or(thing.spec.progress_deadline_seconds, _PROGRESS_SECONDS),
    )
    return replace(thing, spec=spec)


def _strategy(strategy: DeploymentStrategy) -> DeploymentStrategy:
    if strategy.type == "Recreate":
        return strategy
    given = strategy.rolling_update or RollingUpdateDeployment()
    rolling = RollingUpdateDeployment(
        max_surge=given_or(given.max_surge, _QUARTER),
        max_unavailable=given_or(given.max_unavailable, _QUARTER),
    )
    return DeploymentStrategy(type="RollingUpdate", rolling_update=rolling)


def _refused(thing: Deployment) -> Iterator[Finding]:
    spec = thing.spec
    yield from at_least(0, spec.replicas, ("spec", "replicas"))
    yield from at_least(0, spec.min_ready_seconds, ("spec", "minReadySeconds"))
    yield from selected(spec.selector, spec.template)
    yield from lasting_template(spec.template)
    yield from _refused_strategy(spec.strategy)
    yield from at_least(0, spec.revision_history_limit, ("spec", "revisionHistoryLimit"))
    yield from _refused_deadline(spec)


def _refused_strategy(strategy: DeploymentStrategy) -> Iterator[Finding]:
    rolling = strategy.rolling_update
    if rolling is None:
        return
    if strategy.type == "Recreate":
        message = "is not allowed with type Recreate (remove it, or the type)"
        yield Finding(_ROLLING_UPDATE, message)
    surge, unavailable = rolling.max_surge, rolling.max_unavailable
    if surge is not None and unavailable is not None and surge.number == unavailable.number == 0:
        message = "maxSurge and maxUnavailable are both 0: no pod could be replaced"
        yield Finding(_ROLLING_UPDATE, message)
    yield from at_most_whole(unavailable, (*_ROLLING_UPDATE, "maxUnavailable"))


def _refused_deadline(spec: DeploymentSpec) -> Iterator[Finding]:
    deadline = spec.progress_deadline_seconds
    yield from at_least(0, deadline, _DEADLINE)
    if deadline is not None and 0 <= deadline <= spec.min_ready_seconds:
        yield Finding(_DEADLINE, f"{deadline} is not greater than minReadySeconds")


def _advice(thing: Deployment) -> Iterator[Finding]:
    return template_advice(thing.spec.template)


def _wanted(thing: Deployment) -> int:
    return thing.spec.replicas or 0


def _surge(thing: Deployment, replicas: int) -> int:
    rolling = thing.spec.strategy.rolling_update
    if rolling is None:
        return 0
    return resolve_fenceposts(rolling.max_surge, rolling.max_unavailable, replicas)[0]


KIND = Kind(
    Deployment,
    "apps/v1",
    check=Use(
        fields={
            DeploymentStatus: irrelevant(
                STATUS,
                "readyReplicas",
                "unavailableReplicas",
                "terminatingReplicas",
                "conditions",
                "collisionCount",
            ),
            DeploymentSpec: {**_ROLL_BACK, **irrelevant(_CONDITION, "progressDeadlineSeconds")},
        }
    ),
    placement=Use(
        fields={
            Deployment: irrelevant(NOT_PLACING, "status"),
            DeploymentSpec: {
                **_ROLL_BACK,
                **irrelevant(NOT_PLACING, "minReadySeconds", "paused", "progressDeadlineSeconds"),
                **irrelevant(NOT_PLACING, "revisionHistoryLimit"),
            },
        }
    ),
    filled=_filled,
    refused=_refused,
    advice=_advice,
    stamp=Stamp(_wanted, surge=_surge),
    immutable=(("spec", "selector"),),
)
