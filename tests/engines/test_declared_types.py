"""The types that cells declare are those of the values that they come to hold."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kubelemma import api
from kubelemma.model.cluster.columns import SHOWN, TAINTS
from kubelemma.model.cluster.state import NodeState, ShownNode, Taints
from kubelemma.model.cluster.world import NODES
from kubelemma.model.components.reconcile.caches import watches
from kubelemma.model.components.reconcile.sources import objects_cell, sync_cells
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import Family
from kubelemma.question import Question
from kubelemma.solver.explore import ignore
from kubelemma.solver.limits import Limits, Watch, resident_memory
from kubelemma.solver.search import Search

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(f.name for f in EXAMPLES.iterdir() if not f.name.startswith("placement-"))
LIMITS = Limits(max_states=1500)


def scenarios_of(name: str) -> tuple[Scenario, ...]:
    """The scenarios of an example."""
    load = tuple(str(path) for path in sorted((EXAMPLES / name).glob("*.py")))
    if name.startswith("own-controller"):
        promises = str(EXAMPLES / "own-controller" / "promises.py")
        load = (str(EXAMPLES / name / "shop_operator.py"), promises)
        if not Path(load[0]).exists():
            load = (str(EXAMPLES / "own-controller" / "shop_operator.py"), promises)
    asked = api.ask(Question(paths=(str(EXAMPLES / name),), load=load))
    return tuple(case.scenario for case in asked.cases)


@pytest.mark.parametrize("name", FOLDERS)
def test_values_are_what_is_declared(name: str) -> None:
    """All values can be taken apart and put together, but for what loaded controllers hold."""
    for scenario in scenarios_of(name):
        system, custom = scenario.system, scenario.custom
        loaded = {objects_cell(kind) for kind in custom.objects}
        loaded |= {cell for controller in custom.controllers for cell in sync_cells(controller)}
        loaded |= {watch.cell for watch in watches(scenario.world, custom)}
        opaque = {name for name, codec in system.codecs.items() if codec.opaque}
        assert opaque <= loaded
        search = Search(system, (), LIMITS, ignore, Watch(LIMITS, time.monotonic, resident_memory))
        search.run()
        for place, domain in search.tables.numbering.domains.items():
            codec = system.codecs[place]
            for value in domain.members:
                assert codec.decode(codec.encode(value)) == value


def test_columns_of_nodes() -> None:
    """What is put together of columns has fields of the same names, in the same order."""
    columns = Family(NODES, (), NodeState).columns
    assert tuple(f"{NODES}.{field}" for field in ShownNode._fields) == SHOWN
    assert tuple(f"{NODES}.{field}" for field in Taints._fields) == TAINTS
    assert set(SHOWN) <= set(columns)
