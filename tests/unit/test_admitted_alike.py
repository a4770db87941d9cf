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
    fields = ("default", "defaultRequest", "max", "min", "maxLimitRequestRatio")
    for index, item in enumerate(draw(st.lists(amounts(*fields), max_size=2))):
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
    planned, own = plan(found), case.scenario.world.classes[0]
    assert own.refused == "".join(one.reason for one in planned.refused)
    if not own.refused:
        (workload,) = planned.problem.workloads
        assert own.pod.spec == workload.pod.spec


POLITE: Raw = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "polite"},
    "value": 10,
    "preemptionPolicy": "Never",
}


def web(priority: str, name: str = "web") -> Raw:
    """A workload with a priority class."""
    spec: Raw = {"containers": [{"name": "c", "image": "x"}], "priorityClassName": priority}
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
        ([POLITE, web("polite"), web("", "other")], []),
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
        ("imagePullPolicy", "Never", ""),
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


def limited(*items: Raw) -> Raw:
    """A LimitRange."""
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "bounds"},
        "spec": {"limits": list(items)},
    }


ABOVE = (
    'is invalid: spec.containers[0].resources.requests: Invalid value: "2": '
    "must be less than or equal to cpu limit of 1"
)
MOST = "is forbidden: maximum cpu usage per Container is 1"
RATIO = "is forbidden: cpu max limit to request ratio per Container is 2"
BOUNDS: list[tuple[Raw, Raw, str]] = [
    ({"max": {"cpu": "1"}}, {"limits": {"cpu": "2"}}, f"{MOST}, but limit is 2"),
    ({"max": {"cpu": "1"}}, {"limits": {"cpu": "1"}}, ""),
    ({"max": {"cpu": "1"}}, {}, ""),
    (
        {"max": {"cpu": "1"}},
        {"requests": {"cpu": "2"}},
        f"{ABOVE}; {MOST}, but request is 2",
    ),
    ({"default": {"cpu": "1"}}, {"requests": {"cpu": "2"}}, ABOVE),
    (
        {"min": {"cpu": "1"}},
        {"requests": {"cpu": "500m"}},
        "is forbidden: minimum cpu usage per Container is 1, but request is 500m",
    ),
    ({"min": {"cpu": "1"}}, {}, ""),
    (
        {"maxLimitRequestRatio": {"cpu": "2"}},
        {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}},
        f"{RATIO}, but provided ratio is 3.000000",
    ),
    (
        {"maxLimitRequestRatio": {"cpu": "2"}},
        {},
        f"{RATIO}, but no request is specified or request is 0",
    ),
    (
        {"type": "Pod", "max": {"memory": "1Gi"}},
        {},
        "is forbidden: maximum memory usage per Pod is 1Gi.  No limit is specified",
    ),
    (
        {"type": "Pod", "min": {"memory": "1Gi"}},
        {"limits": {"memory": "512Mi"}},
        "is forbidden: minimum memory usage per Pod is 1Gi, but request is 512Mi",
    ),
    ({"type": "Pod", "max": {"memory": "1Gi"}}, {"limits": {"memory": "1Gi"}}, ""),
]


def verdict(case: api.Case, name: str) -> str:
    """What comes out for a property."""
    found = api.explore(case, engine="plain").result.properties
    return next(p.verdict for p in found if p.property.id == name)


@pytest.mark.parametrize(("item", "resources", "words"), BOUNDS)
def test_bounds(item: Raw, resources: Raw, words: str) -> None:
    """What a LimitRange refuses is never there, in checks and placements alike."""
    document = web("")
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    text = yaml.safe_dump_all([document, limited({"type": "Container", **item}), NODE])
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases
    (found,) = read(["-"], text)
    planned = plan(found)
    world = case.scenario.world
    assert world.classes[0].refused == words
    assert [one.reason for one in planned.refused] == [words] * bool(words)
    assert len(planned.problem.workloads) == (not words)
    said = f"start: Deployment default/web has no pods: each {words}"
    assert (said in case.scenario.setting) == bool(words)
    assert verdict(case, "RS-1") == ("violated" if words else "holds")


def test_bounds_of_a_pod_are_for_all_of_its_containers() -> None:
    """Init containers come before the others, those that go on running beside them."""
    document = web("")
    spec = document["spec"]["template"]["spec"]
    limits = {"limits": {"cpu": "1"}}
    spec["containers"] = [{"name": n, "image": "x", "resources": limits} for n in ("a", "b")]
    item = {"type": "Pod", "max": {"cpu": "2"}}
    init = {"name": "i", "image": "x", "resources": limits}
    for further, words in (({}, ""), ({"restartPolicy": "Always"}, "but limit is 3")):
        spec["initContainers"] = [{**init, **further}]
        text = yaml.safe_dump_all([document, limited(item), NODE])
        (found,) = read(["-"], text)
        assert [one.reason.endswith(words) for one in plan(found).refused] == [True] * bool(words)


def test_who_stands_stays() -> None:
    """Pods that were stored before there was a LimitRange run on; no others come."""
    document = web("")
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "2"}}
    document["spec"]["replicas"] = 2
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "controller": True}
    labels = {"app": "web", "pod-template-hash": "1"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web-1-a", "labels": labels, "ownerReferences": [owner]},
        "spec": {
            **document["spec"]["template"]["spec"],
            "nodeName": "a",
            "priority": 0,
        },
    }
    bounds = limited({"type": "Container", "max": {"cpu": "1"}})
    text = yaml.safe_dump_all([document, bounds, NODE, pod])
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases
    assert verdict(case, "RS-1") == "violated"
    assert any("1 available" in text for text in case.scenario.setting)
    (found,) = read(["-"], text)
    assert [(one.whose, one.pods) for one in plan(found).refused] == [("Deployment default/web", 1)]


def test_a_lone_pod_that_is_refused_is_not_in_the_start() -> None:
    """Nobody stores it, so nobody places it."""
    container = {"name": "c", "image": "x", "resources": {"limits": {"cpu": "2"}}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "namespace": "other"},
        "spec": {"containers": [container]},
    }
    bounds = limited({"type": "Container", "max": {"cpu": "1"}})
    bounds["metadata"]["namespace"] = "other"
    text = yaml.safe_dump_all([web(""), bounds, NODE, pod])
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases
    words = "it is forbidden: maximum cpu usage per Container is 1, but limit is 2"
    assert f"not in the start: Pod other/one: {words}" in case.scenario.setting
    (found,) = read(["-"], text)
    assert [one.whose for one in plan(found).refused] == ["Pod other/one"]


def test_a_daemon_that_is_refused_is_on_no_node() -> None:
    """A placement does not take its pods for load."""
    document = web("")
    document["kind"] = "DaemonSet"
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "2"}}
    bounds = limited({"type": "Container", "max": {"cpu": "1"}})
    (found,) = read(["-"], yaml.safe_dump_all([document, bounds, NODE]))
    planned = plan(found)
    assert [(one.whose, one.pods) for one in planned.refused] == [("DaemonSet default/web", 1)]
    assert not planned.added


def test_claims_that_would_be_refused_are_listed() -> None:
    """Bounds of claims are not held against any."""
    bounds = limited({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}})
    text = yaml.safe_dump_all([web(""), bounds, NODE])
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text, events=("none",))).cases
    (found,) = read(["-"], text)
    for parts in (case.manifests.not_modelled, plan(found).not_modelled):
        reasons = [part.reason for part in parts if part.severity == "not modelled"]
        assert [reason[:20] for reason in reasons] == ["claims outside these"]


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
