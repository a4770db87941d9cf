"""Routes to the pods of Nodes, and the taint that follows them."""

from __future__ import annotations

import pytest

from kubelemma.model.cluster import clouds
from kubelemma.model.cluster.columns import UNSETTLED
from kubelemma.model.cluster.machines import Machine, Unsettled
from kubelemma.model.components.cloudroute.decision import makes_route, untaints
from kubelemma.model.components.cloudroute.rules import create, untaint, waits
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node, NodeCondition, NodeSpec, NodeStatus

BOTH = Unsettled.WITHOUT_ROUTE | Unsettled.NETWORK
TAINT = clouds.TAINTS[Unsettled.NETWORK]


def test_decisions() -> None:
    """A route is made once, where the cloud does not refuse; the taint follows the condition."""
    assert makes_route(has_route=False, refused=False)
    assert not makes_route(has_route=True, refused=False)
    assert not makes_route(has_route=False, refused=True)
    assert untaints(tainted=True, unavailable=False)
    assert not untaints(tainted=True, unavailable=True)
    assert not untaints(tainted=False, unavailable=False)


def test_the_taint_goes_after_the_route_is_there() -> None:
    """Two writes, of two controllers."""
    assert not list(untaint(BOTH, Machine.THERE))
    (made,) = create(refused=False, unsettled=BOTH, machine=Machine.THERE)
    assert made.writes == {UNSETTLED: Unsettled.NETWORK}
    assert not list(create(refused=False, unsettled=Unsettled.NETWORK, machine=Machine.THERE))
    (gone,) = untaint(Unsettled.NETWORK, Machine.THERE)
    assert gone.writes == {UNSETTLED: Unsettled.NONE}
    assert waits(Unsettled.NETWORK, Machine.THERE) == (1,)
    assert waits(Unsettled.NONE, Machine.THERE) == (0,)


def test_a_cloud_that_refuses_keeps_the_node_waiting() -> None:
    """Nothing is written; nor is anything of a Node that is gone."""
    assert not list(create(refused=True, unsettled=BOTH, machine=Machine.THERE))
    assert not list(create(refused=False, unsettled=BOTH, machine=Machine.DELETED))
    assert not list(untaint(Unsettled.NETWORK, Machine.DELETED))
    assert waits(BOTH, Machine.DELETED) == (0,)


@pytest.mark.parametrize(
    ("status", "tainted", "found"),
    [
        ("True", True, BOTH),
        ("True", False, Unsettled.WITHOUT_ROUTE),
        ("False", True, Unsettled.NETWORK),
        ("False", False, Unsettled.NONE),
        ("", True, BOTH),
        ("", False, Unsettled.NONE),
    ],
)
def test_the_condition_counts_before_the_taint(
    status: str,
    tainted: bool,  # noqa: FBT001 - a column of the table
    found: Unsettled,
) -> None:
    """A taint that is left over goes; one without a condition is taken for both."""
    conditions = (NodeCondition(type=clouds.CONDITION, status=status),) if status else ()
    spec = NodeSpec(taints=(TAINT,) if tainted else ())
    node = Node(metadata=ObjectMeta(name="n"), spec=spec, status=NodeStatus(conditions=conditions))
    assert clouds.at_start(node) == found
