"""Init containers that wait or fail, sidecars, and hooks after the start."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.cluster.state import Group, Phase
from kubelemma.model.components.kubelet.decision import Outlook, may_fail_after_start, must_end
from kubelemma.model.components.kubelet.initialising import Awaited
from kubelemma.model.components.kubelet.starting import Held, booted
from kubelemma.model.manifests import InvalidInput, Source, load
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import PodSpec
from kubelemma.solver.result import Verdict

CONTAINERS = st.lists(st.sampled_from(["", "Always"]), max_size=4)


@given(CONTAINERS)
def test_sidecars_need_not_end(policies: list[str]) -> None:
    """Of all init containers those have to end that do not run on, each at its place."""
    raw = [{"name": f"c{i}", "restartPolicy": each} for i, each in enumerate(policies)]
    spec = decode({"initContainers": raw}, PodSpec)
    expected = [("initContainers", i) for i, each in enumerate(policies) if not each]
    assert [step.path for step in must_end(spec)] == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [{"name": "c"}]}, None),
        ({"containers": [{"name": "c", "lifecycle": {"preStop": {"exec": {}}}}]}, None),
        (
            {"containers": [{"name": "c", "lifecycle": {"postStart": {"exec": {}}}}]},
            ("containers", 0, "lifecycle", "postStart"),
        ),
        (
            {"initContainers": [{"name": "c", "lifecycle": {"postStart": {"exec": {}}}}]},
            ("initContainers", 0, "lifecycle", "postStart"),
        ),
    ],
)
def test_only_a_hook_after_the_start_may_kill(spec: dict[str, Any], expected: Any) -> None:
    """It is that of a container, or of a sidecar."""
    assert may_fail_after_start(decode(spec, PodSpec)) == expected


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("{exec: {command: [sleep, '20']}}", ""),
        ("{exec: {command: [sh, -c, 'sleep 21; stop']}}", "waits for 21 s"),
    ],
)
def test_a_hook_that_is_broken_off(hook: str, said: str) -> None:
    """One that takes longer than the grace period keeps the container from ending well."""
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
        "  terminationGracePeriodSeconds: 20\n"
        f"  containers: [{{name: web, image: a, lifecycle: {{preStop: {hook}}}}}]\n"
    )
    warnings = load([Source("web.yaml", text)]).warnings
    assert [said in str(warning) for warning in warnings] == [True] * bool(said)


WAITS = (Awaited("join", "default/web", (0,), ()),)


@pytest.mark.parametrize(("awaits", "after"), [((), Phase.RESTARTING), (WAITS, Phase.CREATING)])
@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.READY, Phase.AVAILABLE])
def test_init_containers_run_again_after_a_boot(
    awaits: tuple[Awaited, ...], after: Phase, phase: Phase
) -> None:
    """The sandbox is a new one then, and the pod Pending, where an init container has to wait."""
    held = Held((), (), "", (), Outlook.STARTS, None, awaits)
    assert booted({0: held}, (Group(0, phase, 2),)) == (Group(0, after, 2),)


APP = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  strategy: {rollingUpdate: {maxSurge: SURGE, maxUnavailable: UNAVAILABLE}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
      - {name: join, image: "web:1"}
      - {name: proxy, image: "proxy:1", restartPolicy: Always}
      containers:
      - name: web
        image: web:1
        lifecycle: {postStart: {exec: {command: ["true"]}}}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cluster: {nodes: [{count: 2}]}
"""


def verdicts(check: str, surge: int = 1, unavailable: int = 0) -> dict[str, Verdict]:
    """The verdicts of a scenario that says this as well."""
    text = APP.replace("SURGE", str(surge)).replace("UNAVAILABLE", str(unavailable)) + check
    (case,) = api.ask(api.Question(paths=("-",), stdin=text)).cases
    return {p.property.id: p.verdict for p in api.explore(case).result.properties}


@pytest.mark.parametrize("version", ["initFails", "postStartFails"])
def test_a_version_that_fails_while_it_starts_is_never_ready(version: str) -> None:
    """So old pods have to stay, which they do if none may be missing."""
    event = f"  events: [{{rollout: {{deployment: web, newVersion: {version}}}}}]\n"
    assert verdicts(event)["DEP-9"] is Verdict.HOLDS
    assert verdicts(event, 0, 1)["DEP-9"] is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("service", "unavailable", "expected"),
    [
        ("web", 0, Verdict.HOLDS),
        ("web", 1, Verdict.VIOLATED),
        ("nobody", 0, Verdict.VIOLATED),
    ],
)
def test_who_waits_for_whom(service: str, unavailable: int, expected: Verdict) -> None:
    """A rollout ends if somebody answers meanwhile for what its init container waits for."""
    check = (
        f"  initWaits: [{{container: join, service: {service}}}]\n"
        "  events: [{rollout: {deployment: web}}]\n"
        "  properties: [DEP-4, KUB-9]\n"
    )
    found = verdicts(check, 1 - unavailable, unavailable)
    assert found == {"DEP-4": expected, "KUB-9": Verdict.HOLDS}


def test_a_machine_that_boots_asks_again() -> None:
    """A pod that waits for one of its kind does not start again when its machine was the last."""
    check = (
        "  initWaits: [{container: join, service: web}]\n"
        "  events: [{nodeCrash: {max: 1}}]\n"
        "  properties: [STUCK, KUB-3, KUB-9]\n"
    )
    assert verdicts(check) == {
        "STUCK": Verdict.VIOLATED,
        "KUB-3": Verdict.HOLDS,
        "KUB-9": Verdict.HOLDS,
    }


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("initWaits: [{container: joim, service: web}]", '"joim" that has to end (did you mean'),
        ("initWaits: [{container: proxy, service: web}]", '"proxy" that has to end'),
        ("initWaits: [{container: join, service: wob}]", 'there is no Service "default/wob"'),
        ("initWaits: [{container: join, service: a/b/c}]", "is neither NAME nor NAMESPACE/NAME"),
        ("initWaits: [{container: j_, service: web}]", '"j_" is no valid name'),
        ("initWaits: [{container: join}]", "service: is required"),
    ],
)
def test_a_scenario_names_what_is_there(check: str, said: str) -> None:
    """An init container that has to end, and a Service."""
    text = APP.replace("SURGE", "1").replace("UNAVAILABLE", "0") + f"  {check}\n"
    with pytest.raises(InvalidInput) as raised:
        api.ask(api.Question(paths=("-",), stdin=text))
    assert said in str(raised.value)


@pytest.mark.parametrize("version", ["initFails", "postStartFails"])
def test_only_what_is_there_can_fail(version: str) -> None:
    """A template without an init container, or a hook, has no version in which that fails."""
    text = APP.replace("SURGE", "1").replace("UNAVAILABLE", "0")
    text = text.replace("      - {name: join", "      - {name: side, restartPolicy: Always")
    text = text.replace("postStart", "preStop")
    event = f"  events: [{{rollout: {{deployment: web, newVersion: {version}}}}}]\n"
    with pytest.raises(InvalidInput, match="that could fail"):
        api.ask(api.Question(paths=("-",), stdin=text + event))
