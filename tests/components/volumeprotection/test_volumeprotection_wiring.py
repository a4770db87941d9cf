"""Claims that somebody deletes while pods use them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from storing import Shop, reachable, stock, stored_in

from kubelemma import api
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.components.volumeprotection.actions import DELETE_CLAIM, REMOVE_CLAIM
from kubelemma.model.components.volumeprotection.decision import claim_goes, volume_goes
from kubelemma.model.manifests import InvalidInput

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

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


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("{deleteClaim: {name: datum}}", 'uses a claim "default/datum" (did you mean'),
        ("{deleteClaim: {name: data, namespace: shop}}", 'uses a claim "shop/data"'),
        ("{deleteVolume: {name: disk}}", 'uses a volume "disk"'),
    ],
)
def test_who_is_deleted_is_there(event: str, said: str, tmp_path: Path) -> None:
    """A name that no pod has to do with is refused: nothing would come of the event."""
    example = EXAMPLES / "claim-deleted"
    for file in example.iterdir():
        text = file.read_text("utf-8").replace("deleteClaim: {name: data}", event[1:-1])
        (tmp_path / file.name).write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=re.escape(said)):
        api.ask(api.Question(paths=(str(tmp_path),)))
