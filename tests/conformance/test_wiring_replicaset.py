"""The wired ReplicaSet controller against the real one: which pods its rules delete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from wired import AGREES, Case, count, ranking, sample

from kubelemma.model.cluster.state import Phase
from kubelemma.model.components.replicaset.decision import deletion_cost_of
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario.history import Template

Data = Callable[[str], list[Case]]


def test_first_victims(oracle: Data, tally: Any) -> None:
    """When one pod is to go, it is any of those that only times or restarts tell from the real."""
    for case in sample(oracle("podrank"), 5):
        count(tally, "wired first victim", case["id"], ranking.compare_first(case))
    tally.verify("wired first victim")


def test_victims_of_one_sync(oracle: Data, tally: Any) -> None:
    """When several are to go, they are those that ranked highest before the first of them went."""
    for case in sample(oracle("podrank"), 5):
        count(tally, "wired victims", case["id"], ranking.compare_several(case))
    tally.verify("wired victims")


places = st.builds(
    ranking.Place,
    st.sampled_from(("a", "b", "c")),
    st.sampled_from((Phase.ASSIGNED, Phase.STARTING, Phase.AVAILABLE)),
)
waiting = st.just(ranking.Place(ranking.NO_NODE, Phase.ASSIGNED))


@given(
    st.lists(places | waiting, min_size=1, max_size=7),
    st.lists(places, max_size=4),
    st.data(),
)
def test_victims_of_drawn_pods(
    own: list[ranking.Place], others: list[ranking.Place], data: st.DataObject
) -> None:
    """However many are to go, they have the highest keys of the start; ties are open."""
    number = data.draw(st.integers(0, len(own)))
    on_node = Counter(place.node for place in (*own, *others))
    ranks = tuple(on_node[place.node] for place in own)
    asked = ranking.Ranked(tuple(own), ranks, tuple(others))
    keys = asked.keys()
    highest = sorted(range(len(own)), key=lambda i: keys[i], reverse=True)[:number]
    assert ranking.several_of(asked, highest) == AGREES


def test_upstream_table(upstream: Data, tally: Any) -> None:
    """The controller's own tables hold for its rules as far as pods of the model go."""
    for case in upstream("pod_deletion_ranking"):
        found = ranking.compare_upstream(case)
        count(tally, "wired pod_deletion_ranking", case["id"], found)
    tally.verify("wired pod_deletion_ranking")


def test_deletion_costs_of_templates(oracle: Data) -> None:
    """The pods of a template have the cost that the real controller reads from its annotation."""
    pods = [raw for case in oracle("podrank") for raw in case["input"]["pods"]]
    texts = {raw["metadata"].get("annotations", {}).get(ranking.COST) for raw in pods} - {None}
    assert {text: _cost_of_template(text) for text in texts} == {
        text: deletion_cost_of({ranking.COST: text}) for text in texts
    }


def _cost_of_template(text: str) -> int:
    template = {
        "metadata": {"labels": {"app": "web"}, "annotations": {ranking.COST: text}},
        "spec": {"containers": [{"name": "main"}]},
    }
    raw = {"metadata": {"name": "web"}, "spec": {"template": template}}
    deployment = with_defaults(decode(raw, Deployment))
    return Template(deployment).pod_class(0, 0, 0).deletion_cost
