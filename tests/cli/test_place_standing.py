"""What ``kubelemma place`` says of pods that are there already, in each of its formats."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest
import yaml

from kubelemma.cli.exit import ExitCode
from kubelemma.reports import placement_json

Kubelemma: TypeAlias = Callable[..., Any]
Raw: TypeAlias = dict[str, Any]

FORMATS = ("text", "wide", "json", "markdown", "junit", "sarif", "html", "yaml")

MOST_FORMATS = tuple(output for output in FORMATS if output != "yaml")


def node(name: str, cpu: str = "4") -> Raw:
    """A node with so much cpu."""
    labels = {"kubernetes.io/hostname": name}
    allocatable = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    metadata = {"name": name, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "status": {"allocatable": allocatable},
    }


def pod(name: str, cpu: str, on: str = "", owner: str = "", **more: Any) -> Raw:
    """A pod that asks for so much cpu, with a node, a controller and more of its specification."""
    own = {"name": name, "namespace": "default", "uid": f"uid-of-{name}"}
    metadata: Raw = {**own, **more.pop("metadata", {})}
    if owner:
        reference = {"apiVersion": "v1", "kind": owner, "name": "o", "uid": "u", "controller": True}
        metadata["ownerReferences"] = [reference]
    containers = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}]
    status = more.pop("status", {})
    spec = {"containers": containers, **({"nodeName": on} if on else {}), **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    """Writes objects to a file and gives its name."""

    def write(*objects: Raw) -> str:
        path = tmp_path / "cluster.yaml"
        path.write_text(yaml.safe_dump_all(objects), "utf-8")
        return str(path)

    return write


def flat(text: str) -> str:
    """The words, however they are wrapped or escaped."""
    return " ".join(text.replace("\\", "").replace("#", " ").split())


def said(
    kubelemma: Kubelemma,
    path: str,
    words: str,
    code: ExitCode,
    *options: str,
) -> None:
    """Each format says the words, and they all end with the same exit code."""
    for output in FORMATS:
        found = kubelemma("place", path, *options, "-o", output)
        assert found.code == code, (output, found.out, found.err)
        assert words in flat(found.out), (output, found.out)
    data = json.loads(kubelemma("place", path, *options, "-o", "json").out)
    jsonschema.validate(data, placement_json.schema())


# --- who has to go --------------------------------------------------------------------------------

LESS: Raw = {"priority": -10}
URGENT = pod("urgent", "4", priority=100)


@pytest.mark.parametrize(
    ("owner", "words", "code"),
    [
        ("", "and nobody creates it again", ExitCode.OK),
        ("GameServer", "lost unless GameServer default/o creates it again", ExitCode.OK),
        ("ReplicaSet", "created again by ReplicaSet default/o", ExitCode.VIOLATED),
        ("DaemonSet", "created again by DaemonSet default/o", ExitCode.VIOLATED),
        ("Node", "created again by the kubelet of n1", ExitCode.VIOLATED),
    ],
)
def test_what_becomes_of_those_that_go(
    kubelemma: Kubelemma, written: Callable[..., str], owner: str, words: str, code: ExitCode
) -> None:
    """Whoever nobody creates again is lost, which is said, and is not pending for ever."""
    path = written(node("n1"), pod("batch", "3", "n1", owner, **LESS), URGENT)
    said(kubelemma, path, words, code)
    found = kubelemma("place", path, "--reachable")
    assert found.code == code
    assert ("gets stuck" in found.out) == (code == ExitCode.VIOLATED)


def test_a_loss_is_a_warning(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """SARIF warns of it, Markdown bears the sign of a warning, and why says it of the pod."""
    path = written(node("n1"), pod("batch", "3", "n1", **LESS), URGENT)
    (result,) = json.loads(kubelemma("place", path, "-o", "sarif").out)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("place/lost", "warning")
    assert "### ⚠️ kubelemma place: 1 pod has" in kubelemma("place", path, "-o", "markdown").out
    assert "and nobody creates it again." in kubelemma("place", path, "--why", "batch").out
    assert kubelemma("place", path, "--no-preemption").code == ExitCode.VIOLATED


# --- overfull nodes -------------------------------------------------------------------------------

RUNNING: Raw = {"status": {"phase": "Running"}}
TOO_MUCH = "node n1 is overfull from the start: cpu 5 of 4, held by Pod default/a, Pod default/b"


@pytest.mark.parametrize(
    ("there", "words", "code"),
    [
        (({}, {}), "its kubelet refuses Pod default/b (OutOfcpu)", ExitCode.VIOLATED),
        ((RUNNING, {}), "its kubelet refuses Pod default/b (OutOfcpu)", ExitCode.VIOLATED),
        (({}, RUNNING), "its kubelet refuses Pod default/a (OutOfcpu)", ExitCode.VIOLATED),
        (
            (RUNNING, {"status": {"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"}}),
            "they run, but if its kubelet starts again, it may refuse some of them",
            ExitCode.OK,
        ),
    ],
)
def test_overfull_nodes_are_named(
    kubelemma: Kubelemma,
    written: Callable[..., str],
    there: tuple[Raw, Raw],
    words: str,
    code: ExitCode,
) -> None:
    """With the resource and the pods; a pod that its kubelet refuses makes it infeasible."""
    a, b = pod("a", "3", "n1", **there[0]), pod("b", "2", "n1", **there[1])
    path = written(node("n1"), node("n2"), a, b, pod("new", "1"))
    said(kubelemma, path, f"{TOO_MUCH}; {words}", code)
    said(kubelemma, path, f"{TOO_MUCH}; {words}", code, "--reachable")
    text = kubelemma("place", path).out
    assert flat(text).startswith(
        "INFEASIBLE: node n1 is overfull from the start, where 1 pod is refused; beside that, 1 pod"
        if code
        else "FEASIBLE: 1 pod has a place; node n1 is overfull from the start"
    )
    (result,) = json.loads(kubelemma("place", path, "-o", "sarif").out)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == (
        "place/overfull",
        "error" if code else "warning",
    )


def test_what_is_full_is_not_overfull(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """Not a word where pods hold all that there is, nor of a node that is lost."""
    full = written(node("n1"), pod("a", "4", "n1"), node("n2"), pod("new", "1"))
    assert "overfull" not in kubelemma("place", full).out
    over = written(node("n1"), pod("a", "5", "n1", **RUNNING), node("n2"), pod("new", "1"))
    assert "overfull" in kubelemma("place", over).out
    assert "overfull" not in kubelemma("place", over, "--lose", "n1").out


# --- names that the server makes up ---------------------------------------------------------------


def test_generated_names(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """Pods that are created with generateName are read, each with a name of its own."""
    new = pod("", "1", metadata={"generateName": "load-"})
    new["metadata"] = {"generateName": "load-"}
    path = written(node("n1"), new, new, pod("load-a", "1"))
    found = kubelemma("place", path, "-o", "json")
    assert found.code == ExitCode.OK
    names = [row["name"] for row in json.loads(found.out)["workloads"]]
    assert len(set(names)) == 3
    assert all(
        re.fullmatch(r"Pod default/load-([bcdfghjklmnpqrstvwxz2456789]{5}|a)", n) for n in names
    )
    for name in names[:2]:
        own = name.removeprefix("Pod default/")
        assert f'the API server makes up a name; here it is called "{own}"' in flat(found.err)
        assert f"name: {own}" in kubelemma("place", path, "-o", "yaml").out
    again = json.loads(kubelemma("place", path, "-o", "json").out)
    assert [row["name"] for row in again["workloads"]] == names


# --- what the scheduler says ----------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--reachable",), ("--any-order",), ("--why", "new")])
def test_messages_end_with_preemption(
    kubelemma: Kubelemma, written: Callable[..., str], options: tuple[str, ...]
) -> None:
    """Each format has the whole message of FailedScheduling, also where nobody could go."""
    tainted = node("n2")
    tainted["spec"] = {"taints": [{"key": "t", "value": "x", "effect": "NoSchedule"}]}
    path = written(node("n1"), tainted, pod("a", "3", "n1"), pod("new", "2"))
    message = (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). "
        "preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )
    said(kubelemma, path, message, ExitCode.VIOLATED, *options)
    assert "preemption: " not in kubelemma("place", path, *options, "--no-preemption").out


def test_never_preempting_says_so(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """In the words of the scheduler, be there somebody less important or not."""
    new = pod("new", "2", priority=5, preemptionPolicy="Never")
    words = "preemption: not eligible due to preemptionPolicy=Never."
    for less in (0, 5):
        path = written(node("n1"), pod("a", "3", "n1", priority=less), new)
        said(kubelemma, path, words, ExitCode.VIOLATED, "--why", "new")


# --- preemption, and many clusters ----------------------------------------------------------------


def workload(name: str, cpu: str, replicas: int, **more: Any) -> Raw:
    """A Deployment of pods that ask for so much cpu."""
    template = pod("", cpu, **more)
    labels = {"app": name}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
    }
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


GOES = "Pod default/batch has to go for others; nobody creates it again"
ASIDE = "1 pod on nodes could be driven out by pods of Deployment default/web"


@pytest.mark.parametrize(
    ("asked", "words", "code"),
    [
        ((2, "--how-many", "web"), f"with preemption 2 more fit: {GOES}", ExitCode.OK),
        (
            (2, "--how-many", "web", "--no-preemption"),
            f"{ASIDE}, and then more may fit",
            ExitCode.OK,
        ),
        ((4, "--fewest-nodes"), f"with preemption no node is needed: {GOES}", ExitCode.OK),
        ((5, "--fewest-nodes"), f"{ASIDE}, and then fewer nodes may be enough", ExitCode.OK),
        ((4, "--any-order"), f"{ASIDE}, and then more may have a place", ExitCode.VIOLATED),
        ((4, "--no-preemption"), f"{ASIDE}, and then more may have a place", ExitCode.VIOLATED),
    ],
)
def test_preemption_and_many_clusters(
    kubelemma: Kubelemma,
    written: Callable[..., str],
    asked: tuple[Any, ...],
    words: str,
    code: ExitCode,
) -> None:
    """Each answer says what preemption would change, or what it might where it is left aside."""
    replicas, *options = asked
    there = pod("batch", "2", "n1", **LESS, **RUNNING)
    path = written(node("n1"), node("n2"), there, workload("web", "2", replicas))
    for output in MOST_FORMATS:
        found = kubelemma("place", path, *options, "-o", output)
        assert found.code == code, found.out + found.err
        assert words in flat(found.out), (output, found.out)


def test_survival_by_preemption(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """A loss is survived if less important pods make room, and find another place."""
    apart = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["n2"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [apart]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    path = written(
        *(node("n1"), node("n2", "3"), node("n3")),
        pod("batch", "3", "n1", "ReplicaSet", **LESS, **RUNNING),
        pod("choosy", "3", "n3", "StatefulSet", affinity=affinity, **RUNNING),
    )
    words = "after the loss of n3, Pod default/batch has to go for others"
    for output in MOST_FORMATS:
        found = kubelemma("place", path, "--survive", "1", "-o", output)
        assert found.code == ExitCode.OK, found.out
        assert words in flat(found.out), (output, found.out)
    without = kubelemma("place", path, "--survive", "1", "--no-preemption")
    assert without.code == ExitCode.VIOLATED
    assert "and then the loss of n3 may be survived" in flat(without.out)


# --- load -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ("Node", "load: 1 static pod, which kubelets run by themselves"),
        ("", "load: 1 pod that nobody controls, nor creates again: default/there"),
        (
            "GameServer",
            "load: 1 pod of GameServer default/o; whether such owners create pods again is not",
        ),
        ("Job", "load: 1 pod of Job default/o, which is not in the input"),
    ],
)
def test_load_is_named(
    kubelemma: Kubelemma, written: Callable[..., str], owner: str, words: str
) -> None:
    """Pods that stay where they are, and that nothing in the input creates again."""
    path = written(node("n1"), pod("there", "1", "n1", owner, **RUNNING), pod("new", "1"))
    for output in MOST_FORMATS:
        assert words in flat(kubelemma("place", path, "-o", output).out), output


def test_load_of_the_input_is_not_named(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """Whose controller is there is one of its pods, and no mere load."""
    there = pod("o-1", "1", "n1", "ReplicaSet", metadata={"labels": {"app": "o"}}, **RUNNING)
    owner = {**workload("o", "1", 2), "kind": "ReplicaSet"}
    assert "load: " not in kubelemma("place", written(node("n1"), there, owner)).out


def test_nominations_are_listed(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """A node that is promised to a pending pod is not modelled, and that is said."""
    new = pod("new", "1", status={"nominatedNodeName": "n1"})
    path = written(node("n1"), new)
    words = "n1 is promised to it: the scheduler tries it there first"
    for output in ("text", "wide", "json", "markdown", "sarif", "html"):
        assert words in flat(kubelemma("place", path, "-o", output).out), output
