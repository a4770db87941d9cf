"""Reductions: named in reports, switched off by name, and refused where there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from .conftest import Kubelemma

Write: TypeAlias = Callable[..., str]
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 4,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    },
}
ASKED = ("check", "--question", "rollout", "--no-cache")


def statistics(text: str) -> dict[str, Any]:
    """What was explored of the one scenario of a report."""
    (scenario,) = json.loads(text)["scenarios"]
    found: dict[str, Any] = scenario["statistics"]
    return found


@pytest.mark.parametrize("names", ["all", "pooling"])
def test_without_it_the_system_is_searched_as_it_is(
    kubelemma: Kubelemma, write: Write, names: str
) -> None:
    """The verdicts are the same, of many times as many states."""
    file = write("web.yaml", DEPLOYMENT)
    pooled = kubelemma(*ASKED, file, "-o", "json")
    whole = kubelemma(*ASKED, file, "-o", "json", "--no-reduction", names)
    assert pooled.code == whole.code == 0
    (used,) = statistics(pooled.out)["reductions"]
    assert (used["name"], used["used"]) == ("pooling", True)
    assert "nodes are one" in used["why"]
    assert "reductions" not in statistics(whole.out)
    assert statistics(whole.out)["states"] > 5 * statistics(pooled.out)["states"]


def test_the_report_says_what_it_relies_on(kubelemma: Kubelemma, write: Write) -> None:
    """A reader sees that it was not the system itself that was searched."""
    run = kubelemma(*ASKED, write("web.yaml", DEPLOYMENT), "-o", "wide")
    assert "nodes are one: whatever looks at a pod" in " ".join(run.out.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--no-reduction", "pools"), 'there is no "pools", but pooling, all'),
        (
            ("--no-reduction", "all", "--engine", "stateful"),
            "the stateful engine uses no reduction: leave out --no-reduction",
        ),
    ],
)
def test_what_cannot_be_done_without_is_said(
    kubelemma: Kubelemma, write: Write, options: tuple[str, ...], message: str
) -> None:
    """An error in the command line."""
    run = kubelemma(*ASKED, write("web.yaml", DEPLOYMENT), *options)
    assert run.code == 2
    assert message in run.err


def test_what_earlier_runs_found_is_not_used_without(kubelemma: Kubelemma, write: Write) -> None:
    """Whoever switches a reduction off wants to see the search."""
    file = write("web.yaml", DEPLOYMENT)
    asked = ("check", "--question", "rollout", file, "-o", "json")
    assert kubelemma(*asked).code == 0
    assert statistics(kubelemma(*asked).out)["remembered"]
    assert "remembered" not in statistics(kubelemma(*asked, "--no-reduction", "all").out)
