"""Recorded runs of the real control plane: evictions and pods of templates, in the model's terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from wired import count, runs

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import Pod, Toleration

OTHER = Taint(key="example.com/other", effect="NoExecute")
FOR_EVER = Toleration(key=OTHER.key, operator="Exists")


def test_evictions(traces: Path, tally: Any) -> None:
    """Whatever the real controller evicts, a rule evicts from a node with these taints."""
    for name in runs.runs(traces):
        for case in runs.evictions(traces, name):
            count(tally, "wired evictions", case["id"], runs.compare_eviction(case))
    tally.verify("wired evictions")


def test_pods_of_templates(traces: Path, tally: Any) -> None:
    """A Deployment's template gives the pods that the API server stored, admission included."""
    for name in runs.runs(traces):
        for case in runs.stamped(traces, name):
            count(tally, "wired templates", case["id"], runs.compare_stamped(case))
    tally.verify("wired templates")


@pytest.mark.parametrize("family", ["node-down-deploy", "taint-noexecute"])
def test_shortest_toleration_counts(traces: Path, family: str) -> None:
    """An eviction stays due if the pod tolerates one more taint of its node, for ever."""
    names = [name for name in runs.runs(traces) if name.startswith(family)]
    cases = [case for name in names for case in runs.evictions(traces, name)]
    assert cases
    for case in cases:
        pod, node = decode(case["pod"], Pod), decode(case["node"], Node)
        assert runs.evicts(tolerant(pod), tainted(node))


def tolerant(pod: Pod) -> Pod:
    """The pod with one more toleration."""
    tolerations = (*(pod.spec.tolerations or ()), FOR_EVER)
    return msgspec.structs.replace(
        pod, spec=msgspec.structs.replace(pod.spec, tolerations=tolerations)
    )


def tainted(node: Node) -> Node:
    """The node with one more taint."""
    taints = (*(node.spec.taints or ()), OTHER)
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, taints=taints))
