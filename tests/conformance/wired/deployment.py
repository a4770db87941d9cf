"""Problems of the Deployment controller: the sizes after one sync by its rule, and its plan.

Each ReplicaSet is a template of one workload. Nobody else acts, so that the plan of the sync is
written to its end.
"""

from __future__ import annotations

from typing import NamedTuple

from recorded.deployments import deployment_view

from kubelemma.model.cluster.setting import Choices, Start
from kubelemma.model.cluster.state import DeploymentState, Queue, SetState
from kubelemma.model.cluster.world import Behaviour, PodClass, Rollout, Workload, World
from kubelemma.model.components.deployment.decision import max_surge
from kubelemma.model.components.deployment.rules import DEPLOYMENT
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.system import System

from . import Case, Found, matched

ANNOTATIONS = (
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
)
UNANNOTATED = "a ReplicaSet without the annotations that its Deployment gives it"
RECREATE = "strategy Recreate has no rolling step"
NO_NEW = "no ReplicaSet has the current template: the sync creates it"


class Sizes(NamedTuple):
    """What a sync leaves: the size of each ReplicaSet, and its annotations, by name."""

    replicas: dict[str, int]
    annotations: dict[str, str]


def _annotated(raw: Case) -> bool:
    return set(ANNOTATIONS) <= set(raw["metadata"].get("annotations", {}))


def _raw_sets(case: Case) -> list[Case]:
    """All ReplicaSets in order of creation, as recorded; the current one last among equals."""
    given = case["input"]
    return [*given["oldRSs"], *([given["newRS"]] if "newRS" in given else [])]


def compare_scale(case: Case) -> Found:
    """Proportional scaling: in a sync that only scales, as it does in one that is paused."""
    if not all(map(_annotated, _raw_sets(case))):
        return Found(skipped=UNANNOTATED)
    expect = case["expect"]["scale"]
    answer = synced(case, paused=not _is_scaling(case))
    return matched(answer, Sizes(expect["replicas"], expect["desiredMaxAnnotations"]), "scale")


def compare_step(case: Case) -> Found:
    """One step of a rolling update, with annotations that ask for no scaling: it reads none."""
    if case["input"]["deployment"]["spec"]["strategy"]["type"] == "Recreate":
        return Found(skipped=RECREATE)
    if "newRS" not in case["input"]:
        return Found(skipped=NO_NEW)
    expect = case["expect"]
    # Where the clean-up fails midway, what it had sent is told only of the old ReplicaSets' part.
    failed = expect["rollingStep"]["acted"] == "none"
    wanted = expect["reconcileOld" if failed else "rollingStep"]["replicas"]
    return matched(synced(case, paused=False, scaled=True).replicas, wanted, "rolling step")


def _is_scaling(case: Case) -> bool:
    """Whether some ReplicaSet with pods was last scaled for another number of replicas."""
    wanted = str(case["input"]["deployment"]["spec"]["replicas"])
    return any(
        raw["spec"]["replicas"] > 0 and raw["metadata"]["annotations"][ANNOTATIONS[0]] != wanted
        for raw in _raw_sets(case)
    )


def synced(case: Case, *, paused: bool, scaled: bool = False) -> Sizes:
    """The ReplicaSets after one sync that nobody disturbs.

    ``scaled``: they start with the annotations of the present ``spec.replicas``.
    """
    system = _system(case, paused=paused, scaled=scaled)
    state, first = system.initial, True
    while first or state[0].plan:
        (rule,) = (rule for rule in system.rules if rule.actor == DEPLOYMENT)
        steps = list(system.successors(state, rule.name))
        steps = [step for step in steps if step.outcome.action != "give-up-sync"]
        if not steps:
            break
        (step,) = steps
        state, first = step.state, False
    names = [raw["metadata"]["name"] for raw in _raw_sets(case)]
    left = {names[s.template]: s for s in state[0].sets}
    return Sizes(
        {name: s.replicas for name, s in left.items()},
        {name: f"{s.desired}/{s.maximum}" for name, s in left.items()},
    )


def _system(case: Case, *, paused: bool, scaled: bool) -> System:
    view = deployment_view(decode(case["input"]["deployment"], Deployment))
    raw = _raw_sets(case)
    # Where the current template has no ReplicaSet, it is one more template.
    templates = len(raw) + (0 if "newRS" in case["input"] else 1)
    workload = Workload(
        index=0,
        kind="Deployment",
        namespace="default",
        name="d",
        classes=tuple(range(templates)),
        templates=templates,
        rollout=Rollout(
            recreate=view.rolling_update is None,
            max_surge=view.rolling_update.max_surge if view.rolling_update else None,
            max_unavailable=view.rolling_update.max_unavailable if view.rolling_update else None,
            revision_history_limit=10,
        ),
    )
    world = World((workload,), tuple(_pod_class(t) for t in range(templates)), (), (), frozenset())
    told = (view.replicas, view.replicas + max_surge(view)) if scaled else None
    sets = tuple(_set_state(template, one, told) for template, one in enumerate(raw))
    deployment = DeploymentState(view.replicas, templates - 1, paused, sets)
    start = Start((deployment,), (Queue.of((0,) * templates),), ())
    return assemble(world, (start,), (), Choices())


def _set_state(template: int, raw: Case, told: tuple[int, int] | None) -> SetState:
    annotations = raw["metadata"].get("annotations", {})
    desired, most = told or (int(annotations[key]) for key in ANNOTATIONS)
    return SetState(
        template=template,
        revision=template + 1,
        replicas=raw["spec"]["replicas"],
        desired=desired,
        maximum=most,
        status_replicas=raw["status"].get("replicas", 0),
        status_available=raw["status"].get("availableReplicas", 0),
    )


def _pod_class(template: int) -> PodClass:
    return PodClass(
        index=template,
        workload=0,
        template=template,
        pod=Pod(),
        behaviour=Behaviour.HEALTHY,
        min_ready_seconds=0,
        deletion_cost=0,
        selector=LabelSelector(),
    )
