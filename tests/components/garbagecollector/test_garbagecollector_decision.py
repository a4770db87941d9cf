"""What the garbage collector does with an object, by the code that it follows."""

from __future__ import annotations

import pytest

from kubelemma.model.components.garbagecollector.decision import (
    Owner,
    Verdict,
    attempt_to_delete,
)

S, D, W = Owner.SOLID, Owner.DANGLING, Owner.WAITING


@pytest.mark.parametrize(
    ("owners", "verdict"),
    [
        ((), Verdict.KEEP),
        ((S,), Verdict.KEEP),
        ((S, S), Verdict.KEEP),
        ((S, D), Verdict.UNREFERENCE),
        ((W, S), Verdict.UNREFERENCE),
        ((D,), Verdict.DELETE),
        ((D, D), Verdict.DELETE),
        ((D, W), Verdict.DELETE),
        ((W,), Verdict.DELETE),
    ],
)
def test_an_object_goes_with_its_last_owner(owners: tuple[Owner, ...], verdict: Verdict) -> None:
    """One owner that is there keeps it; without any owner it is nobody's to collect."""
    assert attempt_to_delete(owners) is verdict
