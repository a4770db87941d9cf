"""Judging what is written of the pods of a Service: late, never a mixture, never turning back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.endpoint.decision import Listed, listed
from kubelemma.reports.conformance import Answer
from kubelemma.runs.acceptance import judge_file
from kubelemma.runs.views import Moment, Shown, Story

NAMED: Any = {"name": "web", "uid": "Service-web"}
READY = {"ready": True, "serving": True, "terminating": False}
LEAVING = {"ready": False, "serving": True, "terminating": True}
ROUTES = st.lists(st.sampled_from(("ready", "not ready", "")), max_size=6)


def story(said: list[str]) -> Story:
    """What was true of a pod, one after the other."""
    found = Story([Moment(0, {})])
    for revision, what in enumerate(said, 1):
        found.add(Moment(revision, {"a": what} if what else {}))
    return found


@given(ROUTES, st.data())
def test_whoever_reads_later_and_later_is_believed(said: list[str], data: st.DataObject) -> None:
    """Any moments in order, with any of them left out, are a view."""
    found = story(said)
    moments: list[Shown] = [moment.shown for moment in found.moments]
    for at in sorted(data.draw(st.lists(st.integers(0, len(moments) - 1), max_size=6))):
        assert found.take(moments[at], {}).accepted


@given(ROUTES)
def test_what_was_never_true_is_refused(said: list[str]) -> None:
    """Whatever was before, and nothing is told of when it would have been right."""
    verdict = story(said).take({"a": "terminating"}, {})
    assert (verdict.accepted, verdict.read_at) == (False, None)


def test_a_view_that_turns_back_is_refused() -> None:
    """It is told as of which revision it would have been right."""
    found = story(["ready", "not ready"])
    assert found.take({"a": "not ready"}, {}).accepted
    verdict = found.take({"a": "ready"}, {"a": "not ready"})
    assert (verdict.accepted, verdict.read_at) == (False, 1)
    assert verdict.changes == ("Pod a: not ready -> ready",)
    assert found.take({"a": "not ready"}, {}).accepted


@pytest.fixture
def served(recorder: Any) -> Any:
    """A Deployment of two pods with addresses, and a Service that selects them."""
    recorder.rolled_out("node-1", "node-2")
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    home = {"namespace": "default"}
    recorder.write("driver", "create", "Service", "web", metadata=home, spec=spec)
    for number in (1, 2):
        address = {"podIP": f"10.0.0.{number}"}
        recorder.write("fake-kubelet", "patch/status", "Pod", f"web-1-{number}", status=address)
    return recorder


def write_slice(recorder: Any, said: dict[int, Any], name: str = "web-1") -> None:
    """A slice of the Service, as its controller writes it."""
    owners = [{"kind": "Service", **NAMED, "controller": True}]
    recorder.write(
        *("sa:endpointslice-controller", "update", "EndpointSlice", name),
        metadata={"namespace": "default", "ownerReferences": owners},
        endpoints=[
            {"targetRef": {"name": f"web-1-{number}"}, "conditions": conditions}
            for number, conditions in said.items()
        ],
    )


def write_endpoints(recorder: Any, **said: list[int]) -> None:
    """The Endpoints of the Service, as their controller writes them."""
    subset = {
        key: [{"targetRef": {"name": f"web-1-{number}"}} for number in numbers]
        for key, numbers in said.items()
    }
    actor = "sa:endpoint-controller"
    home = {"namespace": "default"}
    recorder.write(actor, "update", "Endpoints", "web", metadata=home, subsets=[subset])


def test_slices_and_endpoints_are_written_late(served: Any) -> None:
    """Each by its own view: a slice may name a pod that Endpoints do not have any more."""
    before = judge_file(served.save())
    write_slice(served, {1: READY})
    marked = {"metadata": {"deletionTimestamp": "now"}}
    served.write("sa:replicaset-controller", "delete", "Pod", "web-1-2", **marked)
    write_endpoints(served, addresses=[1])
    write_slice(served, {1: READY, 2: READY})
    write_slice(served, {1: READY, 2: LEAVING})
    after = judge_file(served.save())
    assert after.writes - before.writes == 4 + len(after.refusals)
    assert all(found.actor == "sa:replicaset-controller" for found in after.refusals)


def test_a_mixture_is_refused(served: Any) -> None:
    """The nearest moment is told: what the pods were like."""
    write_slice(served, {1: LEAVING, 2: READY})
    run = judge_file(served.save())
    assert run.answer is Answer.REFUSED
    (found,) = run.refusals
    assert (found.actor, found.object) == ("sa:endpointslice-controller", "default/web-1")
    assert found.changes[0] == "Pod web-1-1: absent -> serving, terminating"
    assert found.nearest is not None
    assert "Pod web-1-1: absent -> ready, serving" in found.nearest.changes


def test_one_of_several_slices_is_not_judged(served: Any) -> None:
    """An endpoint may be in none of them for a moment, or in two."""
    before = judge_file(served.save()).writes
    write_slice(served, {1: READY})
    write_slice(served, {2: LEAVING}, name="web-2")
    run = judge_file(served.save())
    assert (run.refusals, run.writes) == ((), before + 1)


@pytest.mark.parametrize(
    ("ready", "terminating", "published", "where"),
    [
        (True, False, False, Listed.READY),
        (False, False, False, Listed.NOT_READY),
        (False, False, True, Listed.READY),
        (True, True, False, None),
        (False, True, True, Listed.READY),
    ],
)
def test_where_endpoints_list_a_pod(
    *, ready: bool, terminating: bool, published: bool, where: Listed | None
) -> None:
    """Unlike slices, they leave out what terminates, but for addresses that are published."""
    found = listed(
        "Running",
        has_address=True,
        ready=ready,
        terminating=terminating,
        publish_not_ready=published,
    )
    assert found == where
    assert listed("Running", has_address=False, ready=True, terminating=False) is None
    assert listed("Failed", has_address=True, ready=True, terminating=False) is None
