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
    used = {each["name"]: each["why"] for each in statistics(pooled.out)["reductions"]}
    assert used.keys() == {"pooling", "slicing"}
    assert "nodes are one" in used["pooling"]
    asked = "DEP-2, DEP-4, STUCK, RS-1 of Deployment default/web; NODE-2 of all nodes"
    assert used["slicing"] == f"{asked}: of each only what can influence it is searched"
    assert "reductions" not in statistics(whole.out)
    assert statistics(whole.out)["states"] > 5 * statistics(pooled.out)["states"]


def test_the_report_says_what_it_relies_on(kubelemma: Kubelemma, write: Write) -> None:
    """A reader sees that it was not the system itself that was searched."""
    run = kubelemma(*ASKED, write("web.yaml", DEPLOYMENT), "-o", "wide")
    assert "nodes are one: whoever looks at one of their pods looks at no other" in " ".join(
        run.out.split()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--no-reduction", "pools"), 'there is no "pools", but pooling, slicing, fusion, all'),
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


def test_a_search_of_fewer_states_is_kept_and_resumed(kubelemma: Kubelemma, write: Write) -> None:
    """What stands for the system has a checkpoint of its own, and the report names it."""
    file = write("web.yaml", DEPLOYMENT)
    kept = (*ASKED, file, "--engine", "compiled", "--checkpoint", "kept", "-o", "json")
    short = kubelemma(*kept, "--max-states", "400")
    assert short.code == 3
    assert "the search is kept in kept/default-web-rollout~" in short.out
    assert kubelemma(*kept).code == 2
    resumed = kubelemma(*kept, "--resume")
    whole = kubelemma(*ASKED, file, "-o", "json")
    assert resumed.code == whole.code == 0
    assert statistics(resumed.out)["states"] == statistics(whole.out)["states"]
