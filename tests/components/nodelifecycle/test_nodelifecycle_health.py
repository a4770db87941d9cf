"""What the node lifecycle controller writes of one node, write by write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.cluster.state import Ailment, Taints
from kubelemma.model.components.nodelifecycle.health import (
    Health,
    loses_pods,
    mirrored,
    next_no_execute,
    next_no_schedule,
    reachable,
    reported,
    silenced,
)

ILL = st.sampled_from([Ailment.UNREACHABLE, Ailment.NOT_READY])
CARRIED = st.sampled_from([*map(Ailment, range(4))])
HEALTH = st.builds(Health, st.just(value=False), CARRIED)
TAINTS = st.builds(Taints, CARRIED, CARRIED, st.booleans())


@given(HEALTH, TAINTS)
def test_no_schedule_taints_are_swapped_in_two_writes(health: Health, taints: Taints) -> None:
    """A node that is not Ready never lacks the taint in between: one is added, one removed."""
    first = next_no_schedule(health, taints)
    second = next_no_schedule(health, taints._replace(tainted=first))
    assert first & health.ailment
    assert second == mirrored(health, taints) == health.ailment


@given(HEALTH, TAINTS)
def test_a_zone_that_does_not_evict_only_swaps(health: Health, taints: Taints) -> None:
    """Who has no NoExecute taint gets none; what says something else is replaced all the same."""
    after = taints.evicting
    for _ in range(2):
        after = next_no_execute(health, taints._replace(evicting=after), evicts=False)
    assert after == (health.ailment if taints.evicting else Ailment.NONE)


@given(HEALTH, TAINTS)
def test_a_zone_that_evicts_taints_in_the_end(health: Health, taints: Taints) -> None:
    """Two writes are enough: the taint of the node's condition, and no other."""
    after = taints.evicting
    for _ in range(2):
        after = next_no_execute(health, taints._replace(evicting=after), evicts=True)
    assert after == health.ailment


@given(TAINTS)
def test_a_node_that_is_back_loses_one_taint_after_the_other(taints: Taints) -> None:
    """First unreachable, then not-ready, each in a write of its own."""
    first = reachable(taints)
    assert first == taints.evicting & ~(
        Ailment.UNREACHABLE if taints.evicting & Ailment.UNREACHABLE else Ailment.NOT_READY
    )
    assert reachable(taints._replace(evicting=first)) == Ailment.NONE


@given(st.sampled_from([Ailment.NONE, Ailment.NOT_READY, Ailment.SHUTTING_DOWN]))
def test_only_a_node_that_was_ready_loses_its_pods_readiness(ails: Ailment) -> None:
    """One whose Ready was False before it fell silent keeps what its pods had."""
    health = reported(ails)
    after = silenced(health)
    assert after.status == "Unknown"
    assert silenced(after) == after
    assert loses_pods(after) is not ails
    assert loses_pods(after) == (not ails)
    assert not loses_pods(health)
