"""Writes to pods."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.apiserver.decision import (
    Deletion,
    StoredPod,
    binding_conflict,
    delete,
)

pods = st.builds(
    StoredPod,
    bound=st.booleans(),
    gated=st.booleans(),
    terminal=st.booleans(),
    terminating=st.booleans(),
    grace_seconds=st.integers(0, 60),
)
graces = st.none() | st.integers(-5, 60)


@given(pods)
def test_only_a_free_pod_can_be_bound(pod: StoredPod) -> None:
    """A binding is stored exactly for a pod without node, gates or deletion."""
    free = not (pod.bound or pod.gated or pod.terminating)
    assert (binding_conflict(pod) is None) == free


def test_a_binding_to_the_same_node_conflicts() -> None:
    """Even the node that the pod has already is refused."""
    assert binding_conflict(StoredPod(bound=True)) == "pod is already assigned to a node"


@given(pods, graces)
def test_pods_that_nobody_runs_are_removed_at_once(pod: StoredPod, grace: int | None) -> None:
    """Without a node, or terminal, there is no kubelet to wait for."""
    if not pod.bound or pod.terminal:
        assert delete(pod, grace) is Deletion.REMOVED


@given(pods)
def test_grace_zero_removes(pod: StoredPod) -> None:
    """A forced deletion always removes the object."""
    assert delete(pod, 0) is Deletion.REMOVED


@given(st.integers(1, 60), st.integers(1, 60))
def test_grace_only_shrinks(left: int, asked: int) -> None:
    """A pod that terminates already changes only when it is given less time."""
    pod = StoredPod(bound=True, terminating=True, grace_seconds=left)
    shorter = asked < left
    assert delete(pod, asked) is (Deletion.TERMINATING if shorter else Deletion.UNCHANGED)


def test_a_negative_grace_counts_as_one_second() -> None:
    """It neither removes at once nor takes for ever."""
    assert delete(StoredPod(bound=True), -1) is Deletion.TERMINATING
