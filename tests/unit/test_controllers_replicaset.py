"""Laws of the ReplicaSet controller's decisions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.controllers.replicaset import (
    Expectations,
    Victim,
    deletion_order,
    less,
    manage_replicas,
    pods_to_delete,
    rank_key,
    slow_start_batches,
    victim,
)
from kubelemma.model.controllers.times import seconds
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod

NOW = 10**12
TIMES = st.none() | st.integers(0, 6).map(lambda n: NOW - 10**n)
COSTS = st.sampled_from([-(2**31), -1, 0, 1, 2**31 - 1])
VICTIMS = st.builds(
    Victim,
    assigned=st.booleans(),
    phase=st.sampled_from(["Pending", "Unknown", "Running", ""]),
    ready=st.booleans(),
    deletion_cost=COSTS,
    colocated=st.integers(0, 3),
    ready_since=TIMES,
    restarts=st.integers(0, 2),
    sidecar_restarts=st.integers(0, 2),
    created=TIMES,
    uid=st.sampled_from("abc"),
)
CLOCKS = st.sampled_from([NOW, None])


def key(pod: Victim) -> int:
    """The part of the ranking that no time enters."""
    return rank_key(
        assigned=pod.assigned,
        phase=pod.phase,
        ready=pod.ready,
        deletion_cost=pod.deletion_cost,
        colocated=pod.colocated,
    )


@given(VICTIMS, VICTIMS, CLOCKS)
def test_untimed_key_decides_first(first: Victim, second: Victim, now: int | None) -> None:
    """A pod with the greater key is deleted before the other, whatever their times."""
    if key(first) > key(second):
        assert less(first, second, now)
        assert not less(second, first, now)


@given(VICTIMS, VICTIMS, CLOCKS)
def test_less_is_asymmetric(first: Victim, second: Victim, now: int | None) -> None:
    """Of two pods at most one goes before the other."""
    assert not (less(first, second, now) and less(second, first, now))


def test_criteria_come_in_order() -> None:
    """Each criterion outweighs all later ones."""
    mild: dict[str, Any] = {
        "assigned": True, "phase": "Running", "ready": True,
        "deletion_cost": 2**31 - 1, "colocated": 0,
    }  # fmt: skip
    severe: dict[str, Any] = {
        "assigned": False, "phase": "Pending", "ready": False,
        "deletion_cost": -(2**31), "colocated": 2**24 - 1,
    }  # fmt: skip
    names = list(mild)
    for i, name in enumerate(names):
        worse = {**mild, name: severe[name]}
        later = {**mild, **{n: severe[n] for n in names[i + 1 :]}}
        assert rank_key(**worse) > rank_key(**later)
    assert rank_key(**{**mild, "phase": "Unknown"}) < rank_key(**{**mild, "phase": "Pending"})
    assert 0 <= rank_key(**mild) < rank_key(**severe) < 2**63


@pytest.mark.parametrize("colocated", [-1, 2**24])
def test_colocation_out_of_range_is_refused(colocated: int) -> None:
    """A count that would run into the next criterion is an error."""
    with pytest.raises(ValueError, match="out of range"):
        rank_key(assigned=True, phase="Running", ready=True, deletion_cost=0, colocated=colocated)


@given(st.lists(VICTIMS, max_size=8), CLOCKS)
def test_order_is_a_permutation(victims: list[Victim], now: int | None) -> None:
    """Every pod has one place, and keys never grow along the order."""
    order = deletion_order(victims, now)
    assert sorted(order) == list(range(len(victims)))
    keys = [key(victims[i]) for i in order]
    assert keys == sorted(keys, reverse=True)


def test_ages_of_one_bucket_tie_by_uid() -> None:
    """Ages of 5 and 8 billion ns lie in one power of two, so the lower UID goes first."""
    second = 10**9
    older = Victim(True, "Running", True, ready_since=NOW - 8 * second, uid="a")
    newer = older._replace(ready_since=NOW - 5 * second, uid="b")
    assert less(older, newer, NOW)
    assert less(newer, older, None)
    assert less(older._replace(ready_since=NOW - 9 * second), newer, NOW) is False


def test_a_cycle_follows_the_insertion_sort() -> None:
    """Buckets and UIDs make a cycle; the outcome depends on the order of the input."""
    # Each goes before the next: by UID in one bucket, by age, and by restarts at equal times.
    first = Victim(True, "Running", True, ready_since=NOW - 8 * 10**9, uid="a")
    second = first._replace(ready_since=NOW - 5 * 10**9, uid="b", restarts=1)
    third = first._replace(ready_since=NOW - 5 * 10**9, uid="0")
    assert less(first, second, NOW)
    assert less(second, third, NOW)
    assert less(third, first, NOW)
    assert deletion_order((first, second, third), NOW) == (0, 1, 2)
    assert deletion_order((second, third, first), NOW) == (0, 1, 2)


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 600))
def test_manage_replicas_approaches_the_goal(active: int, desired: int, burst: int) -> None:
    """A sync acts in the right direction, not past the goal, and at most one burst."""
    change = manage_replicas(active, desired, burst)
    assert abs(change) <= burst
    assert abs(desired - active - change) == abs(desired - active) - abs(change)


@given(st.integers(0, 600))
def test_slow_start_doubles(count: int) -> None:
    """The batches add up to the pods wanted, each at most twice the one before."""
    batches = slow_start_batches(count)
    assert sum(batches) == count
    assert all(b == 2 * a for a, b in pairwise(batches[:-1]))
    assert all(0 < b <= 2 * a for a, b in pairwise(batches))


@given(st.integers(-9, 9))
def test_expectations_are_met_one_by_one(change: int) -> None:
    """A sync waits until it has seen exactly what it did, and never less than nothing."""
    waiting = Expectations.to_manage(change)
    for _ in range(abs(change)):
        assert not waiting.satisfied
        waiting = waiting.observe_creation() if change > 0 else waiting.observe_deletion()
    assert waiting.satisfied
    assert waiting.observe_creation(3).observe_deletion(3) == Expectations()


def pod(name: str, **status: Any) -> Pod:
    """A pod on a node."""
    raw = {"metadata": {"name": name}, "spec": {"nodeName": "n"}, "status": status}
    return decode(raw, Pod)


@given(st.integers(0, 5))
def test_all_pods_go_unsorted(count: int) -> None:
    """Where all have to go they keep their order; otherwise the first in the ranking go."""
    pods = [pod("a", phase="Running"), pod("b", phase="Pending"), pod("c", phase="Unknown")]
    chosen = "".join(p.metadata.name for p in pods_to_delete(pods, pods, count, NOW))
    assert chosen == ("abc" if count >= len(pods) else "bca"[:count])


@pytest.mark.parametrize(
    ("text", "cost"),
    [("10", 10), ("-5", -5), ("-05", -5), ("0", 0), ("+5", 0), ("007", 0), ("2147483648", 0)],
)
def test_deletion_cost_is_read_strictly(text: str, cost: int) -> None:
    """What the API server would not take for a cost counts as none."""
    annotations = {"controller.kubernetes.io/pod-deletion-cost": text}
    raw = decode({"metadata": {"annotations": annotations}}, Pod)
    assert victim(raw, 0).deletion_cost == cost


def test_only_sidecars_count_among_init_containers() -> None:
    """Restarts of ordinary init containers do not matter, those of sidecars do."""
    spec = {"initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]}
    statuses = [{"name": "i", "restartCount": 7}, {"name": "s", "restartCount": 3}]
    raw = {"spec": spec, "status": {"initContainerStatuses": statuses}}
    assert victim(decode(raw, Pod), 0).sidecar_restarts == 3


def test_times_need_a_zone() -> None:
    """Timestamps are whole seconds since 1970; one without a zone is refused."""
    assert seconds("1970-01-01T01:00:01.9+01:00") == 1
    with pytest.raises(ValueError, match="no time zone"):
        seconds("1970-01-01T00:00:00")
