"""Pods that are resized in place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.components.kubelet.decision.resizing import (
    Answer,
    Resizing,
    allocation,
    answer,
    granted,
    quality,
    refused,
    resized,
    waits,
)
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import held_requests
from kubelemma.model.manifests import InvalidInput
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import Quantity
from kubelemma.solver.result import Verdict

CPUS = st.integers(1, 9)


def pod(cpu: int) -> Pod:
    """A pod with one container, and another one beside it."""
    main = {"name": "main", "resources": {"requests": {"cpu": str(cpu)}}}
    return decode({"spec": {"containers": [main, {"name": "beside"}]}}, Pod)


def asking(cpu: int) -> Resizing:
    """That the first container request so much."""
    return Resizing("", Quantity(cpu), None)


def held(found: Pod) -> int:
    """What the scheduler counts, in whole processors."""
    return held_requests(found)[0]["cpu"] // 1000


@given(CPUS, CPUS, CPUS)
def test_a_resize_keeps_what_is_allocated(before: int, after: int, then: int) -> None:
    """The scheduler counts the larger of both; one that is taken back leaves nothing."""
    small = pod(before)
    found = resized(small, asking(after))
    assert waits(found) == (before != after)
    assert held(found) == max(before, after)
    assert allocation(found) == small
    assert held(granted(found)) == after
    assert resized(found, asking(before)) == small
    assert resized(resized(found, asking(then)), asking(after)) == found
    if waits(found):
        assert held(refused(found)) == before


@given(st.integers(0, 9), CPUS, CPUS)
def test_a_kubelet_looks_at_its_node_and_at_others(others: int, size: int, wanted: int) -> None:
    """What never fits is Infeasible, what does not fit now is put off."""
    raw = {"status": {"allocatable": {"cpu": str(size), "pods": "9"}}}
    info = NodeInfo(decode(raw, Node), (pod(others),) if others else ())
    expected = Answer.DEFERRED if wanted + others > size else Answer.GRANTED
    found = answer(pod(wanted), info)
    assert found is (Answer.INFEASIBLE if wanted > size else expected)


def test_limits_of_a_guaranteed_pod_go_along() -> None:
    """So it stays what it is; those of another are left as they are."""
    for memory, limit, quality_of, expected in (
        (1, "1", "Guaranteed", 2),
        (2, "1", "Burstable", 1),
        (1, "4", "Burstable", 4),
    ):
        limits = {"cpu": limit, "memory": str(memory)}
        raw = {"requests": {"cpu": "1", "memory": "1"}, "limits": limits}
        found = decode({"spec": {"containers": [{"name": "main", "resources": raw}]}}, Pod)
        resources = (resized(found, asking(2)).spec.containers or ())[0].resources
        assert resources is not None
        assert resources.limits is not None
        assert quality(found) == quality_of
        assert resources.limits["cpu"] == Quantity(expected)


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "web:1", resources: {RESOURCES}}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cluster: {nodes: [{count: 1, allocatable: {cpu: "4"}}]}
  events: [EVENTS]
  properties: [all]
"""


def asked(
    events: str, resources: str = 'requests: {cpu: "1"}', head: str = ""
) -> dict[str, Verdict]:
    """The verdicts with these events."""
    text = head + WEB.replace("EVENTS", events).replace("RESOURCES", resources)
    (case,) = api.ask(api.Question(paths=("-",), stdin=text)).cases
    return {p.property.id: p.verdict for p in api.explore(case).result.properties}


@pytest.mark.parametrize(
    ("events", "holds"),
    [
        ('{resize: {workload: web, cpu: "3"}}', True),
        ('{resize: {workload: web, cpu: "4"}}', False),
        ('{resize: {workload: web, cpu: "5"}}', False),
        ('{resize: {workload: web, cpu: "2", max: 2}}', True),
        ('{resize: {workload: web, cpu: "3", max: 2}}', False),
        ('{resize: {workload: web, cpu: "3"}}, {scale: {workload: web, replicas: 1}}', True),
        ('{resize: {workload: web, cpu: "4"}}, {rollout: {}}', False),
    ],
)
def test_what_becomes_of_resizes(events: str, *, holds: bool) -> None:
    """They are carried out as far as there is room, one after the other."""
    found = asked(events)
    assert (found["KUB-15"] is Verdict.HOLDS) is holds
    assert found["KUB-7"] is Verdict.HOLDS
    assert found["SCH-1"] is Verdict.HOLDS
    assert found.get("SCH-2", Verdict.HOLDS) is Verdict.HOLDS


def test_what_a_limit_range_adds_may_be_resized() -> None:
    """It is what admission makes of the template that is resized."""
    limits = "{type: Container, defaultRequest: {cpu: 1}}"
    head = (
        f"apiVersion: v1\nkind: LimitRange\nmetadata: {{name: a}}\nspec: {{limits: [{limits}]}}\n"
    )
    found = asked("{resize: {workload: web, cpu: 2}}", "", head + "---")
    assert found["KUB-15"] is Verdict.HOLDS


@pytest.mark.parametrize(
    ("event", "resources", "said"),
    [
        ("{workload: web}", "", "asks for nothing: give cpu, memory, or both"),
        ("{workload: web, cpu: -1}", "", "cpu: -1 must be greater than or equal to 0"),
        ('{workload: web, cpu: "2"}', "", "Pod QOS Class may not change as a result of resizing"),
        (
            "{workload: web, cpu: 2, memory: 1Gi}",
            "requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 2, memory: 1Gi}",
            "it is Burstable, and would be Guaranteed",
        ),
        (
            "{workload: web, cpu: 1, container: we}",
            "requests: {cpu: 2}",
            'resize.container: "we" is no container of the pod, which has web',
        ),
        (
            "{workload: web, cpu: 3}",
            "requests: {cpu: 1}, limits: {cpu: 2}",
            "resize.cpu: must be less than or equal to cpu limit of 2",
        ),
    ],
)
def test_what_the_api_server_refuses(event: str, resources: str, said: str) -> None:
    """A resize that would change the class of a pod, or pass its limit."""
    with pytest.raises(InvalidInput) as raised:
        asked(f"{{resize: {event}}}", resources)
    assert said in str(raised.value)
