"""DaemonSets: which nodes they want, and which of their pods are as good as placed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.scheduler.decision.node_ports import filter_ports
from kubelemma.model.components.scheduler.decision.node_resources import filter_fit, fit_request
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.manifests import with_defaults
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.placing.daemons import eligible, homed, tolerant


def node(cpu: str = "2", pods: str = "4", **spec: Any) -> Node:
    """A node called n."""
    status = {"allocatable": {"cpu": cpu, "pods": pods, "x.io/gpu": "1"}}
    metadata = {"name": "n", "labels": {"disk": "ssd"}}
    return with_defaults(decode({"metadata": metadata, "spec": spec, "status": status}, Node))


def pod(cpu: str = "100m", port: int = 0, on: str = "", **spec: Any) -> Pod:
    """A pod of the DaemonSet agent."""
    ports = [{"containerPort": 80, "hostPort": port}] if port else []
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}, "ports": ports}
    owner = {"kind": "DaemonSet", "name": "agent", "controller": True}
    metadata = {"name": "p", "labels": {"app": "agent"}, "ownerReferences": [owner]}
    raw = {"metadata": metadata, "spec": {"nodeName": on, "containers": [container], **spec}}
    return with_defaults(decode(raw, Pod))


PODS = st.builds(pod, st.sampled_from(["0", "500m", "1", "2"]), st.sampled_from([0, 0, 80, 81]))


@given(st.lists(PODS, max_size=4), st.lists(PODS, max_size=4))
def test_fitting_is_what_the_filters_say(wanted: list[Pod], there: list[Pod]) -> None:
    """One after the other, a pod fits if NodeResourcesFit and NodePorts let it through."""
    staying = [on_node(p) for p in there]
    found = homed([(p, node()) for p in wanted], staying, {})
    info = NodeInfo(node(), tuple(staying))
    expected = 0
    for one in wanted:
        if filter_fit(fit_request(one), info).ok and filter_ports(one, info).ok:
            expected += 1
            info = info.with_pods(on_node(one))
    assert (len(found.fitting), len(found.doubtful)) == (expected, len(wanted) - expected)


def on_node(one: Pod) -> Pod:
    """The pod on the node."""
    (homed_pod,) = homed([(one, node("99", "99"))], (), {}).fitting
    return homed_pod


def test_pods_are_bound_by_name() -> None:
    """A pod that fits has its node; one that does not asks for the node by name."""
    found = homed([(pod(), node()), (pod(cpu="3"), node())], (), {})
    (fits,) = found.fitting
    assert (fits.metadata.name, fits.spec.node_name) == ("agent-n", "n")
    ((other, name),) = found.doubtful
    assert name == "n"
    assert other.spec.affinity is not None
    assert other.spec.affinity.node_affinity is not None
    assert other.spec.affinity.node_affinity.required is not None
    (term,) = other.spec.affinity.node_affinity.required.node_selector_terms
    assert [(f.key, f.values) for f in term.match_fields or ()] == [("metadata.name", ("n",))]


TERM = {"topologyKey": "disk", "labelSelector": {"matchLabels": {"app": "agent"}}}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def test_what_depends_on_others_is_left_to_the_decision() -> None:
    """A pod with terms of its own, or one that an existing pod keeps away, is in doubt."""
    apart = {"podAntiAffinity": {REQUIRED: [TERM]}}
    assert homed([(pod(affinity=apart), node())], (), {}).fitting == ()
    assert homed([(pod(), node())], (pod(on="n", affinity=apart),), {}).fitting == ()
    assert len(homed([(pod(), node())], (), {}).fitting) == 1


@pytest.mark.parametrize(
    ("spec", "asked", "wanted"),
    [
        ({}, {}, True),
        ({"unschedulable": True}, {}, True),
        ({"taints": [{"key": "gpu", "effect": "NoSchedule"}]}, {}, False),
        ({"taints": [{"key": "gpu", "effect": "PreferNoSchedule"}]}, {}, True),
        (
            {"taints": [{"key": "gpu", "effect": "NoSchedule"}]},
            {"tolerations": [{"operator": "Exists"}]},
            True,
        ),
        ({"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]}, {}, True),
        ({}, {"nodeSelector": {"disk": "hdd"}}, False),
        ({}, {"nodeName": "other"}, False),
    ],
)
def test_eligible_nodes(spec: dict[str, Any], asked: dict[str, Any], *, wanted: bool) -> None:
    """A DaemonSet wants a pod on every node that its selector and its tolerations admit."""
    assert bool(list(eligible(tolerant(pod(**asked)), [node(**spec)]))) is wanted
