"""A state in Kubernetes' terms, held against the state itself."""

from __future__ import annotations

import pytest

from kubelemma import api
from kubelemma.model.cluster.snapshot import NOWHERE, PENDING, Snapshot
from kubelemma.model.cluster.state import ACTIVE, Phase
from kubelemma.model.cluster.world import NODES
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Question
from kubelemma.solver.simulate import simulate

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {requests: {cpu: 500m}}}]}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Two replicas on three nodes, and much that may happen to them."""
    events = ("rollout=web", "scale=web:3", "node-crash=1", "drain=1", "delete-pod=web")
    question = Question(paths=(STDIN,), stdin=WEB, nodes=("count=3,cpu=2",), events=events)
    (case,) = api.ask(question).cases
    return case.scenario


@pytest.mark.parametrize("seed", range(4))
def test_pods_are_where_the_state_has_them(scenario: Scenario, seed: int) -> None:
    """Places add up to what the tallies count, and to what is on each node."""
    (workload,) = scenario.world.workloads
    for state in simulate(scenario.system, seed, 100).states():
        seen = Snapshot(scenario, state)
        places = seen.places()
        assert all(places.values())
        for template, index in enumerate(workload.classes):
            own = {place: n for place, n in places.items() if place.pod_class == index}
            active = sum(n for place, n in own.items() if place.phase in (PENDING, *ACTIVE))
            assert active == seen.counts(workload, "active")[template]
            homeless = sum(n for place, n in own.items() if place.node == NOWHERE)
            assert homeless == seen.queue(workload).waiting[template]
            ready = sum(n for place, n in own.items() if place.phase == Phase.AVAILABLE)
            assert ready == seen.counts(workload, "available")[template]
        for name, node in seen.nodes().items():
            here = sum(n for place, n in places.items() if place.node == name)
            assert here == sum(group.size for group in node.pods)


def test_what_is_named_is_where_the_system_has_it(scenario: Scenario) -> None:
    """Nodes come in the order of the state; a ReplicaSet is found by its template, or is not."""
    state = scenario.system.initial
    seen = Snapshot(scenario, state)
    (workload,) = scenario.world.workloads
    assert tuple(seen.nodes()) == scenario.node_names
    assert tuple(seen.nodes().values()) == tuple(state[p] for p in scenario.system.positions[NODES])
    first = seen.replica_set(workload, 0)
    assert first is not None
    assert (first.template, first.replicas) == (0, 2)
    assert seen.replica_set(workload, 1) is None
