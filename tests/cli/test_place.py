"""``kubelemma place``: verdicts, formats, what-ifs, and how it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest
import yaml

from kubelemma.cli.commands import cli
from kubelemma.cli.exit import ExitCode
from kubelemma.placing import answering
from kubelemma.reports import placement_json

Kubelemma: TypeAlias = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
DOCUMENT = (ROOT / "docs" / "placement.md").read_text("utf-8")

FITS = str(EXAMPLES / "placement-fits")
SHORT = str(EXAMPLES / "placement-does-not-fit")
ZONE = str(EXAMPLES / "placement-zone-lost")
DRAIN = str(EXAMPLES / "placement-drain")
SPREAD = str(EXAMPLES / "placement-spread-109364")
PREEMPTION = str(EXAMPLES / "placement-preemption")

STORIES = [
    (FITS, (), ExitCode.OK),
    (FITS, ("--lose", "zone=a"), ExitCode.VIOLATED),
    (FITS, ("--survive-zone",), ExitCode.VIOLATED),
    (FITS, ("--lose", "zone=a", "--add", "node-2=1"), ExitCode.OK),
    (SHORT, (), ExitCode.VIOLATED),
    (SHORT, ("--scale", "cache=3"), ExitCode.OK),
    (SHORT, ("--add", "node-1=1"), ExitCode.OK),
    (SHORT, ("--fewest-nodes", "--machines", f"{SHORT}/machines.yaml"), ExitCode.OK),
    (ZONE, (), ExitCode.OK),
    (ZONE, ("--lose", "zone=a"), ExitCode.OK),
    (ZONE, ("--lose", "zone=a", "--lose-reading", "unreachable"), ExitCode.VIOLATED),
    (ZONE, ("--survive", "1"), ExitCode.OK),
    (ZONE, ("--survive", "2"), ExitCode.VIOLATED),
    (DRAIN, (), ExitCode.OK),
    (DRAIN, ("--drain", "node-1"), ExitCode.OK),
    (DRAIN, ("--drain", "node-3"), ExitCode.VIOLATED),
    (DRAIN, ("--drain", "node-3", "--add", "node-1=1"), ExitCode.OK),
    (DRAIN, ("--surge", "web"), ExitCode.OK),
    (PREEMPTION, (), ExitCode.VIOLATED),
    (PREEMPTION, ("--no-preemption",), ExitCode.VIOLATED),
    (PREEMPTION, ("--add", "node-1=1"), ExitCode.OK),
    (PREEMPTION, ("--scale", "shop=0"), ExitCode.OK),
    (SPREAD, (), ExitCode.OK),
    (SPREAD, ("--scale", "web=6"), ExitCode.VIOLATED),
    (SPREAD, ("--reachable",), ExitCode.VIOLATED),
    (SPREAD, ("--any-order", "--scale", "web=5"), ExitCode.OK),
]


@pytest.mark.parametrize(("example", "options", "code"), STORIES)
def test_examples(
    kubelemma: Kubelemma, example: str, options: tuple[str, ...], code: ExitCode
) -> None:
    """Each example comes out as its comment says; every format says the same."""
    found = kubelemma("place", example, *options)
    assert found.code == code, found.out + found.err
    word = {ExitCode.OK: "FEASIBLE", ExitCode.VIOLATED: "INFEASIBLE"}[code]
    assert re.search(rf"^{word}: ", found.out, re.MULTILINE)
    again = kubelemma("place", example, *options, "-o", "json")
    assert again.code == code
    data = json.loads(again.out)
    jsonschema.validate(data, placement_json.schema())
    assert data["answer"] == {ExitCode.OK: "yes", ExitCode.VIOLATED: "no"}[code]


def test_every_example_is_told() -> None:
    """There is a story about each example of a placement, and the document shows it or another."""
    told = {Path(example).name for example, _, _ in STORIES}
    assert told == {path.name for path in EXAMPLES.glob("placement-*")}


def test_why_not(kubelemma: Kubelemma) -> None:
    """A NO comes with a reason of at most three lines and what the scheduler would say."""
    data = json.loads(kubelemma("place", SHORT, "-o", "json").out)
    assert 1 <= len(data["reason"]["lines"]) <= 3
    (pending,) = data["pending"]
    assert pending["message"] == (
        "0/3 nodes are available: 3 Insufficient memory. preemption: "
        "0/3 nodes are available: 3 No preemption victims found for incoming pod."
    )
    assert data["pods"] == {"asked": 4, "placed": 3}
    assert any(change["kind"] == "add-nodes" for change in data["relaxations"])


def test_a_pending_pod_of_the_input_counts(kubelemma: Kubelemma) -> None:
    """A rollout that is stuck: a new pod on top of the replicas is pending, in so many words."""

    def pod(version: int, number: int, memory: str, node: str | None) -> dict[str, Any]:
        name = f"web-{version}-{number}"
        owner = {"kind": "ReplicaSet", "name": f"web-{version}", "controller": True}
        labels = {"app": "web", "pod-template-hash": str(version)}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
            "spec": {
                "containers": [container(memory)],
                "priority": 0,
                **({"nodeName": node} if node else {}),
            },
            "status": {"phase": "Running" if node else "Pending"},
        }

    def container(memory: str) -> dict[str, Any]:
        return {"name": "c", "image": "c", "resources": {"requests": {"memory": memory}}}

    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container("3Gi")]},
            },
        },
    }
    pods = [
        pod(1, 1, "2Gi", "node-1"),
        pod(1, 2, "2Gi", "node-2"),
        pod(2, 3, "3Gi", None),
    ]
    items = {"apiVersion": "v1", "kind": "List", "items": [deployment, *pods]}
    nodes = "--nodes=count=2,cpu=4,memory=4Gi"
    found = kubelemma("place", "-", nodes, stdin=json.dumps(items))
    assert found.code == ExitCode.VIOLATED
    assert "there is no place for 1 pod" in found.out
    assert "0/2 nodes are available: 2 Insufficient memory." in found.out


def test_who_has_to_go(kubelemma: Kubelemma) -> None:
    """The shop drives out a placeholder, which is pending; without preemption it is the shop."""
    found = kubelemma("place", PREEMPTION)
    assert found.out.startswith("INFEASIBLE: 1 of 2 pods is pending, as 1 pod had to go for others")
    assert "Preempted by a pod of Deployment default/shop on node node-1" in found.out
    data = json.loads(kubelemma("place", PREEMPTION, "-o", "json").out)
    assert [one["pod"] for one in data["evictions"]] == ["Pod infra/headroom-x2x4z"]
    (pending,) = data["pending"]
    assert pending["workload"] == "ReplicaSet infra/headroom (displaced)"
    assert pending["message"] == (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: "
        "0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
    assert "No preemption victims found for incoming pod." in pending["preemption"]
    html = kubelemma("place", PREEMPTION, "-o", "html").out
    assert "Who has to go" in html
    (pending,) = json.loads(kubelemma("place", PREEMPTION, "--no-preemption", "-o", "json").out)[
        "pending"
    ]
    assert pending["workload"] == "Deployment default/shop"


@pytest.mark.parametrize(
    ("options", "pod", "where", "nodes"),
    [
        (("--why", "headroom-x2x4z"), "Pod infra/headroom-x2x4z", "It is pending.", [False]),
        (("--why", "shop"), "Deployment default/shop", "It is placed on node-1.", [True]),
        (
            ("--why", "infra/headroom-x2x4z", "--no-preemption"),
            "Pod infra/headroom-x2x4z",
            "It is on node-1, and stays there.",
            [True],
        ),
        (
            ("--why", "shop", "--no-preemption"),
            "Deployment default/shop",
            "It is pending.",
            [False],
        ),
    ],
)
def test_why(
    kubelemma: Kubelemma, options: tuple[str, ...], pod: str, where: str, nodes: list[bool]
) -> None:
    """Of a pod, or a workload: where it is, and what each node says to it."""
    data = json.loads(kubelemma("place", PREEMPTION, *options, "-o", "json").out)
    jsonschema.validate(data, placement_json.schema())
    (why,) = data["whys"]
    assert why["pod"] == pod
    assert where in " ".join(why["where"])
    assert [node["fits"] for node in why["nodes"]] == nodes
    assert all(node["fits"] or node["reasons"] == ["Insufficient cpu"] for node in why["nodes"])
    for form in ("text", "html"):
        assert f"Why {pod}" in kubelemma("place", PREEMPTION, *options, "-o", form).out


def test_the_most_important_first(kubelemma: Kubelemma) -> None:
    """Where nobody has to go, the verdict says in which order pods were placed."""
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "uid": f"uid-of-{name}"},
            "spec": {
                "priority": priority,
                "containers": [
                    {"name": "c", "image": "c", "resources": {"requests": {"cpu": cpu}}}
                ],
            },
        }
        for name, priority, cpu in (("low-1", 0, "2"), ("low-2", 0, "2"), ("high", 9, "3"))
    ]
    stdin = yaml.safe_dump_all(pods)
    found = kubelemma("place", "-", "--nodes=count=1,cpu=4,memory=4Gi", stdin=stdin)
    assert found.code == ExitCode.VIOLATED
    assert "for all 3 pods; the scheduler, with the most important first, leaves out 2" in " ".join(
        found.out.split()
    )
    data = json.loads(
        kubelemma("place", "-", "--nodes=count=1,cpu=4,memory=4Gi", "-o", "json", stdin=stdin).out
    )
    assert [w["name"] for w in data["workloads"] if w["placed"]] == ["Pod default/high"]


def test_why_a_pod_had_to_go(kubelemma: Kubelemma) -> None:
    """Who was driven out is told for whom."""
    found = kubelemma("place", PREEMPTION, "--why", "headroom-x2x4z").out
    assert "It has to go from node-1: preempted by a pod of Deployment default/shop." in found


def test_pods_for_kubectl(kubelemma: Kubelemma) -> None:
    """The yaml format gives every pod that was placed, complete and with its node."""
    found = kubelemma("place", FITS, "-o", "yaml")
    pods = list(yaml.safe_load_all(found.out))
    assert len(pods) == 12
    assert {pod["kind"] for pod in pods} == {"Pod"}
    names = [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods]
    assert len(set(names)) == 12
    assert {pod["spec"]["nodeName"] for pod in pods} == {"node-1", "node-2", "node-3"}
    assert all(pod["spec"]["containers"][0]["image"] for pod in pods)


def test_placed_pods_can_be_read_again(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """The pods of one answer are load in the next question, in which nothing is pending."""
    placed = kubelemma("place", ZONE, "-o", "yaml").out
    path = tmp_path / "placed.yaml"
    path.write_text(placed, "utf-8")
    found = kubelemma("place", f"{ZONE}/cluster.yaml", str(path))
    assert found.code == ExitCode.OK
    assert found.out.startswith("FEASIBLE: nothing is pending")


def test_tables(kubelemma: Kubelemma) -> None:
    """The same placement by workload and by node."""
    by_workload = kubelemma("place", FITS).out
    by_node = kubelemma("place", FITS, "--by", "node").out
    assert re.search(
        r"^StatefulSet shop/db +3 +3 +node-1, node-2, node-3$", by_workload, re.MULTILINE
    )
    assert re.search(r"^node-1 +a +\d+/110 .*shop/db", by_node, re.MULTILINE)


def test_how_many(kubelemma: Kubelemma) -> None:
    """How many more pods fit, exactly."""
    found = kubelemma("place", SHORT, "--scale", "cache=1", "--how-many", "cache", "-o", "json")
    assert found.code == ExitCode.OK, found.err
    (whatif,) = json.loads(found.out)["whatIfs"]
    assert whatif["data"]["more"] == 2


@pytest.mark.parametrize(
    ("pods", "asked", "words"),
    [
        (0, "nothing is pending", "FEASIBLE: more of Deployment shop/cache: 3 more fit"),
        (1, "1 pod has a place", "FEASIBLE: more of Deployment shop/cache: 2 more fit"),
        (2, "all 2 pods have a place", "FEASIBLE: more of Deployment shop/cache: 1 more fits"),
        (3, "all 3 pods have a place", "FULL: more of Deployment shop/cache: no more fit"),
    ],
)
def test_how_many_in_words(kubelemma: Kubelemma, pods: int, asked: str, words: str) -> None:
    """The verdict is about what was asked for; what fits beside is another sentence."""
    options = ("--scale", f"cache={pods}", "--how-many", "cache")
    found = kubelemma("place", SHORT, *options)
    first, second, *_ = found.out.splitlines()
    assert (first, second) == (f"FEASIBLE: {asked}", words)
    data = json.loads(kubelemma("place", SHORT, *options, "-o", "json").out)
    assert data["pods"] == {"asked": pods, "placed": pods}


def test_fewest_nodes(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """The cheapest machines to add, with a proof that less is not enough."""
    machines = {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Machines",
        "machines": [
            {"name": "small", "price": 1, "allocatable": {"cpu": "4", "memory": "8Gi"}},
            {"name": "large", "price": 3, "allocatable": {"cpu": "8", "memory": "64Gi"}},
        ],
    }
    path = tmp_path / "machines.yaml"
    path.write_text(yaml.safe_dump(machines), "utf-8")
    found = kubelemma("place", SHORT, "--fewest-nodes", "--machines", str(path), "-o", "json")
    assert found.code == ExitCode.OK, found.err
    (whatif,) = json.loads(found.out)["whatIfs"]
    assert whatif["data"] == {
        "counts": {"large": 1},
        "price": 3.0,
        "atLeast": 3.0,
        "cheapest": True,
    }


@pytest.mark.parametrize(("cpu", "code"), [("1", ExitCode.VIOLATED), ("1100m", ExitCode.OK)])
def test_daemon_sets_take_their_share_of_new_machines(
    kubelemma: Kubelemma, tmp_path: Path, cpu: str, code: ExitCode
) -> None:
    """A machine must hold the agent beside what it is bought for."""
    machine = {"name": "m", "allocatable": {"cpu": cpu, "memory": "16Gi"}}
    document = {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Machines",
        "machines": [{**machine, "labels": {"topology.kubernetes.io/zone": "b"}}],
    }
    path = tmp_path / "machines.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    options = ("--lose", "zone=a", "--machines", str(path))
    found = kubelemma("place", FITS, *options, "--fewest-nodes")
    assert found.code == code, found.out + found.err
    assert kubelemma("place", FITS, *options, "--add", "m=1").code == code


def test_added_nodes_get_daemon_pods(kubelemma: Kubelemma) -> None:
    """On a node that is added there is a pod of each DaemonSet that wants one there."""
    data = json.loads(kubelemma("place", FITS, "--add", "node-2=1", "-o", "json").out)
    pods = {node["name"]: node["usage"][0]["used"] for node in data["nodes"]}
    placed = {node["name"]: sum(p["pods"] for p in node["placed"]) for node in data["nodes"]}
    assert {name: pods[name] - placed[name] for name in pods} == {
        "node-1": 1,
        "node-2": 1,
        "node-3": 1,
        "node-2-added-1": 1,
    }


def test_input_from_kubectl(kubelemma: Kubelemma) -> None:
    """A List on standard input is as good as files."""
    documents = [
        document
        for name in ("cluster.yaml", "workloads.yaml")
        for document in yaml.safe_load_all((Path(FITS) / name).read_text("utf-8"))
    ]
    listed = {"apiVersion": "v1", "kind": "List", "items": documents}
    found = kubelemma("place", "-", stdin=json.dumps(listed))
    assert found.code == ExitCode.OK
    assert found.out == kubelemma("place", FITS).out


Write = Callable[..., str]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to place"),
        (("missing.yaml",), "no such file"),
        ((FITS, "--drain", "node-9"), '--drain: there is no node "node-9"'),
        ((FITS, "--scale", "web"), "is not NAME=COUNT"),
        ((FITS, "--surge", "db"), "there is no workload"),
        ((FITS, "--reachable", "--any-order"), "two questions"),
        ((FITS, "--why", "wob"), '--why: there is no workload "wob"'),
        ((FITS, "--survive", "3"), "none would be left"),
        ((FITS, "--fewest-nodes", "--how-many", "web"), "cannot be combined"),
        ((FITS, "--lose", "zone=a", "--lose", "zone=b", "--lose", "zone=c"), "no node would be"),
        ((FITS, "--nodes", "count=0"), "--nodes"),
        ((FITS, "--time-limit", "soon"), "is no duration"),
    ],
)
def test_refused(kubelemma: Kubelemma, arguments: tuple[str, ...], words: str) -> None:
    """What cannot be asked is refused with exit code 2 and a sentence on standard error."""
    found = kubelemma("place", *arguments)
    assert found.code == ExitCode.USAGE
    assert words in found.err
    assert found.out == ""


def test_wrong_manifests(kubelemma: Kubelemma, write: Write) -> None:
    """A mistake in a manifest is named by file, line and field."""
    stateful: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {"replicas": "three", "template": {"spec": {"containers": [{"name": "c"}]}}},
    }
    found = kubelemma("place", write("db.yaml", stateful))
    assert found.code == ExitCode.USAGE
    assert re.search(r"^db\.yaml:\d+: spec\.replicas: expected an integer", found.err, re.MULTILINE)
    assert "spec.selector: is required" in found.err


def test_results_and_diagnostics_go_apart(kubelemma: Kubelemma) -> None:
    """Standard output has the result only, without colour where nobody looks."""
    found = kubelemma("place", FITS)
    assert found.err == ""
    assert "\x1b" not in found.out
    assert "\x1b" in kubelemma("place", FITS, "--color", "always").out


def test_several_reports_from_one_run(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """Each format is written to its file; the exit code and standard output stay as they are."""
    targets = [f"--report={form}={tmp_path / form}" for form in ("json", "html", "text", "yaml")]
    found = kubelemma("place", SHORT, *targets)
    assert found.code == ExitCode.VIOLATED
    assert (tmp_path / "text").read_text("utf-8") == found.out
    assert json.loads((tmp_path / "json").read_text("utf-8"))["answer"] == "no"
    assert (tmp_path / "html").read_text("utf-8").startswith("<!doctype html>")
    assert len(list(yaml.safe_load_all((tmp_path / "yaml").read_text("utf-8")))) == 3


def test_a_format_that_places_have_not(kubelemma: Kubelemma) -> None:
    """Annotations are no format of placements, and the error lists those that are."""
    found = kubelemma("place", SHORT, "--report", "github=here")
    assert found.code == ExitCode.USAGE
    assert "FORMAT being text, wide, json, yaml, markdown, junit, sarif or html" in found.err


def test_an_interrupt_is_told(kubelemma: Kubelemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the search with its own exit code, and what could be done instead."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(answering, "decide", interrupted)
    found = kubelemma("place", FITS)
    assert (found.code, found.out) == (ExitCode.INTERRUPTED, "")
    assert "--time-limit" in found.err


def test_options_are_documented() -> None:
    """Every option of the command is in its document."""
    flags = {o for p in cli.commands["place"].params for o in p.opts if o.startswith("-")}  # type: ignore[attr-defined]  # a group
    missing = {f for f in flags if not re.search(rf"(?<![\w-]){f}(?![\w-])", DOCUMENT)}
    assert missing == set()
