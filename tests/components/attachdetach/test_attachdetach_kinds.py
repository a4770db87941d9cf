"""What volumes of each kind are: of a node, of one pod, of many, or of nobody in particular."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from storing import CLAIM, DISKS, Shop, nodes_in, reachable, stock

from kubelemma.model.cluster.state import HOLDING, Phase
from kubelemma.model.components.attachdetach.actions import ATTACH
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State

CRASH = {"nodeCrash": {}}
GONE = ({"nodeCrash": {"node": "a"}}, {"outOfService": {"node": "a"}})
UP = {"scale": {"workload": "web", "replicas": 2}}

OURS = CLAIM.replace("storageClassName: disk", 'storageClassName: ""\n  volumeName: vol')
OF_NODE = """
  local: {path: /disk}
  nodeAffinity:
    required:
      nodeSelectorTerms:
      - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [a]}]
"""
SHARE = "\n  nfs: {server: files, path: /}\n"
FOLDER = "\n  hostPath: {path: /disk}\n"
ISCSI = "\n  iscsi: {targetPortal: files, iqn: x, lun: 0}\n"


def given(source: str, mode: str = "ReadWriteOnce") -> tuple[str, str]:
    """A volume of the input, with the claim that it is for."""
    volume = f"""
kind: PersistentVolume
metadata: {{name: vol}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [{mode}]
  claimRef: {{namespace: default, name: data}}{source}"""
    return volume, OURS.replace("ReadWriteOnce", mode)


def actions(scenario: Scenario) -> set[Any]:
    """All that may be done in a scenario."""
    steps = (
        step for state in reachable(scenario.system) for step in scenario.system.successors(state)
    )
    return {step.outcome.action for step in steps}


def at_rest(scenario: Scenario) -> Iterator[State]:
    """The states in which nobody acts any more, users and faults aside."""
    own = {rule.name for rule in scenario.system.rules if not rule.environment}
    for state in reachable(scenario.system):
        if not any(step.rule.name in own for step in scenario.system.successors(state)):
            yield state


def placed(scenario: Scenario, state: State, *phases: Phase) -> list[str]:
    """The names of the nodes of the pods in these phases."""
    shapes = scenario.world.shapes
    return [
        shapes[node.shape].node.metadata.name
        for node in nodes_in(scenario, state)
        for group in node.pods
        for _ in range(group.size)
        if group.phase in phases
    ]


@pytest.mark.parametrize(
    ("source", "attached"), [(OF_NODE, False), (SHARE, False), (FOLDER, False), (ISCSI, True)]
)
def test_what_is_attached(source: str, attached: bool) -> None:  # noqa: FBT001
    """Folders of a node and shares are there without it; a disk over the network is attached."""
    scenario = Shop(storage=given(source), strategy={"type": "Recreate"}).scenario()
    assert [volume.attached for volume in stock(scenario).volumes] == [attached]
    assert (ATTACH in actions(scenario)) is attached


def test_a_local_volume_is_lost_with_its_node() -> None:
    """Its pod runs there and nowhere else: it waits for the machine, and a share does not."""
    for source, expected in ((OF_NODE, {0}), (SHARE, {1})):
        scenario = Shop(storage=given(source), events=GONE, zones=("", "", "")).scenario()
        numbers = set()
        for state in at_rest(scenario):
            lost = any(node.out_of_service for node in nodes_in(scenario, state))
            if lost:
                numbers.add(len(placed(scenario, state, Phase.AVAILABLE)))
            if source == OF_NODE:
                assert set(placed(scenario, state, Phase.AVAILABLE)) <= {"a"}
        assert expected <= numbers


def test_one_pod_at_a_time() -> None:
    """A ReadWriteOncePod claim keeps a second pod off all nodes, the first one's included."""
    for mode, expected in (("ReadWriteOncePod", 1), ("ReadWriteOnce", 2)):
        storage = (DISKS, CLAIM.replace("ReadWriteOnce", mode))
        scenario = Shop(storage=storage, events=(UP,), zones=("",)).scenario()
        most = max(len(placed(scenario, s, *HOLDING)) for s in reachable(scenario.system))
        assert most == expected


def test_many_readers() -> None:
    """A ReadOnlyMany volume is on all nodes whose pods read it."""
    storage = (DISKS, CLAIM.replace("ReadWriteOnce", "ReadOnlyMany"))
    scenario = Shop(storage=storage, events=(UP,)).scenario()
    nodes = (nodes_in(scenario, state) for state in reachable(scenario.system))
    assert max(sum(len(node.volumes) for node in each) for each in nodes) == 2


NODES = """
kind: CSINode
metadata: {name: a}
spec: {drivers: [{name: ebs.csi.aws.com, nodeID: a, allocatable: {count: 1}}]}
"""
SECOND = CLAIM.replace("name: data", "name: more")


@pytest.mark.parametrize(("claims", "starts"), [(("data",), True), (("data", "more"), False)])
def test_limits(claims: tuple[str, ...], starts: bool) -> None:  # noqa: FBT001
    """A node takes so many volumes of a driver as its CSINode says; the only node takes no more."""
    scenario = Shop(
        storage=(DISKS, CLAIM, SECOND, NODES),
        events=({"scale": {"workload": "web", "replicas": 1}},),
        replicas=0,
        claims=claims,
        zones=("",),
    ).scenario()
    assert (BIND in actions(scenario)) is starts
