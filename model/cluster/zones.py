"""The zone of a node."""

from __future__ import annotations

from collections.abc import Mapping

ZONES = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")
REGIONS = ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region")
"""Labels that say where a node is; of either, the first that it has counts."""


def zone_of(labels: Mapping[str, str]) -> str:
    """The zone that a node is counted in: region and zone, or the zone alone where no region is.

    Source: staging/src/k8s.io/component-helpers/node/topology/helpers.go, ``GetZoneKey``.
    """
    region, zone = (
        next((labels[key] for key in keys if key in labels), "") for keys in (REGIONS, ZONES)
    )
    return f"{region}/{zone}" if region else zone
