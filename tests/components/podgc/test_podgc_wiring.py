"""Nodes that are declared to be out of service."""

from __future__ import annotations

from storing import Shop, reachable

from kubelemma.model.components.attachdetach.actions import FORCE_DETACH
from kubelemma.model.components.podgc.actions import FORCE_DELETE, IN_SERVICE, OUT_OF_SERVICE
from kubelemma.model.components.podgc.decision import is_collected

EVENTS = ({"nodeCrash": {}}, {"outOfService": {}})


def test_whom_it_removes() -> None:
    """Pods that are being deleted, on nodes that are not Ready and out of service."""
    assert is_collected(terminating=True, ready=False, out_of_service=True)
    assert not is_collected(terminating=False, ready=False, out_of_service=True)
    assert not is_collected(terminating=True, ready=True, out_of_service=True)
    assert not is_collected(terminating=True, ready=False, out_of_service=False)


def test_a_lost_volume_is_free_again() -> None:
    """Only what is down is tainted; its pod is removed, and its volume detached by force."""
    scenario = Shop(events=EVENTS).scenario()
    done = set()
    for state in reachable(scenario.system):
        for step in scenario.system.successors(state):
            done.add(step.outcome.action)
            if step.outcome.action == OUT_OF_SERVICE:
                (node,) = (state[p] for p in step.positions if hasattr(state[p], "up"))
                assert not node.up
                assert not node.ready
    assert {OUT_OF_SERVICE, FORCE_DELETE, FORCE_DETACH, IN_SERVICE} <= done
