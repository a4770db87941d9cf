"""The network: addresses that are given again, and zones that are parted."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from budgeted import CONTAINER, Raw, kind, scenario, verdicts

from kubelemma.model.components.endpointslice import rules
from kubelemma.model.components.endpointslice.leaving import NOBODY, left
from kubelemma.model.components.network.rules import reuse
from kubelemma.model.manifests.problems import InvalidInput
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Question, ask

ROLLOUT: Raw = {"rollout": {"deployment": "web"}}
REUSE: Raw = {"reuseAddress": {}}


def served(seconds: int, *events: Raw, **more: Any) -> Scenario:
    """A Deployment whose pods wait so long before they stop, with a Service."""
    container = {**CONTAINER, "lifecycle": {"preStop": {"sleep": {"seconds": seconds}}}}
    service = kind("v1", "Service", "web", selector={"app": "web"}, ports=[{"port": 80}], **more)
    spec = {"containers": [container], "terminationGracePeriodSeconds": 90}
    return scenario(events=events, spec=spec, beside=(service,))


def test_an_address_is_free_once_the_pod_has_stopped() -> None:
    """Not before, and of nobody; it is given away once."""
    leaving = left(0, 0)
    assert reuse(NOBODY) is None
    assert reuse(leaving) is None
    after = reuse(leaving._replace(serving=False))
    assert after is not None
    assert after.reused
    assert reuse(after) is None


@pytest.mark.parametrize(
    ("seconds", "more", "verdict"),
    [
        (0, {}, "violated"),
        (5, {}, "holds"),
        (5, {"clusterIP": "None"}, "violated"),
        (35, {"clusterIP": "None"}, "holds"),
        (60, {"publishNotReadyAddresses": True}, "violated"),
    ],
)
def test_whoever_still_believes_sends_to_another(
    monkeypatch: pytest.MonkeyPatch, seconds: int, more: Raw, verdict: str
) -> None:
    """As long as anybody does; the same verdict where no pod is followed."""
    assert verdicts(served(seconds, ROLLOUT, REUSE, **more), "NET-1") == {"NET-1": verdict}
    monkeypatch.setattr(rules, "MOST_FOLLOWED", 0)
    assert verdicts(served(seconds, ROLLOUT, REUSE, **more), "NET-1") == {"NET-1": verdict}


def test_nothing_is_asked_where_no_address_is_given_again() -> None:
    """Nor where a machine may fail, when no pod is followed."""
    assert verdicts(served(0, ROLLOUT), "NET-1") == {}
    assert verdicts(served(0, ROLLOUT, REUSE, {"nodeCrash": {}}), "NET-1") == {}


def test_without_a_service_nothing_comes_of_it() -> None:
    """It is refused, with the reason."""
    with pytest.raises(InvalidInput, match="there is no Service"):
        scenario(events=(ROLLOUT, REUSE))


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, "violated"),
        ({"trafficDistribution": "PreferSameZone"}, "holds"),
        ({"trafficDistribution": "PreferSameNode"}, "holds"),
        ({"internalTrafficPolicy": "Local"}, "holds"),
    ],
)
def test_traffic_that_prefers_its_zone_stays_there(more: Raw, verdict: str) -> None:
    """As long as the zone has somebody; what stays on its node does not cross anyway."""
    found = verdicts(parted(2, more, {"zoneSplit": {}}), "NET-2")
    assert found == {"NET-2": verdict}


def test_a_zone_without_anybody_sends_to_another() -> None:
    """With one pod in each zone, one that is deleted leaves its zone without."""
    near = {"trafficDistribution": "PreferSameZone"}
    split = {"zoneSplit": {}}
    deleted = {"deletePod": {"deployment": "web"}}
    assert verdicts(parted(2, near, split, deleted), "NET-2") == {"NET-2": "violated"}
    assert verdicts(parted(2, near, deleted), "NET-2") == {}


def parted(replicas: int, more: Raw, *events: Raw) -> Scenario:
    """A Deployment on two nodes, each in a zone of its own, and a Service."""
    service = kind("v1", "Service", "web", selector={"app": "web"}, ports=[{"port": 80}], **more)
    check = kind(
        "kubelemma.dev/v1alpha1",
        "Check",
        "parted",
        cluster={"nodes": [{"count": 2, "zones": 2, "allocatable": {"cpu": "4"}}]},
        events=list(events),
    )
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}}
    selector = {"matchLabels": {"app": "web"}}
    spec = {"replicas": replicas, "selector": selector, "template": template}
    documents = [kind("apps/v1", "Deployment", "web", **spec), service, check]
    text = yaml.safe_dump_all(documents)
    (case,) = ask(Question(paths=(STDIN,), stdin=text)).cases
    return case.scenario


def test_one_zone_cannot_part() -> None:
    """It is refused, with what to say of the cluster."""
    with pytest.raises(InvalidInput, match="needs nodes in two zones at least"):
        scenario(events=({"zoneSplit": {}},))
