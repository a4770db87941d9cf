"""What the strategies draw is valid, diverse, and shrinks to what a person would write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from drawn import DRAWN
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from kubelemma.model.kinds.registry import KINDS
from kubelemma.model.manifests import PLACE, InvalidInput, Source, load
from kubelemma.model.manifests.documents import parse
from kubelemma.model.objects.controllers import Job
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment
from kubelemma.solver.result import Verdict
from kubelemma.testing import check, strategies

Manifest = dict[str, Any]

DEPLOYMENTS = strategies.deployments()
PLACED = st.one_of(*(drawn for kind, drawn in DRAWN.items() if kind in PLACE.kinds))
"""Objects of the kinds that placement is about."""

ALL = settings.default.max_examples
sometimes = settings(max_examples=ALL // 5, suppress_health_check=list(HealthCheck))
"""For what takes long: thousands of objects in the explore profile, few otherwise."""


def text_of(manifest: Manifest) -> str:
    """The object as a user would write it to a file."""
    return yaml.safe_dump(manifest, sort_keys=False)


def test_every_kind_has_a_strategy() -> None:
    """What is read can be drawn."""
    assert list(DRAWN) == [kind.name for kind in KINDS]


@settings(suppress_health_check=list(HealthCheck))
@given(PLACED)
def test_objects_are_valid(manifest: Manifest) -> None:
    """The reader takes every object, with no warning and no field that Kubernetes does not have."""
    read = load([Source("drawn.yaml", text_of(manifest))], purpose=PLACE)
    ((found, _, _),) = read.objects
    assert read.warnings == ()
    assert [n for n in read.not_modelled if "no field of Kubernetes" in n.reason] == []
    assert found.metadata.name == manifest["metadata"]["name"]


@sometimes
@given(strategies.disruption_budgets(), strategies.services())
def test_onlookers_are_valid(budget: Manifest, service: Manifest) -> None:
    """A budget has one bound and selects something; the reader takes it, and Services, as well."""
    assert len({"minAvailable", "maxUnavailable"} & set(budget["spec"])) == 1
    assert budget["spec"]["selector"]
    read = load([Source("drawn.yaml", yaml.safe_dump_all([budget, service]))])
    assert read.warnings == ()


@sometimes
@given(PLACED)
def test_files_mean_what_was_drawn(manifest: Manifest) -> None:
    """A dumped object is read as it was drawn, by PyYAML and by the reader."""
    text = text_of(manifest)
    assert yaml.safe_load(text) == manifest
    (document,) = parse("drawn.yaml", text).documents
    assert document.data == manifest


@sometimes
@given(strategies.scenarios())
def test_scenarios_are_decided(documents: list[Manifest]) -> None:
    """A scenario is read, explored within its bounds, and only these leave anything open."""
    found = check(*documents, engine="plain")
    for scenario in found.report.scenarios:
        whole = scenario.statistics.exhaustive
        reason = scenario.statistics.stopped_by
        assert whole or reason in {"max-states", "all-violated"} or scenario.statistics.cut_states
        assert scenario.verdict is not Verdict.INCONCLUSIVE or not whole or reason is None


@sometimes
@given(strategies.typed(strategies.deployments(), Deployment, defaults=True))
def test_typed_with_defaults(deployment: Deployment) -> None:
    """A typed Deployment is as the API server stores it."""
    assert isinstance(deployment, Deployment)
    assert deployment.spec.replicas is not None
    assert deployment.metadata.namespace


@sometimes
@given(
    node=strategies.typed(strategies.nodes(), Node),
    job=strategies.typed(strategies.jobs(), Job),
    budget=strategies.typed(strategies.disruption_budgets(), PodDisruptionBudget, defaults=True),
)
def test_typed(node: Node, job: Job, budget: PodDisruptionBudget) -> None:
    """Every kind that the model has a type for can be drawn as that type."""
    assert isinstance(node, Node)
    assert isinstance(job, Job)
    assert isinstance(budget, PodDisruptionBudget)


# Diversity


MANY = 200
"""So many examples show every feature."""


def features(value: object, path: str = "") -> Iterator[str]:
    """The fields of an object by their paths, with their values where these are words."""
    match value:
        case {**fields}:
            for name, inner in fields.items():
                yield f"{path}.{name}"
                yield from features(inner, f"{path}.{name}")
        case [*items]:
            for item in items:
                yield from features(item, path)
        case str() | bool():
            yield f"{path}={value}"


def drawn_features(drawn: st.SearchStrategy[object], examples: int) -> Counter[str]:
    """In how many of so many examples each feature occurs."""
    found: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def draw(value: object) -> None:
        found.update(set(features(value)))

    draw()
    return found


_SPEC = ".spec.template.spec"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
WANTED = (
    ".metadata.namespace",
    ".spec.replicas",
    ".spec.paused=True",
    ".spec.minReadySeconds",
    ".spec.strategy.type=Recreate",
    ".spec.strategy.type=RollingUpdate",
    ".spec.strategy.rollingUpdate.maxSurge",
    ".spec.strategy.rollingUpdate.maxUnavailable",
    ".spec.selector.matchLabels",
    ".spec.selector.matchExpressions.operator=NotIn",
    f"{_SPEC}.hostNetwork=True",
    f"{_SPEC}.initContainers.restartPolicy=Always",
    f"{_SPEC}.containers.resources.requests.cpu",
    f"{_SPEC}.containers.resources.limits.memory",
    f"{_SPEC}.containers.resources.requests.example.com/gpu",
    f"{_SPEC}.containers.readinessProbe",
    f"{_SPEC}.containers.ports.hostPort",
    f"{_SPEC}.nodeSelector",
    f"{_SPEC}.affinity.nodeAffinity.{_REQUIRED}",
    f"{_SPEC}.affinity.nodeAffinity.{_PREFERRED}",
    f"{_SPEC}.affinity.podAffinity.{_REQUIRED}.topologyKey",
    f"{_SPEC}.affinity.podAntiAffinity.{_REQUIRED}.labelSelector",
    f"{_SPEC}.affinity.podAntiAffinity.{_PREFERRED}.weight",
    f"{_SPEC}.tolerations.effect=NoExecute",
    f"{_SPEC}.tolerations.tolerationSeconds",
    f"{_SPEC}.topologySpreadConstraints.whenUnsatisfiable=DoNotSchedule",
    f"{_SPEC}.topologySpreadConstraints.minDomains",
    f"{_SPEC}.schedulingGates",
    f"{_SPEC}.volumes.persistentVolumeClaim",
)


def test_deployments_are_diverse() -> None:
    """Every feature of a Deployment occurs in some of so many, and none in all."""
    found = drawn_features(DEPLOYMENTS, MANY)
    assert [feature for feature in WANTED if not found[feature]] == []
    assert [feature for feature in WANTED if found[feature] == MANY] == []


def test_scenarios_are_diverse() -> None:
    """There are nodes by themselves and in groups, all kinds of events, and budgets."""
    found = drawn_features(strategies.scenarios(), MANY // 2)
    events = {f.split(".")[3] for f in found if f.startswith(".spec.events.")}
    assert {"rollout", "nodeCrash"} <= events
    assert len(events) >= 7
    kinds = {"Check", "Deployment", "Node", "PodDisruptionBudget"}
    assert kinds <= {f.removeprefix(".kind=") for f in found if f.startswith(".kind=")}
    assert found[".spec.cluster.nodes"]
    assert found[".spec.together"]


# Shrinking


def simplest(drawn: st.SearchStrategy[Any]) -> Any:
    """The simplest example that there is."""
    quietly = settings(database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    return find(drawn, lambda _: True, settings=quietly)


def test_simplest_template() -> None:
    """A template shrinks to the least that the API server takes."""
    container = {"name": "web", "image": "registry.example/web:1"}
    assert simplest(strategies.pod_templates(constrained=False)) == {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [container]},
    }


def test_simplest_check() -> None:
    """A Check shrinks to one rollout on one node."""
    spec = simplest(strategies.checks(["web"]))["spec"]
    assert spec["events"] == [{"rollout": {"deployment": "web"}}]
    (group,) = spec["cluster"]["nodes"]
    assert set(group) == {"count", "allocatable"}
    assert group["count"] == 1


def test_invalid_objects_are_noticed() -> None:
    """The law is no tautology: an object that is spoilt is refused."""
    labels = {"app": "web"}
    container = {"name": "web", "image": "registry.example/web:1"}
    template = {"metadata": {"labels": {"app": "other"}}, "spec": {"containers": [container]}}
    spoilt = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    with pytest.raises(InvalidInput, match="not what the selector asks"):
        load([Source("drawn.yaml", text_of(spoilt))])
