"""Laws of taint eviction and of the tolerations that admission adds."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.tainteviction.decision import (
    min_toleration_seconds,
    with_default_tolerations,
)
from kubelemma.model.objects.node import Taint
from kubelemma.model.objects.pod import Toleration

EFFECTS = st.sampled_from(["NoSchedule", "NoExecute"])
TAINTS = st.builds(
    Taint, key=st.sampled_from("ab"), value=st.sampled_from(["", "v"]), effect=EFFECTS
)
TOLERATIONS = st.builds(
    Toleration,
    key=st.sampled_from(["", "a", "b"]),
    operator=st.sampled_from(["Equal", "Exists", "", "Gt"]),
    value=st.sampled_from(["", "v"]),
    effect=st.sampled_from(["", "NoSchedule", "NoExecute"]),
    toleration_seconds=st.none() | st.integers(-1, 3),
)
UNREACHABLE = Taint(key="node.kubernetes.io/unreachable", effect="NoExecute")


def delay(tolerations: list[Toleration], taints: list[Taint]) -> float:
    """How long the pod may stay; for ever is infinity."""
    seconds = min_toleration_seconds(tolerations, taints)
    return inf if seconds is None else seconds


@given(st.lists(TOLERATIONS, max_size=4), st.lists(TAINTS, max_size=3), TAINTS)
def test_another_taint_never_helps(
    tolerations: list[Toleration], taints: list[Taint], more: Taint
) -> None:
    """With one more taint a pod may stay no longer, and as long if that is not NoExecute."""
    after = delay(tolerations, [*taints, more])
    assert after <= delay(tolerations, taints)
    if more.effect == "NoSchedule":
        assert after == delay(tolerations, taints)


@given(st.lists(TOLERATIONS, max_size=4), st.lists(TAINTS, max_size=3), TOLERATIONS)
def test_another_toleration_at_the_end_never_hurts(
    tolerations: list[Toleration], taints: list[Taint], more: Toleration
) -> None:
    """The first match counts, so an added toleration only serves taints that had none."""
    assert delay([*tolerations, more], taints) >= delay(tolerations, taints)


def test_first_matching_toleration_counts() -> None:
    """A toleration for ever behind one for ten seconds gives ten seconds."""
    short = Toleration(operator="Exists", toleration_seconds=10)
    for_ever = Toleration(operator="Exists")
    assert min_toleration_seconds([short, for_ever], [UNREACHABLE]) == 10
    assert min_toleration_seconds([for_ever, short], [UNREACHABLE]) is None


def test_untolerated_taint_evicts_at_once() -> None:
    """No toleration, or one for no time at all, gives no delay; no taint gives no eviction."""
    none_at_all = Toleration(operator="Exists", toleration_seconds=-5)
    assert min_toleration_seconds([], [UNREACHABLE]) == 0
    assert min_toleration_seconds([none_at_all], [UNREACHABLE]) == 0
    assert min_toleration_seconds([], []) is None


@given(st.lists(TOLERATIONS, max_size=4))
def test_default_tolerations_are_added_once(tolerations: list[Toleration]) -> None:
    """Admission keeps what is there, and has nothing to add the second time."""
    after = with_default_tolerations(tolerations)
    assert list(after[: len(tolerations)]) == tolerations
    assert with_default_tolerations(after) == after


def test_default_is_five_minutes() -> None:
    """A plain pod stays on an unreachable node for 300 s."""
    assert min_toleration_seconds(with_default_tolerations([]), [UNREACHABLE]) == 300


def test_own_toleration_replaces_the_default() -> None:
    """Any toleration for the key keeps the default away, even one that does not match."""
    own = Toleration(key=UNREACHABLE.key, value="other", effect="NoExecute")
    after = with_default_tolerations([own])
    assert [t.key for t in after] == [UNREACHABLE.key, "node.kubernetes.io/not-ready"]
    assert min_toleration_seconds(after, [UNREACHABLE]) == 0
    anything = Toleration(operator="Exists")
    assert with_default_tolerations([anything]) == (anything,)
