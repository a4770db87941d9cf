"""Checks and placements read alike what admission makes of the pods of a workload."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.placing.plan import plan, read

Raw = dict[str, Any]
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "a"},
    "status": {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": "110"}},
}
AMOUNTS = st.dictionaries(
    st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "2", "500m"]), max_size=2
)
CLASSES = st.sampled_from(["", "high", "low", "none", "system-node-critical"])


def amounts(*names: str) -> st.SearchStrategy[Raw]:
    """Some amounts under some of the names."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, AMOUNTS))


@st.composite
def documents(draw: st.DrawFn) -> list[Raw]:
    """A workload, and the settings of a cluster."""
    container: Raw = {"name": "c", "image": "x"}
    limits = draw(AMOUNTS)
    container["resources"] = {"limits": limits} if limits else {}
    spec: Raw = {"containers": [container], "priorityClassName": draw(CLASSES)}
    if draw(st.booleans()):
        spec["runtimeClassName"] = draw(st.sampled_from(["vm", "none"]))
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    meta = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    found = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
        },
        {**meta, "metadata": {"name": "high"}, "value": 10, "preemptionPolicy": "Never"},
        {**meta, "metadata": {"name": "low"}, "value": -1, "globalDefault": draw(st.booleans())},
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "vm"},
            "handler": "vm",
            "overhead": {"podFixed": {"cpu": "1"}},
            "scheduling": {"tolerations": [{"key": "vm", "operator": "Exists"}]},
        },
    ]
    for index, item in enumerate(
        draw(st.lists(amounts("default", "defaultRequest", "max", "min"), max_size=2))
    ):
        found.append(
            {
                "apiVersion": "v1",
                "kind": "LimitRange",
                "metadata": {"name": f"l{index}"},
                "spec": {"limits": [{"type": "Container", **item}]},
            }
        )
    return [*found, NODE]


@given(documents())
def test_pods_are_the_same(given: list[Raw]) -> None:
    """A pod asks for the same in a check as in a placement."""
    text = yaml.safe_dump_all(given)
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases
    (found,) = read(["-"], text)
    (workload,) = plan(found).problem.workloads
    assert case.scenario.world.classes[0].pod.spec == workload.pod.spec


def web(priority: str, name: str = "web", policy: str = "") -> Raw:
    """A workload with a priority class."""
    spec: Raw = {"containers": [{"name": "c", "image": "x"}], "priorityClassName": priority}
    if policy:
        spec["preemptionPolicy"] = policy
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([web("system-cluster-critical")], []),
        ([web("none")], ["its PriorityClass is not in the input: priority 0 is assumed"]),
        (
            [web("system-node-critical"), web("", "other")],
            ["priorities differ, and no pod is preempted in the check"],
        ),
        ([web("system-node-critical", policy="Never"), web("", "other")], []),
    ],
)
def test_remarks(documents: list[Raw], words: list[str]) -> None:
    """A class is missed only where it is not there, and preemption only where it may happen."""
    text = yaml.safe_dump_all(documents)
    case = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases[0]
    found = [p.reason for p in case.manifests.not_modelled if p.severity == "not modelled"]
    assert len(found) == len(words)
    assert all(reason.startswith(word) for reason, word in zip(found, words, strict=True))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("schedulerName", "mine", "another scheduler decides"),
        ("schedulerName", "default-scheduler", ""),
        ("os", {"name": "windows"}, "a kubelet of another operating system"),
        ("os", {"name": "linux"}, ""),
        ("imagePullPolicy", "Never", "an image that is not on the node"),
        ("imagePullPolicy", "Always", ""),
    ],
)
def test_values_that_matter(field: str, value: object, words: str) -> None:
    """A field may be worth a remark for some of its values only."""
    document = web("")
    spec = document["spec"]["template"]["spec"]
    (spec["containers"][0] if field == "imagePullPolicy" else spec)[field] = value
    text = yaml.safe_dump(document)
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases
    found = [p.reason for p in case.manifests.not_modelled if p.severity == "not modelled"]
    assert [words] * bool(words) == [reason[: len(words)] for reason in found]


@pytest.mark.parametrize(
    ("item", "resources", "words"),
    [
        (
            {"max": {"cpu": "1"}},
            {"limits": {"cpu": "2"}},
            "has a limit of 2 cpu, and 1 is",
        ),
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "1"}}, ""),
        ({"min": {"cpu": "1"}}, {"requests": {"cpu": "500m"}}, "requests 500m cpu, and 1 is the"),
        ({"min": {"cpu": "1"}}, {}, ""),
    ],
)
def test_bounds(item: Raw, resources: Raw, words: str) -> None:
    """What a LimitRange would refuse is listed, by checks and placements alike."""
    document = web("")
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "bounds"},
        "spec": {"limits": [{"type": "Container", **item}]},
    }
    text = yaml.safe_dump_all([document, limits, NODE])
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases
    (found,) = read(["-"], text)
    for parts in (case.manifests.not_modelled, plan(found).not_modelled):
        reasons = [part.reason for part in parts if part.severity == "not modelled"]
        assert len(reasons) == bool(words)
        assert all(f"a LimitRange refuses its pods (it {words}" in reason for reason in reasons)


def test_a_default_request_takes_room() -> None:
    """What a LimitRange gives each container decides whether a rollout has room."""
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "defaults"},
        "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "2"}}]},
    }
    text = yaml.safe_dump_all([web(""), limits])
    asked = {"stdin": text, "events": ("rollout=web",), "properties": ("DEP-4",)}
    question = api.Question(paths=(api.STDIN,), nodes=("count=1,cpu=2,memory=8Gi",), **asked)
    (case,) = api.ask(question).cases
    (found,) = api.explore(case, engine="plain").result.properties
    assert found.verdict == "violated"
