"""Readiness gates: open in the end, or never where a scenario says so."""

from __future__ import annotations

import pytest
from budgeted import CONTAINER, Raw, scenario, verdicts

from kubelemma.model.manifests.problems import InvalidInput

GATED: Raw = {
    "containers": [CONTAINER],
    "readinessGates": [{"conditionType": "example.com/known"}],
}


def rollout(version: str) -> Raw:
    """A rollout to a version that behaves like this."""
    return {"rollout": {"deployment": "web", "newVersion": version}}


@pytest.mark.parametrize(("version", "verdict"), [("healthy", "holds"), ("gateNeverTrue", "viol")])
def test_a_rollout_waits_for_whoever_sets_a_gate(version: str, verdict: str) -> None:
    """It is completed if somebody does, in the end; the version itself is sound either way."""
    found = verdicts(scenario(events=(rollout(version),), spec=GATED), "DEP-4")
    assert found["DEP-4"].startswith(verdict)


def test_old_pods_keep_theirs() -> None:
    """So what is promised stays available, and pods that come back need the gate anew."""
    drained = (rollout("gateNeverTrue"), {"drain": {}})
    found = verdicts(scenario(events=drained, spec=GATED), "DEP-2", "RS-1")
    assert found == {"DEP-2": "holds", "RS-1": "holds"}


def test_only_a_gate_can_stay_shut() -> None:
    """A template without one is refused such a version, and told why."""
    with pytest.raises(InvalidInput, match="has no readiness gate that could fail"):
        scenario(events=(rollout("gateNeverTrue"),))
