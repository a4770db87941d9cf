"""Laws of what tests read of recorded objects: times, the ranking by them, views of Deployments."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded.deployments import deployment_view, replica_set_view
from recorded.ranking import Victim, deletion_order, less, pods_to_delete, victim

from kubelemma.model.components.deployment.decision import DeploymentView, RollingUpdate
from kubelemma.model.components.replicaset.decision import rank_key
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import IntOrPercent
from kubelemma.model.objects.times import GO_ZERO_TIME, seconds
from kubelemma.model.objects.workloads import Deployment, ReplicaSet

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


# Deployments


def test_absent_fields_have_the_defaults() -> None:
    """A bare Deployment has one replica, bounds of 25 % and ten old revisions."""
    quarter = IntOrPercent(25, percent=True)
    expected = DeploymentView(1, RollingUpdate(quarter, quarter), revision_history_limit=10)
    assert deployment_view(Deployment()) == expected
    endless = {"spec": {"revisionHistoryLimit": 2**31 - 1, "strategy": {"type": "Recreate"}}}
    view = deployment_view(decode(endless, Deployment))
    assert (view.revision_history_limit, view.rolling_update) == (None, None)


def test_status_of_an_older_generation_is_not_observed() -> None:
    """A status counts only once its controller has seen the current spec."""
    counts = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    for observed in (1, 2):
        status = {**counts, "observedGeneration": observed}
        stored = {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}
        assert deployment_view(decode(stored, Deployment)).complete is (observed == 2)
    raw = {"metadata": {"generation": 2, "deletionTimestamp": "2026-02-01T00:00:00Z"}}
    view = replica_set_view(decode(raw, ReplicaSet))
    assert view.deleting
    assert not view.observed


def test_unreadable_annotations_count_as_absent() -> None:
    """Go reads an annotation that is no integer as none at all."""
    annotations = {
        "deployment.kubernetes.io/desired-replicas": "1_0",
        "deployment.kubernetes.io/max-replicas": "+7",
        "deployment.kubernetes.io/revision": "3",
    }
    raw = {"metadata": {"name": "a", "annotations": annotations}, "spec": {"replicas": 2}}
    view = replica_set_view(decode(raw, ReplicaSet))
    assert (view.desired, view.max_replicas, view.revision) == (None, 7, 3)
    assert view.created == GO_ZERO_TIME
