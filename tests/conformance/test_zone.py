"""Zone states and eviction rates against the real node lifecycle controller's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubelemma.model.components.nodelifecycle.decision import (
    Settings,
    Zone,
    ZoneNodes,
    compute_zone_state,
    eviction_rate,
    handle_disruption,
)

Case = dict[str, Any]


def test_random_passes(oracle: Callable[[str], list[Case]], tally: Any) -> None:
    """Every pass of every sequence leaves each zone in the real state with the real rate."""
    for case in oracle("zone"):
        answer = _passes(case["input"])
        expect = case["expect"]["steps"]
        if answer == expect:
            tally.passed("zone")
        else:
            tally.failed("zone", case["id"], f"{answer} instead of {expect}")
    tally.verify("zone")


def _passes(given: Case) -> list[Case]:
    settings = Settings(
        node_eviction_rate=given["nodeEvictionRate"],
        secondary_node_eviction_rate=given["secondaryNodeEvictionRate"],
        large_cluster_size_threshold=given["largeClusterSizeThreshold"],
        unhealthy_zone_threshold=given["unhealthyZoneThreshold"],
    )
    names = sorted({name for step in given["steps"] for name in step})
    zones = tuple(Zone(rate=settings.node_eviction_rate) for _ in names)
    answers = []
    for step in given["steps"]:
        nodes = [_counted(step.get(name, {})) for name in names]
        zones = handle_disruption(zones, nodes, settings).zones
        answers.append(
            {
                name: _answer(counts, zone, settings)
                for name, counts, zone in zip(names, nodes, zones, strict=True)
                if name in step
            }
        )
    return answers


def _counted(statuses: dict[str, str]) -> ZoneNodes:
    ready = sum(status == "True" for status in statuses.values())
    return ZoneNodes(ready, len(statuses) - ready)


def _answer(nodes: ZoneNodes, zone: Zone, settings: Settings) -> Case:
    state = compute_zone_state(*nodes, settings.unhealthy_zone_threshold)
    return {
        "computedState": state,
        "notReady": nodes.not_ready,
        "rateForState": eviction_rate(state, sum(nodes), settings),
        "zoneStateAfter": zone.state,
        "evictionRateAfter": zone.rate,
    }
