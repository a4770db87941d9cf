"""Volumes that follow pods, and pods that wait for them."""

from __future__ import annotations

import pytest
from storing import CLAIM, DISKS, Shop, nodes_in, reachable

from kubelemma.model.cluster.state import Phase
from kubelemma.model.components.attachdetach.actions import ATTACH, DETACH, FORCE_DETACH
from kubelemma.model.components.kubelet.actions import BECOME_READY, FINISH_TERMINATION, MOUNT
from kubelemma.model.scenario import Scenario

RECREATE = {"type": "Recreate"}
CRASH = {"nodeCrash": {}}
SHARED = CLAIM.replace("ReadWriteOnce", "ReadWriteMany")
OF_MANY = DISKS.replace("ebs.csi.aws.com", "shared.example")


@pytest.mark.parametrize("strategy", [{}, RECREATE])
def test_attached_once(strategy: dict[str, str]) -> None:
    """A volume for one node is on one at most."""
    scenario = Shop(strategy=strategy).scenario()
    for state in reachable(scenario.system):
        assert sum(len(node.volumes) for node in nodes_in(scenario, state)) <= 1


def test_no_pod_starts_without_its_volume() -> None:
    """Wherever a pod is Ready its volume is mounted."""
    scenario = Shop(strategy=RECREATE).scenario()
    for state in reachable(scenario.system):
        for node in nodes_in(scenario, state):
            ready = any(group.phase in (Phase.READY, Phase.AVAILABLE) for group in node.pods)
            assert not ready or [found.mounted for found in node.volumes] == [True]


def test_unmounted_before_it_is_detached() -> None:
    """On a node that is well nothing is detached that is mounted."""
    scenario = Shop(strategy=RECREATE).scenario()
    detached = 0
    for state in reachable(scenario.system):
        for step in scenario.system.successors(state):
            assert step.outcome.action != FORCE_DETACH
            if step.outcome.action == DETACH:
                detached += 1
                (node,) = (state[p] for p in step.positions if state[p] != step.state[p])
                assert not any(found.mounted for found in node.volumes)
    assert detached


def test_order_of_a_move() -> None:
    """The old pod ends, its volume is detached, attached and mounted, and the new pod is Ready."""
    scenario = Shop(strategy=RECREATE).scenario()
    order = (FINISH_TERMINATION, DETACH, ATTACH, MOUNT, BECOME_READY)
    before = {
        action: min(
            i
            for i, state in enumerate(reachable(scenario.system))
            for step in scenario.system.successors(state)
            if step.outcome.action == action
        )
        for action in order
    }
    assert [before[action] for action in order] == sorted(before.values())


def test_shared_volumes_are_attached_twice() -> None:
    """A ReadWriteMany volume is attached to both nodes of a rolling update."""
    scenario = Shop(storage=(OF_MANY, SHARED)).scenario()
    most = max(
        sum(len(node.volumes) for node in nodes_in(scenario, state))
        for state in reachable(scenario.system)
    )
    assert most == 2


def test_forced_after_six_minutes() -> None:
    """A pod without a grace period is gone from a lost node, and its volume is taken by force."""
    scenario = Shop(events=(CRASH,), grace=0, zones=("", "", "")).scenario()
    forced = [
        state
        for state in reachable(scenario.system)
        for step in scenario.system.successors(state)
        if step.outcome.action == FORCE_DETACH
    ]
    assert forced
    for state in forced:
        assert any(not node.ready and node.volumes for node in nodes_in(scenario, state))


def test_never_forced_where_that_is_switched_off() -> None:
    """The option leaves volumes on a lost node, but on one that is out of service."""
    never = {"disableForceDetachOnTimeout": True}
    for event, expected in ((None, False), ({"outOfService": {}}, True)):
        events = (CRASH,) if event is None else (CRASH, event)
        shop = Shop(events=events, grace=0, zones=("", "", ""), manager=never)
        scenario = shop.scenario()
        forced = [
            node
            for state in reachable(scenario.system)
            for step in scenario.system.successors(state)
            if step.outcome.action == FORCE_DETACH
            for node in (state[position] for position in step.positions)
        ]
        assert bool(forced) is expected
        assert all(node.out_of_service for node in forced)
        assert any("out of service" in said for said in scenario.setting)


def test_stays_with_a_pod_that_cannot_end() -> None:
    """A pod that is being deleted on a lost node keeps its volume for ever."""
    scenario = Shop(events=(CRASH,), zones=("", "", "")).scenario()
    for state in reachable(scenario.system):
        for step in scenario.system.successors(state):
            assert step.outcome.action != FORCE_DETACH


def test_nothing_of_it_without_claims() -> None:
    """A scenario whose pods use no claim has no cell, no rule and no value more."""
    scenario = Shop(storage=(), claims=()).scenario()
    names = [rule.name for rule in scenario.system.rules]
    assert not any("attach" in name or "mount" in name for name in names)
    assert all(not node.volumes for node in nodes_in(scenario, scenario.system.initial))


BOUND = """
kind: PersistentVolume
metadata: {name: vol}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: disk
  csi: {driver: ebs.csi.aws.com, volumeHandle: vol}
  claimRef: {namespace: default, name: data}
---
kind: VolumeAttachment
metadata: {name: there}
spec:
  attacher: ebs.csi.aws.com
  nodeName: b
  source: {persistentVolumeName: vol}
"""
OF_VOLUME = CLAIM.replace("storageClassName: disk", "storageClassName: disk\n  volumeName: vol")


def attached(status: str) -> Scenario:
    """A pod on some node, with an attachment of its volume to the node b."""
    storage = (DISKS, OF_VOLUME, BOUND + status)
    return Shop(storage=storage, events=(), zones=("", "", "")).scenario()


@pytest.mark.parametrize("done", [True, False])
def test_attached_where_the_input_says(done: bool) -> None:  # noqa: FBT001 - a parameter of a test
    """At the start a volume is where its VolumeAttachment says, whoever uses it, and then moves."""
    scenario = attached(f"status: {{attached: {str(done).lower()}}}\n")
    shapes, before = scenario.world.shapes, nodes_in(scenario, scenario.system.initial)
    there = [shapes[node.shape].node.metadata.name for node in before if node.volumes]
    assert there == (["b"] if done else [])
    last = [*reachable(scenario.system)][-1]
    for node in nodes_in(scenario, last):
        assert len(node.volumes) == len(node.pods)
