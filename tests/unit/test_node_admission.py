"""Whether a kubelet admits a pod, and with which reason it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from kubelemma.model.components.kubelet.decision import admit
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, build
from kubelemma.properties.select import properties_for
from kubelemma.solver.explore import check
from kubelemma.solver.result import Verdict

Raw = dict[str, Any]
GPU = "vendor.example/gpu"


def pod(requests: Raw | None = None, **spec: Any) -> Pod:
    """A pod with one container."""
    container = {"name": "main", "resources": {"requests": requests or {}}}
    return decode({"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}, Pod)


def node(allocatable: Raw | None = None, **spec: Any) -> NodeInfo:
    """An empty node with two CPUs and places for two pods; ``allocatable`` adds to that."""
    raw = {
        "metadata": {"name": "n"},
        "spec": spec,
        "status": {"allocatable": {"cpu": "2", "pods": "2", **(allocatable or {})}},
    }
    return NodeInfo(decode(raw, Node), ())


@pytest.mark.parametrize(
    ("requests", "allocatable", "reason"),
    [
        ({"cpu": "2"}, {}, None),
        ({"cpu": "3"}, {}, "OutOfcpu"),
        ({"memory": "1"}, {}, "OutOfmemory"),
        ({"hugepages-2Mi": "2Mi"}, {}, "OutOfhugepages-2Mi"),
        ({GPU: "1"}, {GPU: "1"}, None),
        ({GPU: "2"}, {GPU: "1"}, f"OutOf{GPU}"),
        ({GPU: "1"}, {GPU: "0"}, f"OutOf{GPU}"),
        ({GPU: "1"}, {}, None),
        ({GPU: "1", "cpu": "3"}, {}, "OutOfcpu"),
    ],
)
def test_resources(requests: Raw, allocatable: Raw, reason: str | None) -> None:
    """What a node lacks is a reason, but not an extended resource that it does not even list."""
    assert admit(pod(requests), node(allocatable)) == reason


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, "NodeAffinity"),
        ({"nodeName": "other"}, "NodeName"),
        ({"nodeName": "n"}, None),
        ({"nodeName": "other", "nodeSelector": {"disk": "ssd"}}, "NodeAffinity"),
    ],
)
def test_first_reason(spec: Raw, reason: str | None) -> None:
    """Of several reasons the first in the kubelet's own order is told."""
    assert admit(pod(**spec), node()) == reason


@pytest.mark.parametrize(
    ("effect", "tolerated", "reason"),
    [
        ("NoSchedule", False, None),
        ("NoExecute", False, "TaintToleration"),
        ("NoExecute", True, None),
    ],
)
def test_taints(effect: str, tolerated: bool, reason: str | None) -> None:  # noqa: FBT001
    """Only a NoExecute taint that is not tolerated keeps a bound pod from its node."""
    tolerations = [{"key": "broken", "operator": "Exists"}] if tolerated else []
    found = admit(pod(tolerations=tolerations), node(taints=[{"key": "broken", "effect": effect}]))
    assert found == reason


@pytest.mark.parametrize(("listed", "loops"), [({}, False), ({GPU: "0"}, True)])
def test_template_that_names_its_node(listed: Raw, loops: bool) -> None:  # noqa: FBT001
    """Only where the node lists the resource is such a pod rejected, and created again for ever."""
    there = with_defaults(node({"memory": "1Gi", **listed}).node)
    asked = pod({GPU: "1"}, nodeName="n").spec
    raw = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}},
        },
    }
    deployment = decode(raw, Deployment)
    template = replace(deployment.spec.template, spec=asked)
    deployment = with_defaults(
        replace(deployment, spec=replace(deployment.spec, template=template))
    )
    events = decode({"spec": {"events": [{"scale": {"deployment": "web", "replicas": 1}}]}}, Check)
    (scenario,) = build(Application((deployment,), (there,)), events)
    result = check(scenario.system, properties_for(scenario, ("RS-1", "KUB-7")))
    expected = {"KUB-7": Verdict.HOLDS, "RS-1": Verdict.VIOLATED if loops else Verdict.HOLDS}
    assert {found.property.id: found.verdict for found in result.properties} == expected
