"""New Nodes, their labels and taints, and a cloud that does or does not know their machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.cluster import clouds
from kubelemma.model.cluster.columns import UNSETTLED
from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.components.cloudnode.actions import INITIALIZE_NODE, MACHINE_UNKNOWN
from kubelemma.model.components.cloudnode.rules import initialize, waits
from kubelemma.model.manifests.problems import InvalidInput
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node, NodeSpec, Taint
from kubelemma.model.scenario import Scenario

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
ZONE, TYPE = "topology.kubernetes.io/zone", "node.kubernetes.io/instance-type"
MINE = Taint(key="mine", effect="NoSchedule")
FLAGS = st.sets(st.sampled_from(sorted(clouds.TAINTS))).map(
    lambda found: Unsettled(sum(found)) if found else Unsettled.NONE
)

ASKED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      TOLERATIONS
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {matchLabels: {app: web}}
      containers: [{name: web, image: "web:1"}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: zones}
spec:
  cloud: {}
  cluster:
    nodes:
    - {name: old, labels: {topology.kubernetes.io/zone: a}}
    - name: new
      labels: {topology.kubernetes.io/zone: b}
      taints: [{key: node.cloudprovider.kubernetes.io/uninitialized, effect: NoSchedule}]
  events:
  - scale: {deployment: web, replicas: 3}
"""


def node(*taints: Taint) -> Node:
    """One in a zone, of a type, with a label and a taint of its own."""
    labels = {ZONE: "a", TYPE: "large", "mine": "yes"}
    return Node(metadata=ObjectMeta(name="n", labels=labels), spec=NodeSpec(taints=(MINE, *taints)))


def scenario_of(text: str) -> Scenario:
    """The one scenario of this input."""
    (case,) = api.ask(api.Question(paths=("-",), stdin=text)).cases
    return case.scenario


@given(FLAGS)
def test_what_is_shown_is_what_was_read(flags: Unsettled) -> None:
    """A Node as it is shown says again what is yet to be done; what is its own stays."""
    shown = clouds.unsettled(node(), flags)
    read = clouds.at_start(shown)
    assert read & ~Unsettled.WITHOUT_ROUTE == flags
    assert bool(read & Unsettled.WITHOUT_ROUTE) == bool(flags & Unsettled.NETWORK)
    assert MINE in (shown.spec.taints or ())
    assert clouds.settled(shown).spec == node().spec


def test_labels_come_with_the_initialisation() -> None:
    """Zone and type are not there before; other labels are."""
    new = clouds.unsettled(node(), Unsettled.UNINITIALIZED)
    assert set(new.metadata.label_map()) == {"mine"}
    assert set(clouds.unsettled(node(), Unsettled.NETWORK).metadata.label_map()) == {
        *(ZONE, TYPE, "mine")
    }


@pytest.mark.parametrize("machine", list(Machine))
def test_the_cloud_has_to_know_the_machine(machine: Machine) -> None:
    """One that is switched off is known; one that is missing, or whose Node is gone, is not."""
    found = list(initialize(Unsettled.UNINITIALIZED | Unsettled.NETWORK, machine))
    assert bool(found) == (machine in (Machine.THERE, Machine.STOPPED))
    assert all(outcome.writes == {UNSETTLED: Unsettled.NETWORK} for outcome in found)
    assert not list(initialize(Unsettled.NETWORK, machine))
    assert waits(Unsettled.UNINITIALIZED, machine) == (int(machine not in NODELESS),)


def test_a_zone_is_none_before_its_node_is_initialised() -> None:
    """A third pod that tolerates the taint may go to the old zone until the new one is known."""
    tolerant = "tolerations: [{operator: Exists}]"
    scenario = scenario_of(ASKED.replace("TOLERATIONS", tolerant))
    seen, queue, skewed = set(scenario.system.starts), list(scenario.system.starts), False
    while queue:
        state = queue.pop()
        at = scenario.system.positions["nodes"]
        skewed |= max(sum(g.size for g in n.pods) for n in state[at.start : at.stop]) == 3
        for step in scenario.system.successors(state):
            if step.state not in seen:
                seen.add(step.state)
                queue.append(step.state)
    assert skewed


def test_without_a_cloud_taints_stay() -> None:
    """No rule is added, and the Node is as it was given."""
    system = scenario_of(ASKED.replace("  cloud: {}\n", "").replace("TOLERATIONS", "")).system
    assert "initialise a Node" not in {rule.name for rule in system.rules}
    assert not any(system.starts[0][i].unsettled for i in system.positions["nodes"])


def test_settled_clouds_add_nothing() -> None:
    """A cloud whose Nodes are all initialised is as small as none."""
    text = ASKED.replace("key: node.cloudprovider.kubernetes.io/uninitialized", "key: other")
    names = {rule.name for rule in scenario_of(text.replace("TOLERATIONS", "")).system.rules}
    assert not {"initialise a Node", "create a route", "taint a Node for its machine"} & names


@pytest.mark.parametrize("event", ["machineUnknown", "machineStopped", "refuseRoutes"])
def test_its_events_need_a_cloud(event: str) -> None:
    """Nobody else has machines or routes."""
    text = ASKED.replace("  cloud: {}\n", "").replace("TOLERATIONS", "")
    with pytest.raises(InvalidInput, match="needs a cloud, whose"):
        scenario_of(f"{text}  - {event}: {{}}\n")


def test_what_happens_is_told_by_name() -> None:
    """Actions are called what the documentation calls them."""
    assert (INITIALIZE_NODE, MACHINE_UNKNOWN) == ("initialize-node", "machine-unknown")


@pytest.mark.parametrize("written", ["cloud:", "cloud: null", "cloud: {}"])
def test_a_cloud_without_a_value_is_one(written: str) -> None:
    """As an event without arguments is one."""
    text = ASKED.replace("cloud: {}", written).replace("TOLERATIONS", "")
    assert "initialise a Node" in {rule.name for rule in scenario_of(text).system.rules}
