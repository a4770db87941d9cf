"""Laws of the node lifecycle controller's decisions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.cluster.zones import zone_of
from kubelemma.model.components.nodelifecycle.decision import (
    CONDITION_TAINTS,
    DEFAULTS,
    NOT_READY,
    UNREACHABLE,
    TaintChange,
    Zone,
    ZoneNodes,
    ZoneState,
    compute_zone_state,
    eviction_rate,
    handle_disruption,
    limited_no_execute,
    marks_pods_not_ready,
    no_execute_pass,
    no_schedule_change,
    silent_conditions,
)
from kubelemma.model.objects.node import Taint

STATUSES = st.sampled_from(["True", "False", "Unknown"])
CONDITIONS = st.dictionaries(st.sampled_from([kind for kind, _ in CONDITION_TAINTS]), STATUSES)
KEYS = st.sampled_from([*CONDITION_TAINTS.values(), "node.kubernetes.io/unschedulable", "mine"])
TAINTS = st.lists(
    st.builds(Taint, key=KEYS, effect=st.sampled_from(["NoSchedule", "NoExecute"])),
    unique=True,
)
PASSES = st.integers(1, 3).flatmap(
    lambda zones: st.lists(
        st.lists(
            st.builds(ZoneNodes, st.integers(0, 6), st.integers(0, 6)).filter(any),
            min_size=zones,
            max_size=zones,
        ),
        min_size=1,
        max_size=6,
    )
)

FULL = ZoneState.FULL_DISRUPTION


def changed(taints: Sequence[Taint], change: TaintChange) -> list[Taint]:
    """The taints of a node after both PATCHes."""
    return [t for t in (*taints, *change.add) if t not in change.remove]


@pytest.mark.parametrize(
    ("labels", "zone"),
    [
        ({}, ""),
        ({"topology.kubernetes.io/zone": "a"}, "a"),
        ({"topology.kubernetes.io/region": "eu"}, "eu/"),
        ({"topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": "a"}, "eu/a"),
        (
            {
                "failure-domain.beta.kubernetes.io/zone": "b",
                "topology.kubernetes.io/zone": "a",
                "topology.kubernetes.io/region": "us",
            },
            "us/b",
        ),
    ],
)
def test_zone_of_a_node(labels: dict[str, str], zone: str) -> None:
    """Zones of two regions are two, whatever they are called; the older labels come first."""
    assert zone_of(labels) == zone


def test_few_nodes_do_not_disrupt_a_zone() -> None:
    """Two nodes that are not ready are no disruption as long as one is ready."""
    assert compute_zone_state(1, 2) is ZoneState.NORMAL
    assert compute_zone_state(0, 1) is FULL
    assert compute_zone_state(0, 0) is ZoneState.NORMAL


def test_threshold_is_met_exactly() -> None:
    """A share of 55 % is disruption, and the next smaller is not."""
    assert compute_zone_state(9, 11) is ZoneState.PARTIAL_DISRUPTION
    assert compute_zone_state(10, 11) is ZoneState.NORMAL


def test_partly_disrupted_zones_evict_by_size() -> None:
    """Only a large zone goes on, slowly."""
    assert eviction_rate(ZoneState.PARTIAL_DISRUPTION, 50) == 0
    assert eviction_rate(ZoneState.PARTIAL_DISRUPTION, 51) == 0.01
    assert eviction_rate(FULL, 5) == 0.1


@given(PASSES)
def test_evictions_stop_only_when_all_zones_are_full(passes: list[list[ZoneNodes]]) -> None:
    """While zones neither come nor go, all are at rest exactly if no node anywhere is ready."""
    zones: tuple[Zone, ...] = (Zone(),) * len(passes[0])
    for nodes in passes:
        zones = handle_disruption(zones, nodes).zones
        nobody = not any(n.ready for n in nodes)
        for zone in zones:
            if nobody:
                assert zone == Zone(FULL, 0.0)
            elif zone.state is not ZoneState.PARTIAL_DISRUPTION:
                assert zone.rate == DEFAULTS.node_eviction_rate


@given(PASSES)
def test_a_pass_repeated_changes_nothing(passes: list[list[ZoneNodes]]) -> None:
    """The same counts a second time neither change a zone nor stop or resume evictions."""
    zones: tuple[Zone, ...] = (Zone(),) * len(passes[0])
    for nodes in passes:
        zones = handle_disruption(zones, nodes).zones
        again = handle_disruption(zones, nodes)
        assert again == (zones, False, False)


def test_stop_and_resume_are_reported() -> None:
    """The pass that finds no ready node stops evictions, the first with one resumes them."""
    down = handle_disruption((Zone(),), [ZoneNodes(0, 2)])
    assert (down.stopped, down.resumed) == (True, False)
    up = handle_disruption(down.zones, [ZoneNodes(1, 1)])
    assert (up.stopped, up.resumed) == (False, True)
    assert up.zones == (Zone(ZoneState.NORMAL, 0.1),)


def test_rate_of_a_growing_zone_stays() -> None:
    """A zone that grows past the threshold while disrupted keeps the rate it had."""
    small = handle_disruption((Zone(),), [ZoneNodes(10, 30)]).zones
    grown = handle_disruption(small, [ZoneNodes(20, 60)]).zones
    assert grown == small == (Zone(ZoneState.PARTIAL_DISRUPTION, 0.0),)


def test_an_empty_zone_is_forgotten() -> None:
    """A zone without nodes starts again when nodes return, and others do not wait for it."""
    zones = (Zone(FULL, 0.1), Zone(ZoneState.NORMAL, 0.1))
    after = handle_disruption(zones, [ZoneNodes(0, 2), ZoneNodes(0, 0)])
    assert after.zones == (Zone(FULL, 0.1), Zone())
    assert not after.stopped


@given(taints=TAINTS, conditions=CONDITIONS, cordoned=st.booleans())
def test_no_schedule_taints_mirror_conditions(
    *, taints: list[Taint], conditions: dict[str, str], cordoned: bool
) -> None:
    """One change suffices, leaves foreign and NoExecute taints alone, and shows every condition."""
    change = no_schedule_change(taints, conditions, unschedulable=cordoned)
    after = changed(taints, change)
    assert no_schedule_change(after, conditions, unschedulable=cordoned) == TaintChange()
    assert [t for t in after if t.effect == "NoExecute" or t.key == "mine"] == [
        t for t in taints if t.effect == "NoExecute" or t.key == "mine"
    ]
    shown = {t.key for t in after if t.effect == "NoSchedule"} - {"mine"}
    wanted = {key for (kind, s), key in CONDITION_TAINTS.items() if conditions.get(kind) == s}
    assert shown == wanted | ({"node.kubernetes.io/unschedulable"} if cordoned else set())


@given(TAINTS, STATUSES)
def test_no_execute_taints_exclude_each_other(taints: list[Taint], ready: str) -> None:
    """After what is done at once and what the limiter lets through, at most one is left."""
    decision = no_execute_pass(ready, taints)
    after = changed(taints, decision.change)
    if decision.queued:
        after = changed(after, limited_no_execute(ready))
    keys = {t.key for t in after if t.effect == "NoExecute"} & {NOT_READY, UNREACHABLE}
    assert keys == {"True": set(), "False": {NOT_READY}, "Unknown": {UNREACHABLE}}[ready]


def test_first_no_execute_taint_waits_for_the_limiter() -> None:
    """A clean node is queued; one with the opposite taint is swapped at once."""
    assert no_execute_pass("Unknown", []).queued
    swapped = no_execute_pass("Unknown", [Taint(key=NOT_READY, effect="NoExecute")])
    assert swapped.change == limited_no_execute("Unknown")
    assert not swapped.queued
    assert limited_no_execute("True") == TaintChange()


def test_silence_hides_what_the_kubelet_reports() -> None:
    """Ready and the pressures turn Unknown, the network condition does not, and once is enough."""
    silent = silent_conditions({"Ready": "True", "NetworkUnavailable": "False"})
    assert silent["Ready"] == silent["PIDPressure"] == "Unknown"
    assert silent["NetworkUnavailable"] == "False"
    known = {"Ready": "Unknown", "DiskPressure": "False"}
    assert silent_conditions(known) == known


@pytest.mark.parametrize(
    ("observed", "current", "marks"),
    [("True", "Unknown", True), ("False", "Unknown", False), ("False", "False", False)],
)
def test_only_silence_marks_pods(*, observed: str, current: str, marks: bool) -> None:
    """A kubelet that itself reports Ready False speaks for its pods as well."""
    assert marks_pods_not_ready(observed, current) is marks
