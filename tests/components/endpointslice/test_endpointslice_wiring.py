"""What becomes of a deleted pod as it is explored, and what is asked where none is followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from budgeted import verdicts

from kubelemma import api
from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.state import Group, Phase
from kubelemma.model.components.dns.route import BY_NAME
from kubelemma.model.components.endpointslice import rules
from kubelemma.model.components.endpointslice.decision import Conditions
from kubelemma.model.components.endpointslice.fronts import Front, fronts
from kubelemma.model.components.endpointslice.leaving import LEAVING, NOBODY, Entry, entry, left
from kubelemma.model.components.endpointslice.listening import afterlife, sends_to
from kubelemma.model.components.endpointslice.rules import (
    ENDPOINT_SLICES,
    ready_endpoints,
    write_slices,
)
from kubelemma.model.components.kubeproxy.route import BY_PROXY
from kubelemma.model.components.kubeproxy.rules import KUBE_PROXY
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.service import Service
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Question

APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        LIFECYCLE
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: SELECTOR, ports: [{port: 80}], MORE}
"""
FILE = "wired endpointslice"
PAUSE = "lifecycle: {preStop: {sleep: {seconds: 10}}}"
PUBLISHED = "publishNotReadyAddresses: true"
NODES = ("count=2,cpu=8,memory=8Gi",)


def scenario(
    lifecycle: str = "",
    more: str = "",
    selector: str = "{app: web}",
    event: str = "rollout=web",
    also: str = "",
) -> Scenario:
    """A Deployment of two replicas and a Service, and what else there is."""
    text = APP.replace("LIFECYCLE", lifecycle).replace("MORE", more).replace("SELECTOR", selector)
    text += also
    question = Question(paths=(STDIN,), stdin=text, nodes=NODES, events=(event,))
    return api.ask(question).cases[0].scenario


def actors(found: Scenario) -> set[str]:
    """Who acts in a scenario."""
    return {rule.actor for rule in found.system.rules}


def test_no_proxy_sends_to_a_headless_service() -> None:
    """Its clients ask DNS, and connect to pods themselves."""
    for more, route in (("sessionAffinity: None", BY_PROXY), ("clusterIP: None", BY_NAME)):
        found = scenario(more=more)
        assert [front.route for front in fronts(found.world)] == [route]
        assert (KUBE_PROXY in actors(found)) == (route == BY_PROXY)


@pytest.mark.parametrize(
    ("selector", "event"), [("{app: other}", "rollout=web"), ("{app: web}", "node-crash=1")]
)
def test_it_is_there_only_where_it_can_matter(selector: str, event: str) -> None:
    """No pod in focus, or a machine that may fail: no cell, no rule, and no promise."""
    found = scenario(selector=selector, event=event)
    assert LEAVING not in {cell.name for cell in found.system.cells}
    assert {ENDPOINT_SLICES, KUBE_PROXY}.isdisjoint(actors(found))
    assert verdicts(found, "EPS-1", "EPS-2", "EPS-3", "EPS-4") == {}


CASES = pytest.mark.parametrize(
    ("lifecycle", "more", "verdict"),
    [("", "", "violated"), (PAUSE, "", "holds"), (PAUSE, PUBLISHED, "violated")],
)


@CASES
@pytest.mark.parametrize("event", ["rollout=web", "drain=1", "scale=web:1"])
def test_a_pause_saves_requests(
    monkeypatch: pytest.MonkeyPatch, lifecycle: str, more: str, verdict: str, event: str
) -> None:
    """It does unless not ready addresses are published; followed or not, the verdict is one."""
    found = scenario(lifecycle, more, event=event)
    assert verdicts(found, "EPS-1", "EPS-2", "EPS-3") == {
        "EPS-1": "holds",
        "EPS-2": verdict,
        "EPS-3": "holds",
    }
    monkeypatch.setattr(rules, "MOST_FOLLOWED", 0)
    unfollowed = scenario(lifecycle, more, event=event)
    assert LEAVING not in {cell.name for cell in unfollowed.system.cells}
    assert verdicts(unfollowed, "EPS-2") == {"EPS-2": verdict}


@pytest.mark.parametrize(
    ("seconds", "more", "verdict"),
    [
        (34, "", "violated"),
        (35, "", "holds"),
        (60, ", publishNotReadyAddresses: true", "violated"),
    ],
)
def test_clients_keep_addresses_of_headless_services(seconds: int, more: str, verdict: str) -> None:
    """For as long as DNS lets them; where addresses are published in any case, until the end."""
    pause = PAUSE.replace("10", str(seconds))
    text = APP.replace(
        "      containers:", "      terminationGracePeriodSeconds: 90\n      containers:"
    )
    text = text.replace("LIFECYCLE", pause).replace("MORE", f"clusterIP: None{more}")
    text = text.replace("SELECTOR", "{app: web}")
    question = Question(paths=(STDIN,), stdin=text, nodes=NODES, events=("rollout=web",))
    found = api.ask(question).cases[0].scenario
    assert verdicts(found, "DNS-1", "DNS-2", "EPS-1", "EPS-2") == {
        "DNS-1": verdict,
        "DNS-2": "holds",
        "EPS-1": "holds",
    }


INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec: {defaultBackend: {service: {name: web, port: {number: PORT}}}}
"""


@pytest.mark.parametrize(("seconds", "verdict"), [(6, "violated"), (10, "holds")])
def test_each_way_has_its_own_lag(seconds: int, verdict: str) -> None:
    """A pause may be long enough for kube-proxies, and too short for an Ingress controller."""
    pause = PAUSE.replace("10", str(seconds))
    found = scenario(pause, also=INGRESS.replace("PORT", "80"))
    assert verdicts(found, "EPS-2", "ING-1", "ING-2") == {
        "EPS-2": "holds",
        "ING-1": verdict,
        "ING-2": "holds",
    }


def test_an_ingress_without_a_port_leads_nowhere() -> None:
    """Nothing is asked of it, and nothing added."""
    found = scenario(also=INGRESS.replace("PORT", "81"))
    assert verdicts(found, "ING-1", "ING-2") == {}
    assert [front.route for front in fronts(found.world)] == [BY_PROXY]


def test_following_costs_no_more_than_promised() -> None:
    """The cell has four values beside that of nobody, three of them where pods wait."""
    for lifecycle, number in (("", 4), (PAUSE, 2)):
        (front,) = fronts(scenario(lifecycle).world)
        kept = [one for one in afterlife(front, min(front.classes)) if one != NOBODY]
        assert len(kept) == number
        assert all(sends_to(front, one) and one.heard == Entry.READY for one in kept)


def counted(front: Front, raw: dict[str, Any]) -> bool:
    """Whether a recorded pod counts among the ready endpoints, in the phase that it is in."""
    status = raw["status"]
    conditions = status.get("conditions", ())
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    phase = Phase.READY if ready else Phase.STARTING
    if status["phase"] in ("Succeeded", "Failed"):
        phase = Phase.FAILED
    elif raw["metadata"].get("deletionTimestamp"):
        phase = Phase.TERMINATING
    tally = ready_endpoints(front)
    return tally.reduce(tally.measures[PODS]((Group(0, phase, 1),))) > 0


def written(front: Front) -> Entry:
    """What the rule has the slices say of a Ready pod once it is deleted."""
    leaving = left(0, 0)
    for outcome in write_slices((front,), leaving):
        leaving = outcome.writes[LEAVING]
    return Entry(leaving.slices)


def test_the_rules_agree_with_the_real_controller(
    oracle: Callable[[str], list[dict[str, Any]]], tally: Any
) -> None:
    """Of recorded pods: what the slices say of one that is Ready and terminates, and who counts.

    Every pod of the model has an address of the type that is asked for. With addresses that are
    published in any case, those of pods that are not Ready do not count, as nobody answers there.
    """
    for case in oracle("endpointslice"):
        service = decode(case["input"]["service"], Service)
        front = Front("", service, BY_PROXY, frozenset({0}), frozenset(), 0)
        for raw in case["input"]["pods"]:
            recorded = case["expect"]["endpoints"][raw["metadata"]["name"]]
            serving = bool(recorded.get("serving"))
            if serving and recorded["terminating"]:
                shown = Conditions(*(recorded[name] for name in Conditions._fields))
                found, expected = written(front), entry(shown)
            elif recorded["included"]:
                found, expected = counted(front, raw), serving and recorded["ready"]
            elif raw["status"]["phase"] in ("Succeeded", "Failed"):
                found, expected = counted(front, raw), False
            else:
                tally.skipped(FILE, "has no address of the type that is asked for")
                continue
            if found == expected:
                tally.passed(FILE)
            else:
                tally.failed(FILE, case["id"], f"{found} instead of {expected}")
    tally.verify(FILE)


def test_pods_that_are_given_other_labels_stay() -> None:
    """A pod that leaves its Service by its labels is not deleted, and nobody stops it."""
    before: Any = scenario(event="relabel=web")
    steps = [
        step
        for step in before.system.successors(before.system.initial)
        if step.outcome.action == "relabel"
    ]
    assert steps
    at = before.system.positions[LEAVING].start
    assert {step.state[at] for step in steps} == {NOBODY}
