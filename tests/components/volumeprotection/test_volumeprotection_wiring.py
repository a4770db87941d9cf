"""Claims that somebody deletes while pods use them."""

from __future__ import annotations

from storing import Shop, reachable, stock, stored_in

from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.components.volumeprotection.actions import DELETE_CLAIM, REMOVE_CLAIM
from kubelemma.model.components.volumeprotection.decision import claim_goes, volume_goes

TO_NOTHING = {"scale": {"deployment": "web", "replicas": 0}}


def test_finalizers() -> None:
    """A claim waits for pods on nodes, a volume until it is not Bound; neither goes by itself."""
    assert claim_goes(deleted=True, pods_on_nodes=0)
    assert not claim_goes(deleted=True, pods_on_nodes=1)
    assert not claim_goes(deleted=False, pods_on_nodes=0)
    assert volume_goes(deleted=True, bound=False)
    assert not volume_goes(deleted=True, bound=True)
    assert not volume_goes(deleted=False, bound=False)


def test_a_claim_outlives_its_pods() -> None:
    """It goes only once no pod on a node uses it, and no pod is bound for it any more."""
    scenario = Shop(events=(TO_NOTHING, {"deleteClaim": {"name": "data"}})).scenario()
    followed, done = stock(scenario), set()
    for state in reachable(scenario.system):
        stored = stored_in(scenario, followed, state)
        pods = [g for p in scenario.system.positions["nodes"] for g in state[p].pods]
        for step in scenario.system.successors(state):
            done.add(step.outcome.action)
            assert step.outcome.action != REMOVE_CLAIM or not pods
            assert step.outcome.action != BIND or not stored.claims[0].deleted
    assert {DELETE_CLAIM, REMOVE_CLAIM} <= done
