"""Load balancers in a system: what is followed of them, and where nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubelemma import api
from kubelemma.model.components.endpointslice.leaving import LEAVING
from kubelemma.model.components.servicelb.actions import FAIL_HEALTH_CHECK
from kubelemma.model.components.servicelb.rules import Balancer, Exposed, at_start
from kubelemma.model.manifests.problems import InvalidInput
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.service import Service
from kubelemma.model.scenario import Scenario
from kubelemma.solver.result import Verdict

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def scenario_of(example: str, old: str = "", new: str = "") -> Scenario:
    """The scenario of an example, with one change to its files."""
    parts = [path.read_text("utf-8") for path in sorted((EXAMPLES / example).glob("*.yaml"))]
    text = "---\n".join(parts).replace("resources: [app.yaml]", "resources: []")
    assert old in text
    question = api.Question(paths=("-",), stdin=text.replace(old, new))
    case, *_ = api.ask(question).cases
    return case.scenario


def names(scenario: Scenario) -> set[str]:
    """The cells of a scenario."""
    return {cell.name for cell in scenario.system.cells}


def actions(scenario: Scenario) -> set[str]:
    """The rules of a scenario."""
    return {rule.name for rule in scenario.system.rules}


def test_without_a_cloud_nothing_is_followed() -> None:
    """Health checks, and the states that they add, are there where a cloud is stated alone."""
    cloud = "  cloud: {healthCheckSeconds: 24}\n"
    checked = scenario_of("balancer-loses-requests")
    alone = scenario_of("balancer-loses-requests", cloud)
    assert "health checks" in actions(checked)
    assert "health checks" not in actions(alone)
    assert names(checked) == names(alone)
    assert LEAVING in names(checked)
    assert all(not name.startswith("load balancer of") for name in names(checked))


def test_an_event_without_a_cloud_is_refused() -> None:
    """Nobody would make the load balancer that it is about."""
    with pytest.raises(InvalidInput, match="needs a cloud, whose load balancer it is about"):
        scenario_of("load-balancer-refused", "  cloud: {}\n")


def test_an_event_names_a_service_with_a_load_balancer() -> None:
    """A name that is misspelt would hold of everything, as the event never happens."""
    with pytest.raises(InvalidInput, match=r"there is no Service .*did you mean"):
        scenario_of(
            "load-balancer-refused", "deleteService: {name: web}", "deleteService: {name: wbe}"
        )
    with pytest.raises(InvalidInput, match="has no load balancer: its type is another one"):
        scenario_of("load-balancer-refused", "type: LoadBalancer", "type: NodePort")


@pytest.mark.parametrize(("cloud", "listed"), [("  cloud: {healthCheckSeconds: 24}\n", 0), ("", 1)])
def test_what_a_cloud_follows_is_not_listed(cloud: str, listed: int) -> None:
    """With its cloud stated, nothing is left out of externalTrafficPolicy."""
    given = "  cloud: {healthCheckSeconds: 24}\n"
    path = EXAMPLES / "balancer-loses-requests"
    parts = [each.read_text("utf-8") for each in sorted(path.glob("*.yaml"))]
    text = "---\n".join(parts).replace("resources: [app.yaml]", "resources: []")
    case, *_ = api.ask(api.Question(paths=("-",), stdin=text.replace(given, cloud))).cases
    found = [p for p in case.manifests.not_modelled if p.path == "spec.externalTrafficPolicy"]
    assert len(found) == listed


def test_cells() -> None:
    """What the API has of a Service, and what the cloud has of it, are two things."""
    found = names(scenario_of("load-balancer-refused"))
    assert {"Service default/web", "load balancer of default/web"} <= found


def test_what_an_object_says_at_the_start() -> None:
    """One with the finalizer has its load balancer; any other is new."""
    new = decode({"metadata": {"name": "web"}}, Service)
    finalizers = ["service.kubernetes.io/load-balancer-cleanup"]
    old = decode({"metadata": {"name": "web", "finalizers": finalizers}}, Service)
    assert at_start(new) == (Exposed(), Balancer())
    known = Exposed(finalizer=True, address=True, remembered=True)
    assert at_start(old) == (known, Balancer(there=True))


def test_a_node_with_another_ready_pod_is_left_in() -> None:
    """With one node and a surge the next pod is Ready before the last one goes: nothing is lost."""
    scenario = scenario_of("balancer-loses-requests", "count: 3", "count: 1")
    system, seen, queue, done = scenario.system, set(), list(scenario.system.starts), set()
    while queue:
        state = queue.pop()
        if state in seen:
            continue
        seen.add(state)
        for step in system.successors(state):
            done.add(step.outcome.action)
            queue.append(step.state)
    assert FAIL_HEALTH_CHECK not in done


LABEL = 'labels: {node.kubernetes.io/exclude-from-external-load-balancers: ""}\n      '
OTHER = """    - name: other
      allocatable: {cpu: "4", memory: 8Gi, pods: "110"}
"""


@pytest.mark.parametrize(
    ("policy", "nodes", "selects", "verdict"),
    [
        ("Cluster", "", "", Verdict.VIOLATED),
        ("Cluster", OTHER, "cp", Verdict.HOLDS),
        ("Local", OTHER, "cp", Verdict.VIOLATED),
        ("Local", OTHER, "other", Verdict.HOLDS),
        ("Local", OTHER.replace("allocatable", LABEL + "allocatable"), "other", Verdict.VIOLATED),
    ],
)
def test_nodes_with_the_label_are_behind_no_load_balancer(
    tmp_path: Path, policy: str, nodes: str, selects: str, verdict: Verdict
) -> None:
    """Pods there are reached by way of other nodes, where these may send on to any pod."""
    folder = EXAMPLES / "balancer-without-nodes"
    check, service, app = (
        (folder / f"{name}.yaml").read_text("utf-8") for name in ("check", "service", "deployment")
    )
    service = service.replace("LoadBalancer", f"LoadBalancer\n  externalTrafficPolicy: {policy}")
    if selects:
        app = app.replace("      containers:", f"      nodeName: {selects}\n      containers:")
    check = check.replace("  events:", f"{nodes}  events:")
    for name, text in (("check", check), ("service", service), ("deployment", app)):
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    (case,) = api.ask(api.Question(paths=(str(tmp_path),), properties=("LB-3",))).cases
    (found,) = api.explore(case).result.properties
    assert found.verdict is verdict
    assert not found.vacuous
