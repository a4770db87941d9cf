"""Where room is no matter rules are shown a part of what is on a node: nothing else comes of it.

What the scheduler and the kubelet do with a look at the whole node is the reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.components.kubelet import rules as kubelet
from kubelemma.model.components.scheduler import rules as scheduler
from kubelemma.solver.explore import check

SMALL, LARGE = "2", "64"


class Drawn(NamedTuple):
    """Two nodes, in the eyes of the API and of their kubelets, and what is on them."""

    shown: str
    found: str
    pods: str
    standing: int
    request: str
    ports: bool
    event: str


def manifest(drawn: Drawn) -> str:
    """A Check of a Deployment with other pods beside it."""
    node = {
        "count": 2,
        "allocatable": {"cpu": drawn.shown, "memory": "64Gi", "pods": drawn.pods},
        "kubeletAllocatable": {"cpu": drawn.found},
    }
    spec = {"cluster": {"nodes": [node]}, "events": [json.loads(drawn.event)]}
    asked = {"apiVersion": "kubelemma.dev/v1alpha1", "kind": "Check", "metadata": {"name": "c"}}
    return "\n---\n".join(
        json.dumps(each)
        for each in (
            {**asked, "spec": {**spec, "workloads": ["web"]}},
            deployment("web", 1, drawn.request, ports=drawn.ports),
            deployment("other", drawn.standing, drawn.request, ports=False),
        )
    )


def deployment(name: str, replicas: int, cpu: str, *, ports: bool) -> dict[str, Any]:
    """One of so many pods that ask for so much."""
    port = {"ports": [{"containerPort": 80, "hostPort": 80}]} if ports else {}
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}, **port}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
        },
    }


def without_roomy(function: Callable[..., Any], *given: Any, roomy: bool, **others: Any) -> Any:
    """What is shown the whole node, be it roomy or not."""
    del roomy
    return function(*given, roomy=False, **others)


@contextmanager
def shown_all() -> Iterator[None]:
    """Rules are shown whole nodes."""
    with (
        patch.object(kubelet, "rules", partial(without_roomy, kubelet.rules)),
        patch.object(scheduler, "rules", partial(without_roomy, scheduler.rules)),
    ):
        yield


def explored(text: str) -> Any:
    """How much there is to see, and what comes out."""
    (case,) = api.ask(api.Question(paths=(api.STDIN,), stdin=text)).cases
    found = check(case.scenario.system, case.properties)
    verdicts = [(each.property.id, each.verdict, each.vacuous) for each in found.properties]
    counted = found.statistics
    return counted.states, counted.transitions, counted.depth, counted.actions, verdicts


EVENTS = (
    {"scale": {"deployment": "web", "replicas": 2}},
    {"scale": {"deployment": "web", "replicas": 3}},
    {"rollout": {"deployment": "web"}},
)
KUBELETS_SAY_LESS = Drawn(LARGE, "1", "110", 0, "400m", ports=False, event=json.dumps(EVENTS[1]))
"""The scheduler has room for all, and the kubelet for two."""


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """Room that is large, or small in somebody's eyes."""
    sizes = st.sampled_from((SMALL, LARGE))
    return Drawn(
        draw(sizes),
        draw(sizes | st.just("1")),
        draw(st.sampled_from(("3", "110"))),
        draw(st.integers(0, 2)),
        draw(st.sampled_from(("400m", "900m"))),
        draw(st.booleans()),
        json.dumps(draw(st.sampled_from(EVENTS))),
    )


@settings(max_examples=30, deadline=None)
@given(drawn())
@example(KUBELETS_SAY_LESS)
def test_what_is_not_shown_makes_no_difference(found: Drawn) -> None:
    """The same states, steps and answers."""
    text = manifest(found)
    with shown_all():
        whole = explored(text)
    assert explored(text) == whole
