"""Bindings in four writes, provisioning where the pod goes, and what becomes of deleted claims."""

from __future__ import annotations

import pytest
from storing import CLAIM, DISKS, ZONE, Shop, reachable, stock, stored_in

from kubelemma.model.cluster.storage import NONE, ClaimPhase, VolumePhase
from kubelemma.model.components.persistentvolume.actions import (
    BIND_CLAIM,
    CLAIM_BOUND,
    PROVISION,
    RECLAIM_VOLUME,
    RELEASE_VOLUME,
    VOLUME_BOUND,
)
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.components.volumeprotection.actions import REMOVE_CLAIM

SCALE = {"scale": {"deployment": "web", "replicas": 1}}
TO_NOTHING = {"scale": {"deployment": "web", "replicas": 0}}
DELETE = {"deleteClaim": {}}
IMMEDIATE = DISKS.replace("WaitForFirstConsumer", "Immediate")
RETAIN = f"{DISKS}reclaimPolicy: Retain\n"


def started(**more: object) -> Shop:
    """A Deployment that is scaled up from nothing, on a node in each of two zones."""
    return Shop(**{"events": (SCALE,), "replicas": 0, "zones": ("x", "y"), **more})  # type: ignore[arg-type]


def test_four_writes() -> None:
    """The volume names the claim and is Bound, then the claim names it and is Bound."""
    scenario = started(storage=(IMMEDIATE, CLAIM)).scenario()
    followed = stock(scenario)
    order = {PROVISION: 0, VOLUME_BOUND: 1, BIND_CLAIM: 2, CLAIM_BOUND: 3}
    seen = set()
    for state in reachable(scenario.system):
        stored = stored_in(scenario, followed, state)
        (claim,), (volume,) = stored.claims, stored.volumes
        done = (
            volume.claim == 0,
            volume.phase == VolumePhase.BOUND,
            claim.volume == 0,
            claim.phase == ClaimPhase.BOUND,
        )
        assert list(done) == sorted(done, reverse=True)
        for step in scenario.system.successors(state):
            if step.outcome.action in order:
                seen.add(step.outcome.action)
                assert sum(done) == order[step.outcome.action]
    assert seen == set(order)


def test_immediate_claims_bind_before_their_pod() -> None:
    """The scheduler takes no pod whose claim is still to be bound, but for those that wait."""
    scenario = started(storage=(IMMEDIATE, CLAIM)).scenario()
    followed = stock(scenario)
    for state in reachable(scenario.system):
        for step in scenario.system.successors(state):
            if step.outcome.action == BIND:
                assert stored_in(scenario, followed, state).claims[0].volume != NONE


def test_made_where_the_pod_goes() -> None:
    """What waits for its first consumer is made in the zone of the node that was chosen."""
    scenario = started().scenario()
    followed, zones = stock(scenario), set()
    for state in reachable(scenario.system):
        stored = stored_in(scenario, followed, state)
        (claim,), (volume,) = stored.claims, stored.volumes
        for node in (state[p] for p in scenario.system.positions["nodes"]):
            if volume.present and node.pods:
                label = scenario.world.shapes[node.shape].node.metadata.label_map()[ZONE]
                zones.add(label)
                assert followed.volumes[0].segments[volume.segment] == ((ZONE, label),)
        assert not volume.present or claim.volume != NONE or claim.node != NONE
    assert zones == {"x", "y"}


@pytest.mark.parametrize(("of_class", "goes"), [(DISKS, True), (RETAIN, False)])
def test_reclaimed(of_class: str, goes: bool) -> None:  # noqa: FBT001
    """A volume whose claim is gone is Released, and goes with policy Delete alone."""
    events = (TO_NOTHING, DELETE)
    scenario = Shop(storage=(of_class, CLAIM), events=events).scenario()
    done = {
        step.outcome.action
        for state in reachable(scenario.system)
        for step in scenario.system.successors(state)
    }
    assert {REMOVE_CLAIM, RELEASE_VOLUME} <= done
    assert (RECLAIM_VOLUME in done) is goes


def test_bound_at_the_start() -> None:
    """Pods that run have their claims bound, in their own zone, and attached where they are."""
    scenario = Shop(zones=("x", "y")).scenario()
    for state in scenario.system.starts:
        stored = stored_in(scenario, stock(scenario), state)
        assert [claim.phase for claim in stored.claims] == [ClaimPhase.BOUND]
        for node in (state[p] for p in scenario.system.positions["nodes"]):
            assert bool(node.pods) == bool(node.volumes)
