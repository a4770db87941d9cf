"""What a sync of a StatefulSet decides, against what the real controller answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from recorded.stateful import pod_views, set_view, status_of, told

from kubelemma.model.components.statefulset.decision import (
    PodView,
    Purpose,
    SetView,
    Strategy,
    Verb,
    in_order,
    max_unavailable,
    revision_of_new,
    truncated,
    update_stateful_set,
)
from kubelemma.model.objects.quantity import IntOrPercent

Case = dict[str, Any]
Data = Callable[[str], list[Case]]


def test_random_sets(oracle: Data, tally: Any) -> None:
    """What is done to which pod, in which order, and what is counted, are as in the real code."""
    for case in oracle("statefulset"):
        view = set_view(case["input"])
        sync = update_stateful_set(view, pod_views(case["input"]))
        acts = [told(case["input"], act) for act in sync.acts]
        answer = {
            "actions": acts if view.ordered else sorted(acts),
            "status": status_of(sync.status),
        }
        if answer == case["expect"]:
            tally.passed("statefulset")
        else:
            tally.failed("statefulset", case["id"], f"{answer} instead of {case['expect']}")
    tally.verify("statefulset")


pods = st.builds(
    PodView,
    ordinal=st.integers(0, 5),
    revision=st.sampled_from(("old", "new")),
    phase=st.sampled_from(("Pending", "Running", "Failed")),
    ready=st.booleans(),
    available=st.booleans(),
    terminating=st.booleans(),
)
several = st.lists(pods, max_size=6, unique_by=lambda pod: pod.ordinal)
strategies = st.builds(
    Strategy,
    on_delete=st.booleans(),
    partition=st.none() | st.integers(0, 4),
    max_unavailable=st.none() | st.integers(1, 3),
)
sets = st.builds(
    SetView,
    replicas=st.integers(0, 4),
    current=st.just("old"),
    update=st.just("new"),
    start=st.integers(0, 2),
    ordered=st.booleans(),
    strategy=strategies,
    current_replicas=st.integers(0, 4),
)


@given(sets, several)
def test_an_ordered_sync_changes_one_pod(view: SetView, found: list[PodView]) -> None:
    """With OrderedReady no more than one pod is made or deleted, unless several may be missing."""
    sync = update_stateful_set(view, found)
    changed = [act for act in sync.acts if act.verb is not Verb.UPDATE]
    assert not view.ordered or len(changed) <= (view.strategy.max_unavailable or 1)


@given(sets, several)
def test_no_name_is_given_twice(view: SetView, found: list[PodView]) -> None:
    """A pod is made only where there is none of its name, and deleted only where there is one.

    One that a sync makes of the current revision it may delete again at once.
    """
    there = {pod.ordinal for pod in found}
    for act in update_stateful_set(view, found).acts:
        assert (act.verb is Verb.CREATE) == (act.ordinal not in there)
        there.add(act.ordinal)


@given(sets, several)
def test_rollouts_leave_what_is_below_the_partition(view: SetView, found: list[PodView]) -> None:
    """A rolling update deletes no pod below its partition, and none of the new revision."""
    for act in update_stateful_set(view, found).acts:
        if act.purpose is Purpose.ROLL_OUT:
            assert not view.strategy.on_delete
            assert act.ordinal >= view.start + (view.strategy.partition or 0)
            assert act.revision != view.update


@given(sets)
def test_a_whole_set_is_left_alone(view: SetView) -> None:
    """Where all pods are there, available and of the new revision, nothing is done."""
    every = [PodView(n, "new") for n in range(view.start, view.start + view.replicas)]
    assert update_stateful_set(view, every).acts == ()


def test_a_broken_pod_blocks_its_own_repair() -> None:
    """The template is taken back, and the pod that is of the broken one is waited for (#67250)."""
    broken = PodView(2, "broken", ready=False, available=False)
    found = (PodView(0, "good"), PodView(1, "good"), broken)
    view = SetView(replicas=3, current="good", update="good")
    sync = update_stateful_set(view, found)
    assert (sync.acts, sync.waits) == ((), 2)
    freed = update_stateful_set(view._replace(ordered=False), found)
    assert [(act.verb, act.ordinal) for act in freed.acts] == [(Verb.DELETE, 2)]


def test_max_unavailable_by_gate() -> None:
    """With the gate several go at once, but none beyond what is unavailable already."""
    found = tuple(PodView(n, "old") for n in range(4))
    view = SetView(replicas=4, current="old", update="new")
    assert len(update_stateful_set(view, found).acts) == 1
    more = view._replace(strategy=Strategy(max_unavailable=3))
    assert [act.ordinal for act in update_stateful_set(more, found).acts] == [3, 2, 1]
    unready = (*found[:3], found[3]._replace(ready=False, available=False, revision="new"))
    parallel = more._replace(ordered=False)
    assert [act.ordinal for act in update_stateful_set(parallel, unready).acts] == [2, 1]


def test_max_unavailable_is_rounded_down_and_at_least_one() -> None:
    """A share of few pods is one of them."""
    half, small = IntOrPercent(50, percent=True), IntOrPercent(10, percent=True)
    assert [max_unavailable(half, n) for n in (1, 3, 4)] == [1, 1, 2]
    assert max_unavailable(small, 5) == max_unavailable(None, 5) == 1


def test_revisions_of_missing_pods() -> None:
    """Below the partition it is the current one; without any, as many as the status counts."""
    view = SetView(5, "old", "new", start=1, strategy=Strategy(partition=2))
    assert [revision_of_new(view, n) for n in (1, 2, 3)] == ["old", "old", "new"]
    silent = view._replace(strategy=Strategy(partition=None), current_replicas=1)
    assert [revision_of_new(silent, n) for n in (1, 2)] == ["old", "new"]


@given(st.lists(st.integers(0, 9), unique=True), st.sets(st.integers(0, 9)), st.integers(0, 4))
def test_history_is_cut_from_its_old_end(revisions: list[int], live: set[int], limit: int) -> None:
    """What is left are all live revisions, and the newest others up to the limit."""
    gone = truncated(revisions, live, limit)
    left = [r for r in revisions if r not in gone]
    others = [r for r in revisions if r not in live]
    assert not set(gone) & live
    assert [r for r in left if r not in live] == others[max(0, len(others) - limit) :]


def test_an_old_template_becomes_the_newest_revision() -> None:
    """Its revision gets a new number; no second one is made."""
    assert in_order((0, 1, 2), 0) == (1, 2, 0)
    assert in_order((0, 1), 2) == (0, 1, 2)
