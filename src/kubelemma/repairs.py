"""Repairs that are tried: the same question, asked of manifests that were changed as advised.

Only repairs of a few fields are known here. Whether one helps is searched, in so few states that
nobody waits for it; what that leaves open is said to be so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

from msgspec import structs

from .asked import Case, Changing
from .leaving_open import with_doubts
from .model.objects.pod import PodSpec, TopologySpreadConstraint
from .model.objects.quantity import IntOrPercent
from .model.objects.workloads import Deployment, DeploymentStrategy, RollingUpdateDeployment
from .properties.statement import Severity
from .reports.advice import advice
from .reports.cases import Repair
from .reports.document import Report, ScenarioReport, Tried
from .reports.grouping import Found, failures
from .solver.result import CheckResult, Verdict

STATES = 20_000
"""So many states of a repaired system are searched: two or three seconds."""
MOST = 6
"""So many repairs are tried in one run."""


def _rolling(owner: Deployment, update: RollingUpdateDeployment | None) -> Deployment:
    strategy = DeploymentStrategy(type="RollingUpdate", rolling_update=update)
    return structs.replace(owner, spec=structs.replace(owner.spec, strategy=strategy))


def _old_first(owner: Deployment) -> Deployment:
    bounds = RollingUpdateDeployment(max_surge=IntOrPercent(0), max_unavailable=IntOrPercent(1))
    return _rolling(owner, bounds)


def _rolling_update(owner: Deployment) -> Deployment:
    return _rolling(owner, None)


def _recreate(owner: Deployment) -> Deployment:
    strategy = DeploymentStrategy(type="Recreate", rolling_update=None)
    return structs.replace(owner, spec=structs.replace(owner.spec, strategy=strategy))


def _of_pods(owner: Deployment, change: Callable[[PodSpec], PodSpec]) -> Deployment:
    template = structs.replace(owner.spec.template, spec=change(owner.spec.template.spec))
    return structs.replace(owner, spec=structs.replace(owner.spec, template=template))


def _spread(**fields: Any) -> Changing:
    """Another value for fields of the constraints that are a must."""

    def changed(constraint: TopologySpreadConstraint) -> TopologySpreadConstraint:
        must = constraint.when_unsatisfiable == "DoNotSchedule"
        return structs.replace(constraint, **fields) if must else constraint

    def of_pod(pod: PodSpec) -> PodSpec:
        found = tuple(map(changed, pod.topology_spread_constraints or ()))
        return structs.replace(pod, topology_spread_constraints=found)

    return lambda owner: _of_pods(owner, of_pod)


def _preferring(pod: PodSpec) -> PodSpec:
    """Without what is required: a wish keeps no pod from any node."""
    if pod.affinity is None or pod.affinity.pod_anti_affinity is None:
        return pod
    anti = structs.replace(pod.affinity.pod_anti_affinity, required=None)
    return structs.replace(pod, affinity=structs.replace(pod.affinity, pod_anti_affinity=anti))


def _preferred(owner: Deployment) -> Deployment:
    return _of_pods(owner, _preferring)


CHANGES: Mapping[Repair, Changing] = MappingProxyType(
    {
        Repair.OLD_FIRST: _old_first,
        Repair.ROLLING_UPDATE: _rolling_update,
        Repair.RECREATE: _recreate,
        Repair.HONOR_TAINTS: _spread(node_taints_policy="Honor"),
        Repair.EACH_VERSION: _spread(match_label_keys=("pod-template-hash",)),
        Repair.SPREAD_AS_A_WISH: _spread(when_unsatisfiable="ScheduleAnyway"),
        Repair.APART_AS_A_WISH: _preferred,
    }
)
"""How each repair changes a Deployment."""


Explore: TypeAlias = Callable[[Case, int], CheckResult]
"""Searches a case, in no more than so many states."""


def with_trials(report: Report, cases: Sequence[Case], explore: Explore) -> Report:
    """The report, with what came of the repairs that its stories advise.

    ``cases`` are those of its scenarios, in their order. Of equal stories the first is tried.
    """
    found = dict(_trials(report, cases, explore))
    scenarios = tuple(_told(scenario, found) for scenario in report.scenarios)
    return replace(report, scenarios=scenarios)


def _trials(
    report: Report, cases: Sequence[Case], explore: Explore
) -> Iterator[tuple[int, tuple[Tried, ...]]]:
    """What was tried for each property, by the identity of its report."""
    case_of = {id(s): case for s, case in zip(report.scenarios, cases, strict=True)}
    left = MOST
    for group in failures(report):
        case = case_of[id(group.first[0].scenario)]
        repairs = dict.fromkeys(
            one.repair for each in group.first for one in advice(each.prop) if one.repair
        )
        results = {}
        for repair in list(repairs)[:left]:
            result = _tried(case, repair, explore)
            if result is not None:
                results[repair] = result
                left -= 1
        for each in group.first:
            told = (_outcome(repair, each, found) for repair, found in results.items())
            yield id(each.prop), tuple(told)


def _tried(case: Case, repair: Repair, explore: Explore) -> CheckResult | None:
    """What comes out for the repaired manifests; None where they cannot be asked about."""
    repaired = case.changed(CHANGES[repair])
    if repaired is None:
        return None
    return with_doubts(explore(repaired, STATES), repaired)


def _outcome(repair: Repair, violated: Found, found: CheckResult) -> Tried:
    """What the repair makes of a violation, and what else it breaks that had been kept."""
    own = violated.prop
    verdict = _worst(
        Verdict.INCONCLUSIVE if p.vacuous else p.verdict
        for p in found.properties
        if (p.property.id, p.property.subject) == (own.id, own.subject)
    )
    before = {p.id for p in violated.scenario.properties if p.verdict is Verdict.VIOLATED}
    now = (p.property for p in found.properties if p.verdict is Verdict.VIOLATED)
    instead = {p.id for p in now if p.statement.severity in _GRAVE} - before
    return Tried(repair, verdict, tuple(sorted(instead)))


_GRAVE = frozenset({Severity.HIGH, Severity.CRITICAL})


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts) or {Verdict.INCONCLUSIVE}
    order = (Verdict.VIOLATED, Verdict.INCONCLUSIVE)
    return next((verdict for verdict in order if verdict in found), Verdict.HOLDS)


def _told(scenario: ScenarioReport, found: Mapping[int, tuple[Tried, ...]]) -> ScenarioReport:
    properties = tuple(
        replace(prop, tried=found[id(prop)]) if found.get(id(prop)) else prop
        for prop in scenario.properties
    )
    changed = any(new is not old for new, old in zip(properties, scenario.properties, strict=True))
    return replace(scenario, properties=properties) if changed else scenario
