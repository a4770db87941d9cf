"""Requests of pods and room on nodes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.scheduler.decision.node_resources import (
    ScoringStrategy,
    ShapePoint,
    filter_fit,
    fit_request,
    score_balanced,
    score_fit,
)
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo, node_infos
from kubelemma.model.components.scheduler.decision.resources import (
    as_resources,
    held_requests,
    is_scalar,
    pod_requests,
)
from kubelemma.model.components.scheduler.decision.status import Code
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

amounts = st.integers(0, 4000)


def _container(name: str, milli: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": {"cpu": f"{milli}m"}}, **more}


def _pod(containers: list[int], init: list[tuple[int, bool]] | None = None, **spec: Any) -> Pod:
    always = {"restartPolicy": "Always"}
    return decode(
        {
            "spec": {
                "containers": [_container(f"c{i}", m) for i, m in enumerate(containers)],
                "initContainers": [
                    _container(f"i{i}", m, **(always if sidecar else {}))
                    for i, (m, sidecar) in enumerate(init or [])
                ],
                **spec,
            }
        },
        Pod,
    )


def _node(**allocatable: str) -> Node:
    return decode({"status": {"allocatable": {"pods": "10", **allocatable}}}, Node)


def _peak(containers: list[int], init: list[tuple[int, bool]]) -> int:
    """The most cpu in use at once, found by running the pod step by step."""
    running = peak = 0
    for milli, sidecar in init:
        peak = max(peak, running + milli)
        running += milli if sidecar else 0
    return max(peak, running + sum(containers))


@given(
    st.lists(amounts, min_size=1, max_size=3),
    st.lists(st.tuples(amounts, st.booleans()), max_size=4),
)
def test_request_is_the_peak_of_a_run(containers: list[int], init: list[tuple[int, bool]]) -> None:
    """A pod requests what it needs at the worst moment, init containers running one by one."""
    assert fit_request(_pod(containers, init))["cpu"] == _peak(containers, init)


def test_amounts_are_rounded_up_once() -> None:
    """Two containers with half a millicore each need one millicore, not two."""
    pod = decode(
        {
            "spec": {
                "containers": [
                    {"name": name, "resources": {"requests": {"cpu": "500u"}}} for name in "ab"
                ]
            }
        },
        Pod,
    )
    assert fit_request(pod) == {"cpu": 1}


def test_overhead_is_added_to_pod_level_requests() -> None:
    """Requests of the pod as a whole replace those of its containers; overhead is on top."""
    pod = _pod([300, 300], resources={"requests": {"cpu": "1"}}, overhead={"cpu": "50m"})
    assert fit_request(pod)["cpu"] == 1050


def test_resize_holds_the_larger_amount() -> None:
    """While a pod shrinks it holds what it had; a resize called infeasible no longer counts."""
    raw: dict[str, Any] = {
        "spec": {"containers": [_container("c", 500)]},
        "status": {
            "containerStatuses": [
                {"name": "c", "resources": {"requests": {"cpu": "200m"}}},
            ]
        },
    }
    assert held_requests(decode(raw, Pod))[0]["cpu"] == 500
    pending = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
    raw["status"]["conditions"] = [pending]
    assert held_requests(decode(raw, Pod))[0]["cpu"] == 200
    assert as_resources(pod_requests(decode(raw, Pod)))["cpu"] == 500


def test_scores_assume_something_for_silent_containers() -> None:
    """A container without requests weighs 100m and 200Mi in scores, and nothing in filters."""
    silent = decode({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}, Pod)
    exact, scored = held_requests(silent)
    assert exact == {}
    assert scored == {"cpu": 200, "memory": 400 * 1024 * 1024}


def test_what_is_accounted_for() -> None:
    """Extended resources and huge pages are counted; unknown native names are not."""
    assert is_scalar("nvidia.com/gpu")
    assert is_scalar("hugepages-2Mi")
    assert is_scalar("kubernetes.io/batch")
    assert not is_scalar("storage")
    assert not is_scalar("requests.example.com/gpu")


@given(st.lists(amounts, max_size=4), amounts)
def test_fit_and_its_code(existing: list[int], wanted: int) -> None:
    """A pod fits if the sum does; only a request above the whole node is unresolvable."""
    info = NodeInfo(_node(cpu="4"), tuple(_pod([milli]) for milli in existing))
    code = filter_fit(fit_request(_pod([wanted])), info).code
    if wanted == 0 or sum(existing) + wanted <= 4000:
        assert code is Code.SUCCESS
    else:
        assert code is Code.UNSCHEDULABLE
    beyond = filter_fit({"cpu": 4001}, info)
    assert (beyond.code, beyond.reasons) == (Code.UNRESOLVABLE, ("Insufficient cpu",))


@given(amounts, amounts, st.integers(1, 8000))
def test_least_and_most_allocated_mirror_each_other(used: int, own: int, capacity: int) -> None:
    """Below capacity the two strategies add up to 100, or 99 where both cut off."""
    least = ScoringStrategy("LeastAllocated").score(used + own, capacity)
    most = ScoringStrategy("MostAllocated").score(used + own, capacity)
    if used + own <= capacity:
        assert least + most in {99, 100}
    else:
        assert (least, most) == (0, 100)


def test_ratio_follows_the_broken_line() -> None:
    """RequestedToCapacityRatio interpolates between its points, and cuts off towards zero."""
    shape = (ShapePoint(0, 10), ShapePoint(70, 0), ShapePoint(90, 5))
    strategy = ScoringStrategy("RequestedToCapacityRatio", shape=shape)
    heights = [strategy.score(used, 100) for used in (0, 10, 70, 80, 90, 100, 101)]
    assert heights == [100, 86, 0, 25, 50, 50, 50]


def test_scores_of_a_node_without_the_resource() -> None:
    """A resource that the node does not offer is left out; with none left the score is 0."""
    pod, info = _pod([100]), NodeInfo(_node())
    assert score_fit(pod, info) == 0
    assert score_balanced(pod, info) == 100


def test_terminal_pods_are_not_on_nodes() -> None:
    """Pods that have succeeded or failed take no room, nor do pods of other nodes."""
    node = decode({"metadata": {"name": "n"}}, Node)
    pods = [
        decode({"spec": {"nodeName": name}, "status": {"phase": phase}}, Pod)
        for name, phase in (("n", "Running"), ("n", "Failed"), ("n", "Succeeded"), ("m", ""))
    ]
    assert node_infos([node], pods) == (NodeInfo(node, (pods[0],)),)
