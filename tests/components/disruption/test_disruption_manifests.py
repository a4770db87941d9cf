"""PodDisruptionBudgets as they are written: what is read, and what the API server would refuse."""

from __future__ import annotations

import pytest

from kubelemma.model.manifests import InvalidInput, Manifests, Source, load
from kubelemma.model.objects.disruption import PodDisruptionBudget, PodDisruptionBudgetSpec
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.quantity import IntOrPercent

BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: guard}
spec:
  selector: {matchLabels: {app: web}}
  minAvailable: 1
"""
SELECTOR = "  selector: {matchLabels: {app: web}}\n"
BOUND = "  minAvailable: 1\n"
POLICIES = "IfHealthyBudget, AlwaysAllow"


def read(text: str) -> Manifests:
    """What is read of a text."""
    return load([Source("f.yaml", text)])


@pytest.mark.parametrize(
    ("bound", "wanted"),
    [
        ("minAvailable: 1", {"min_available": IntOrPercent(1)}),
        ("minAvailable: 0", {"min_available": IntOrPercent(0)}),
        ("minAvailable: 100%", {"min_available": IntOrPercent(100, percent=True)}),
        ("maxUnavailable: 300", {"max_unavailable": IntOrPercent(300)}),
        (
            "unhealthyPodEvictionPolicy: AlwaysAllow",
            {"unhealthy_pod_eviction_policy": "AlwaysAllow"},
        ),
    ],
)
def test_fields(bound: str, wanted: dict[str, object]) -> None:
    """Everything that a budget says is read; the policy is left open where nothing is said."""
    (found,) = read(BUDGET.replace(BOUND, f"  {bound}\n")).of(PodDisruptionBudget)
    selector = LabelSelector(match_labels={"app": "web"})
    assert found.object.spec == PodDisruptionBudgetSpec(selector=selector, **wanted)  # type: ignore[arg-type]
    assert found.object.metadata.namespace == "default"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            BOUND,
            BOUND + "  maxUnavailable: 1\n",
            "4: spec: minAvailable and maxUnavailable cannot be both set (remove one of them)",
        ),
        (BOUND, "  minAvailable: -1\n", "6: spec.minAvailable: -1 is negative"),
        (BOUND, "  maxUnavailable: -1\n", "6: spec.maxUnavailable: -1 is negative"),
        (BOUND, "  minAvailable: 101%\n", '6: spec.minAvailable: "101%" is more than 100%'),
        (BOUND, "  maxUnavailable: 101%\n", '6: spec.maxUnavailable: "101%" is more than 100%'),
        (
            BOUND,
            "  maxUnavailable: -5%\n",
            '6: spec.maxUnavailable: "-5%" is neither an integer nor a percentage (negative)',
        ),
        (
            BOUND,
            '  minAvailable: "2"\n',
            (
                '6: spec.minAvailable: "2" is neither an integer nor a percentage'
                " (a quoted number; write 2 without quotes)"
            ),
        ),
        (
            BOUND,
            BOUND + "  unhealthyPodEvictionPolicy: Never\n",
            f'7: spec.unhealthyPodEvictionPolicy: "Never" is not one of {POLICIES}',
        ),
        (
            BOUND,
            BOUND + "  unhealthyPodEvictionPolicy: ''\n",
            f'7: spec.unhealthyPodEvictionPolicy: "" is not one of {POLICIES}',
        ),
        (
            SELECTOR,
            "  selector: {matchExpressions: [{key: app, operator: In}]}\n",
            "5: spec.selector.matchExpressions[0].values: is required: In compares with values",
        ),
        (
            SELECTOR,
            "  selector: {matchExpressions: [{key: app, operator: Is}]}\n",
            (
                '5: spec.selector.matchExpressions[0].operator: "Is" is not one of'
                " In, NotIn, Exists, DoesNotExist"
            ),
        ),
        (
            SELECTOR,
            "  selector: {matchLabels: {a/b/c: d}}\n",
            (
                '5: spec.selector.matchLabels[a/b/c]: "a/b/c" is no valid label key:'
                ' "a/b" before the "/" is no domain'
            ),
        ),
        (
            "policy/v1",
            "policy/v1beta1",
            (
                '1: apiVersion: "policy/v1beta1" has no PodDisruptionBudget'
                " (removed in Kubernetes v1.25): write policy/v1"
            ),
        ),
    ],
)
def test_refused(old: str, new: str, said: str) -> None:
    """What the API server would refuse is refused with file, line and field."""
    with pytest.raises(InvalidInput) as refused:
        read(BUDGET.replace(old, new))
    assert str(refused.value) == f"f.yaml:{said}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (BOUND, BOUND, []),
        (SELECTOR, "", ["4: spec.selector: is missing: the budget covers no pod"]),
        (
            SELECTOR,
            "  selector: {}\n",
            ["5: spec.selector: is empty: the budget covers every pod of the namespace"],
        ),
        (
            SELECTOR,
            "  selector: {app: web}\n",
            [
                (
                    "5: spec.selector: is empty: the budget covers every pod of the namespace"
                    " (write matchLabels: above app)"
                )
            ],
        ),
        (
            BOUND,
            "  minAvailable:\n",
            ["4: spec: has neither minAvailable nor maxUnavailable: no eviction is ever allowed"],
        ),
        (
            BOUND,
            "  maxUnavailble: 1\n",
            [
                (
                    "4: spec: has neither minAvailable nor maxUnavailable: no eviction is ever"
                    ' allowed (is "maxUnavailble" a misspelling?)'
                )
            ],
        ),
    ],
)
def test_advice(old: str, new: str, said: list[str]) -> None:
    """What the API server accepts, though hardly anybody means it, is warned of."""
    warnings = read(BUDGET.replace(old, new)).warnings
    assert [str(warning) for warning in warnings] == [f"f.yaml:{line}" for line in said]
