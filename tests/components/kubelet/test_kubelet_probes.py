"""Probes that do not wait for what starts slowly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.components.kubelet.decision import Judge, Outlook, never_ready, strictest
from kubelemma.model.manifests import Source, load
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod, Probe
from kubelemma.solver.result import Verdict

PROBES = st.builds(
    lambda delay, period, threshold: Probe(
        initial_delay_seconds=delay, period_seconds=period, failure_threshold=threshold
    ),
    st.integers(0, 60),
    st.integers(0, 30),
    st.integers(0, 5),
)


def ticks(probe: Probe, first: int) -> int:
    """When a probe kills that is first asked so many seconds after its delay."""
    period, threshold = probe.period_seconds or 10, probe.failure_threshold or 3
    return probe.initial_delay_seconds + first + (threshold - 1) * period


@given(PROBES, st.integers(0, 400))
def test_the_outlook_is_that_of_all_first_ticks(probe: Probe, seconds: int) -> None:
    """A container starts, or is killed, if it does whenever the first tick comes."""
    period = probe.period_seconds or 10
    killed = {seconds > ticks(probe, first) for first in range(period)}
    expected = {
        frozenset({False}): Outlook.STARTS,
        frozenset({True}): Outlook.IS_KILLED,
    }.get(frozenset(killed), Outlook.MAY_START)
    found = Judge(probe, "livenessProbe", ()).outlook(seconds)
    # Of the last second of the last period it depends on fractions: it may start.
    assert found is expected or (found is Outlook.MAY_START and seconds == ticks(probe, period))


def pod(**container: Any) -> Pod:
    """A pod with a container that has these probes."""
    return decode({"spec": {"containers": [{"name": "main", **container}]}}, Pod)


LIVENESS = {"livenessProbe": {"exec": {}, "failureThreshold": 2}}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({}, Outlook.STARTS),
        ({"readinessProbe": {"exec": {}}}, Outlook.STARTS),
        (LIVENESS, Outlook.IS_KILLED),
        ({**LIVENESS, "startupProbe": {"exec": {}, "failureThreshold": 30}}, Outlook.STARTS),
        ({"startupProbe": {"exec": {}}}, Outlook.IS_KILLED),
    ],
)
def test_the_startup_probe_comes_first(container: dict[str, Any], expected: Outlook) -> None:
    """While there is one that has not succeeded, no liveness probe is asked."""
    assert strictest(pod(**container), 60)[0] is expected


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 80}]
        livenessProbe: LIVENESS
        readinessProbe: READINESS
"""
CHECK = """
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cluster: {nodes: [{count: 2}]}
  startSeconds: SECONDS
  events: [{rollout: {deployment: web}}]
"""


def written(liveness: str = "{exec: {}}", readiness: str = "{exec: {}}") -> str:
    """The Deployment with these probes."""
    return WEB.replace("LIVENESS", liveness).replace("READINESS", readiness)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (20, {"DEP-4": Verdict.HOLDS, "KUB-10": Verdict.HOLDS}),
        (25, {"DEP-4": Verdict.HOLDS, "KUB-10": Verdict.HOLDS}),
        (31, {"DEP-4": Verdict.VIOLATED, "KUB-10": Verdict.VIOLATED}),
    ],
)
def test_what_is_too_slow_is_killed_for_ever(seconds: int, expected: dict[str, Verdict]) -> None:
    """Whoever may start does so in the end; whoever cannot is restarted for ever."""
    text = written() + CHECK.replace("SECONDS", str(seconds))
    (case,) = api.ask(api.Question(paths=("-",), stdin=text)).cases
    found = {p.property.id: p.verdict for p in api.explore(case).result.properties}
    assert {name: found[name] for name in ("DEP-4", "KUB-10") if name in found} == expected


@pytest.mark.parametrize(
    ("liveness", "readiness", "said"),
    [
        ("{httpGet: {port: http}}", "{tcpSocket: {port: 81}}", ""),
        ("{httpGet: {port: htp}}", "{exec: {}}", "it restarts nothing"),
        ("{exec: {}}", "{tcpSocket: {port: web}}", "never Ready"),
        ("{exec: {}}", "{exec: {}, initialDelaySeconds: 31}", "kills the container after 30 s"),
        ("{exec: {}}", "{exec: {}, initialDelaySeconds: 30}", ""),
    ],
)
def test_what_can_hardly_be_meant(liveness: str, readiness: str, said: str) -> None:
    """A port that is not there, and a liveness probe that is over before readiness is asked."""
    warnings = load([Source("web.yaml", written(liveness, readiness))]).warnings
    assert len(warnings) == bool(said)
    assert all(said in str(warning) for warning in warnings)


@pytest.mark.parametrize(
    ("probes", "expected"),
    [
        ({"readinessProbe": {"httpGet": {"port": "http"}}}, ""),
        ({"readinessProbe": {"tcpSocket": {"port": 81}}}, ""),
        ({"readinessProbe": {"httpGet": {"port": "81"}}}, ""),
        ({"livenessProbe": {"httpGet": {"port": "htp"}}}, ""),
        ({"readinessProbe": {"httpGet": {"port": "htp"}}}, "readinessProbe"),
        ({"startupProbe": {"tcpSocket": {"port": "htp"}}}, "startupProbe"),
    ],
)
@pytest.mark.parametrize("field", ["containers", "initContainers"])
def test_a_probe_of_no_port_never_succeeds(
    probes: dict[str, Any], expected: str, field: str
) -> None:
    """Nor does it fail, so that a liveness probe of that kind changes nothing."""
    main = {"name": "main", "ports": [{"name": "http", "containerPort": 80}]}
    containers = {"containers": [main], field: [{**main, **probes}]}
    found = never_ready(decode({"spec": containers}, Pod))
    assert ("" if found is None else found.what) == expected


@pytest.mark.parametrize(
    ("liveness", "readiness", "holds"),
    [
        ("{httpGet: {port: htp}}", "{exec: {}}", True),
        ("{exec: {}}", "{tcpSocket: {port: web}}", False),
    ],
)
def test_the_verdict_follows_the_warning(liveness: str, readiness: str, *, holds: bool) -> None:
    """What is never Ready never completes a rollout."""
    text = written(liveness, readiness)
    cases = api.ask(api.Question(paths=("-",), stdin=text)).cases
    found = [p for p in api.explore(cases[0]).result.properties if p.property.id == "DEP-4"]
    assert [p.verdict is Verdict.HOLDS for p in found] == [holds]


@pytest.mark.parametrize(("old", "new", "holds"), [("web", "http", True), ("http", "web", False)])
def test_the_version_that_is_rolled_out_decides(
    old: str, new: str, tmp_path: Path, *, holds: bool
) -> None:
    """A port that is called right in the end is enough; the pods of before were never Ready."""
    (tmp_path / "new").mkdir()
    for name, port in (("old", old), ("new/new", new)):
        text = written(readiness=f"{{tcpSocket: {{port: {port}}}}}")
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    check = CHECK.replace("startSeconds: SECONDS", "resources: [old.yaml]")
    check = check.replace("rollout: {deployment: web}", "apply: {resources: [new]}")
    (tmp_path / "check.yaml").write_text(check, "utf-8")
    (case,) = api.ask(api.Question(paths=(str(tmp_path / "check.yaml"),))).cases
    found = {p.property.id: p.verdict for p in api.explore(case).result.properties}
    assert (found["DEP-4"] is Verdict.HOLDS) is holds
