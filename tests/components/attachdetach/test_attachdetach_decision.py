# ruff: noqa: FBT001 - what a test is about
"""When volumes are attached and detached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.attachdetach.decision import Detachment, attaches, detachment

TRUTHS = st.booleans()


@given(TRUTHS, TRUTHS, TRUTHS)
def test_what_nobody_desires_is_not_attached(here: bool, elsewhere: bool, exclusive: bool) -> None:
    """A volume goes only where a pod uses it."""
    assert not attaches(desired=False, here=here, elsewhere=elsewhere, exclusive=exclusive)


@pytest.mark.parametrize(("elsewhere", "exclusive", "expected"), [
    (False, True, True), (True, True, False), (True, False, True), (False, False, True),
])  # fmt: skip
def test_one_node_at_a_time(elsewhere: bool, exclusive: bool, expected: bool) -> None:
    """A ReadWriteOnce volume waits until it is detached elsewhere, others do not."""
    answer = attaches(desired=True, here=False, elsewhere=elsewhere, exclusive=exclusive)
    assert answer is expected


@given(TRUTHS, TRUTHS, TRUTHS)
def test_what_is_desired_stays(mounted: bool, healthy: bool, out_of_service: bool) -> None:
    """No ground takes a volume from a pod whose object is there."""
    answer = detachment(
        desired=True, mounted=mounted, healthy=healthy, out_of_service=out_of_service
    )
    assert answer is Detachment.STAYS


@pytest.mark.parametrize(("mounted", "healthy", "out", "forces", "expected"), [
    (False, True, False, True, Detachment.SAFE),
    (False, False, False, True, Detachment.SAFE),
    (True, True, False, True, Detachment.STAYS),
    (True, False, False, True, Detachment.TIMED_OUT),
    (True, False, False, False, Detachment.STAYS),
    (True, False, True, False, Detachment.OUT_OF_SERVICE),
    (True, True, True, True, Detachment.OUT_OF_SERVICE),
])  # fmt: skip
def test_force(mounted: bool, healthy: bool, out: bool, forces: bool, expected: Detachment) -> None:
    """What is mounted is detached by force alone: after six minutes, or from what is tainted."""
    answer = detachment(
        desired=False, mounted=mounted, healthy=healthy, out_of_service=out, forces=forces
    )
    assert answer is expected
