"""Reductions: named in reports, switched off by name, and refused where there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import patch

import pytest

from kubelemma.solver.reductions.names import REDUCTIONS

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
KNOWN = ", ".join(REDUCTIONS)
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
    assert used.keys() == {"pooling", "slicing", "certificate"}
    assert "nodes are one" in used["pooling"]
    asked = "DEP-2, DEP-4, STUCK, RS-1 of Deployment default/web; NODE-2 of all nodes"
    assert used["slicing"] == f"{asked}: of each only what can influence it is searched"
    left = {each["name"] for each in statistics(whole.out).get("reductions", ())}
    assert left == ({"certificate"} if names == "pooling" else set())
    assert statistics(whole.out)["states"] > 5 * statistics(pooled.out)["states"]


def test_without_the_certificate_all_else_is_the_same(kubelemma: Kubelemma, write: Write) -> None:
    """It says what may be repeated, once for all searches; without it only that is missing."""
    file = write("web.yaml", DEPLOYMENT)
    found = statistics(kubelemma(*ASKED, file, "-o", "json").out)
    without = statistics(kubelemma(*ASKED, file, "-o", "json", "--no-reduction", "certificate").out)
    (said,) = (each["why"] for each in found["reductions"] if each["name"] == "certificate")
    assert said.startswith("none of ")
    assert [each["name"] for each in without["reductions"]] == ["pooling", "slicing"]
    alike = ("states", "transitions", "depth", "actions", "terminal_states", "tables")
    assert {name: found[name] for name in alike} == {name: without[name] for name in alike}


def test_the_report_says_what_it_relies_on(kubelemma: Kubelemma, write: Write) -> None:
    """A reader sees that it was not the system itself that was searched."""
    run = kubelemma(*ASKED, write("web.yaml", DEPLOYMENT), "-o", "wide")
    assert "nodes are one: whoever looks at one of their pods looks at no other" in " ".join(
        run.out.split()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--no-reduction", "polling"), 'there is no "polling" (did you mean "pooling"?), but'),
        (("--no-reduction", "symmetry"), f'there is no "symmetry", but {KNOWN}, and all of them'),
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


def test_what_depends_on_what_is_told_where_it_is_asked_for(
    kubelemma: Kubelemma, write: Write, tmp_path: Path
) -> None:
    """The wide report lists it, JSON what is declared, and nothing is computed for others."""
    check = (*ASKED, write("web.yaml", DEPLOYMENT), "--no-save")
    run = kubelemma(*check, "-o", "wide", "--report", "json=wide.json")
    _, told = run.out.split("What depends on what\n")
    table = [line for line in told.splitlines() if line.startswith("report ready web, template 1")]
    assert len(table) == 1
    assert table[0].endswith("nodes.up; nodes.pods* (len, [*].phase)")
    (wide,) = json.loads((tmp_path / "wide.json").read_text("utf-8"))["scenarios"]
    (data,) = json.loads(kubelemma(*check, "-o", "json").out)["scenarios"]
    assert wide["influence"]["states"] == 100
    for rule in wide["influence"]["rules"]:
        del rule["dependedOn"]
    assert data["influence"] == {**wide["influence"], "states": 0}
    with patch("kubelemma.api.influence_of", side_effect=AssertionError):
        assert "What depends" not in kubelemma(*check, "--report", "html=r.html").out


def named(name: str) -> dict[str, Any]:
    """The Deployment, of another name."""
    selector = {"matchLabels": {"app": name}}
    template = {**DEPLOYMENT["spec"]["template"], "metadata": {"labels": {"app": name}}}
    spec = {**DEPLOYMENT["spec"], "selector": selector, "template": template}
    return {**DEPLOYMENT, "metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize(
    ("wanted", "hint"), [("worker", ""), ("shopp", ' (did you mean "shop"?)')], ids=["far", "near"]
)
def test_workloads_that_are_not_there(
    kubelemma: Kubelemma, write: Write, wanted: str, hint: str
) -> None:
    """In the command line, or in a Check with its place; the nearest one is named."""
    text = write("shop.yaml", named("web"), named("shop"))
    message = f'there is no workload "{wanted}"{hint}\n'
    run = kubelemma("check", text, "--together", f"web,{wanted}")
    assert (run.code, run.out, run.err) == (2, "", f"--together: {message}")
    workloads = {"workloads": ["web", wanted]}
    about = {"apiVersion": "kubelemma.dev/v1alpha1", "kind": "Check", "metadata": {"name": "both"}}
    own = write("both.yaml", {**about, "spec": workloads})
    run = kubelemma("check", text, own)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"{own}:")
    assert f": spec.workloads[1]: {message}" in run.err


def test_what_no_engine_can_hold(kubelemma: Kubelemma, write: Write, tmp_path: Path) -> None:
    """A value that the API server would not take either: whose it is, and where it is written."""
    file = write("web.yaml", DEPLOYMENT)
    code = """from kubelemma.extending import Cluster, Object, Writes, controller, patch


@controller(reconciles="Deployment")
def scaler(web: Object, _cluster: Cluster) -> Writes:
    \"\"\"Scale.\"\"\"
    yield patch(web, spec={VALUE})
"""
    for value, line, message in (
        ('"replicas": 10**30', 4, f"sets spec.replicas of a Deployment to {10**30}, which is no"),
        ('"paused": {1}', 7, "spec.paused is {1}, of type set; fields of API objects hold JSON"),
    ):
        own = tmp_path / "scaler.py"
        own.write_text(code.replace("VALUE", value), "utf-8")
        for engine in ("plain", "compiled"):
            asked = ("check", file, "--load", "scaler.py", "--event", "none", "--engine", engine)
            run = kubelemma(*asked)
            assert (run.code, run.out) == (2, "")
            assert run.err.startswith(f"scaler.py:{line}: scaler: {message}")
