"""StatefulSets as they come: what charts of databases render, and what others have published.

The two charts in ``charts`` are written down from what their documentation says that they render: a
PostgreSQL with replication behind Pgpool, and a Kafka of brokers that are controllers, too.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kubelemma.api import Question, ask
from kubelemma.model.manifests import Source, load

CHARTS = Path(__file__).parent / "charts"
SHARED = Path("/work/shared/data/manifests")
PROBES = "how long a probe waits is not counted: it may pass, or fail, at any time"
POLICY = "whom pods may not reach is not followed: what they need is taken to be reached"
FOUND = {
    CHARTS / "postgresql-ha.yaml": {PROBES, POLICY},
    CHARTS / "kafka.yaml": {PROBES},
    SHARED / "kubernetes-examples/cassandra-statefulset.yaml": {PROBES},
    SHARED / "podinfo/database/statefulset-primary.yaml": {PROBES},
}


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_is_not_modelled(path: Path) -> None:
    """Of claims, volumes, updates and identity nothing is left out."""
    if not path.exists():
        pytest.skip(f"{path} is not here")
    said = load([Source(str(path))]).not_modelled
    found = {each.reason for each in said if each.severity == "not modelled"}
    assert found == FOUND[path]


def test_volumes_of_zones_have_two_nodes_in_each() -> None:
    """Else a drain of the only node of a zone would wait for ever, on nodes that nobody has said.

    Its pods are to be spread over zones if that is possible, and their disks are of one zone each.
    """
    asked = ask(Question(paths=(str(CHARTS / "kafka.yaml"),)))
    for case in asked.cases:
        world = case.scenario.world
        zones: Counter[str] = Counter()
        for shape, size in zip(world.shapes, world.sizes, strict=True):
            zones[shape.node.metadata.label_map()["topology.kubernetes.io/zone"]] += size
        assert zones == {"zone-1": 2, "zone-2": 2, "zone-3": 2}
