"""What containers refer to, whether it is there, and pods that wait for it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubelemma import api
from kubelemma.model.cluster.state import Phase
from kubelemma.model.components.kubelet.decision import Need, Source, lacking, needs
from kubelemma.model.components.kubelet.starting import given_of, held
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.result import Verdict

CONFIG = Source("ConfigMap", "shop", "web")
SECRET = Source("Secret", "shop", "token")
KEYS = st.frozensets(st.sampled_from(("a", "b", "c")))


def pod(**spec: Any) -> Pod:
    """A pod with one container of these fields, and volumes."""
    volumes = spec.pop("volumes", [])
    container = {"name": "main", "image": "a", **spec}
    metadata = {"name": "web", "namespace": "shop"}
    return decode(
        {"metadata": metadata, "spec": {"containers": [container], "volumes": volumes}}, Pod
    )


def variable(kind: str, **selector: Any) -> dict[str, Any]:
    """A container's variable that refers to a key."""
    return {"env": [{"name": "A", "valueFrom": {f"{kind}KeyRef": selector}}]}


@pytest.mark.parametrize(
    ("fields", "source", "keys", "mounted"),
    [
        (variable("configMap", name="web", key="a"), CONFIG, ("a",), False),
        (variable("secret", name="token", key="b"), SECRET, ("b",), False),
        ({"envFrom": [{"configMapRef": {"name": "web"}}]}, CONFIG, (), False),
        ({"envFrom": [{"secretRef": {"name": "token"}}]}, SECRET, (), False),
        ({"volumes": [{"name": "v", "configMap": {"name": "web"}}]}, CONFIG, (), True),
        (
            {
                "volumes": [
                    {"name": "v", "secret": {"secretName": "token", "items": [{"key": "c"}]}}
                ]
            },
            SECRET,
            ("c",),
            True,
        ),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "token"}}]}}]},
            SECRET,
            (),
            True,
        ),
    ],
)
def test_what_is_needed(
    fields: dict[str, Any], source: Source, keys: tuple[str, ...], *, mounted: bool
) -> None:
    """Variables and volumes need the object that they name, or some of its keys."""
    (need,) = needs(pod(**fields))
    assert (need.source, need.keys, need.mounted) == (source, keys, mounted)
    assert need.reason == ("FailedMount" if mounted else "CreateContainerConfigError")


@pytest.mark.parametrize(
    "fields",
    [
        variable("configMap", name="web", key="a", optional=True),
        {"envFrom": [{"secretRef": {"name": "token", "optional": True}}]},
        {"volumes": [{"name": "v", "configMap": {"name": "web", "optional": True}}]},
        {"volumes": [{"name": "v", "configMap": {"name": "kube-root-ca.crt"}}]},
        {"env": [{"name": "A", "value": "b"}]},
    ],
)
def test_what_is_not_needed(fields: dict[str, Any]) -> None:
    """Nothing that is optional, and nothing that is in every namespace."""
    assert list(needs(pod(**fields))) == []


@pytest.mark.parametrize(
    ("names", "policy", "expected"),
    [
        (["token"], "", [SECRET]),
        (["token"], "Never", []),
        (["token", "other"], "", []),
        (["", "token"], "", [SECRET]),
        ([], "", []),
    ],
)
def test_the_secret_for_pulling(names: list[str], policy: str, expected: list[Source]) -> None:
    """One that is named alone is needed, unless nothing is pulled; of several it is not known."""
    raw = {
        "metadata": {"namespace": "shop"},
        "spec": {
            "containers": [{"name": "main", "image": "a:1", "imagePullPolicy": policy}],
            "imagePullSecrets": [{"name": name} for name in names],
        },
    }
    found = list(needs(decode(raw, Pod)))
    assert [need.source for need in found] == expected
    assert {need.reason for need in found} <= {"ImagePullBackOff"}


@given(KEYS, KEYS, st.booleans())
def test_a_need_is_met_by_all_of_its_keys(
    wanted: frozenset[str],
    there: frozenset[str],
    mounted: bool,  # noqa: FBT001 - drawn
) -> None:
    """An object that has at least the keys that are named is enough; none is never."""
    need = Need(CONFIG, tuple(sorted(wanted)), mounted, ())
    assert bool(lacking(need, there)) == (not wanted <= there)
    assert lacking(need, None) == 'configmap "web" not found'


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        env:
        - {name: A, valueFrom: {configMapKeyRef: {name: web, key: mode}}}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cluster: {nodes: [{count: 2}]}
  events: [{rollout: {deployment: web}}]
"""


def config_map(name: str, *keys: str) -> str:
    """A ConfigMap with these keys, as a further document."""
    found = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    return "---\n" + yaml.safe_dump({**found, "data": dict.fromkeys(keys, "x")})


def asked(text: str, **spec: Any) -> api.Case:
    """The one case of a text, with more in the specification of its Check."""
    documents = list(yaml.safe_load_all(text))
    for document in documents:
        if document["kind"] == "Check":
            document["spec"] |= spec
    (case,) = api.ask(api.Question(paths=("-",), stdin=yaml.safe_dump_all(documents))).cases
    return case


def verdict(case: api.Case, identifier: str = "DEP-4") -> Verdict:
    """Of a property of a case."""
    found = api.explore(case).result.properties
    return next(each.verdict for each in found if each.property.id == identifier)


@pytest.mark.parametrize(
    ("more", "spec", "expected"),
    [
        ("", {}, Verdict.HOLDS),
        (config_map("web", "mode"), {}, Verdict.HOLDS),
        (config_map("web", "modes"), {}, Verdict.VIOLATED),
        (config_map("kube-root-ca.crt", "ca.crt"), {}, Verdict.VIOLATED),
        ("", {"missing": ["ConfigMap/web"]}, Verdict.VIOLATED),
        ("", {"missing": ["ConfigMap/shop/web", "Secret/web"]}, Verdict.HOLDS),
        (config_map("web", "mode"), {"missing": ["ConfigMap/web"]}, Verdict.HOLDS),
    ],
)
def test_a_rollout_waits_for_what_is_missing(
    more: str, spec: dict[str, Any], expected: Verdict
) -> None:
    """What was not given is there, but where all was given, or somebody says that it is not."""
    case = asked(WEB + more, **spec)
    assert verdict(case) is expected
    assert bool(held(case.scenario.world, case.scenario.events)) == (expected is Verdict.VIOLATED)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"deleteConfigMap": {"name": "web"}}], Verdict.VIOLATED),
        ([{"deleteConfigMap": {"name": "other"}}], Verdict.HOLDS),
        ([{"deleteSecret": {"name": "web"}}], Verdict.HOLDS),
        ([{"createConfigMap": {"name": "web"}}], Verdict.VIOLATED),
    ],
)
def test_what_users_do(events: list[dict[str, Any]], expected: Verdict) -> None:
    """Somebody who deletes an object may leave it so; who may create it need not."""
    assert verdict(asked(WEB, events=[{"rollout": {"deployment": "web"}}, *events])) is expected


def test_who_runs_runs_on() -> None:
    """A deletion stops nobody: a pod that is there stays available, and so does all else."""
    case = asked(WEB, events=[{"deleteConfigMap": {"name": "web"}}])
    scenario = case.scenario
    assert verdict(case) is Verdict.HOLDS
    seen, todo = {scenario.system.initial}, [scenario.system.initial]
    while todo:
        for step in scenario.system.successors(todo.pop()):
            if step.state not in seen:
                seen.add(step.state)
                todo.append(step.state)
    nodes = scenario.system.positions["nodes"]
    phases = {group.phase for state in seen for at in nodes for group in state[at].pods}
    assert phases == {Phase.AVAILABLE}


def test_nothing_is_followed_that_is_sure() -> None:
    """Where all is there, or taken to be, the system has nothing of it."""
    cells = {cell.name for cell in asked(WEB).scenario.system.cells}
    assert not any("exists" in name for name in cells)
    assert given_of(()) == ({}, frozenset())


def test_what_is_missing_is_warned_of() -> None:
    """What was not given is named once for each owner; a key that is missing with its line."""
    warnings = api.ask(api.Question(paths=("-",), stdin=WEB)).warnings
    assert [w.message for w in warnings if "ConfigMap default/web, which is not among" in w.message]
    lacks = api.ask(api.Question(paths=("-",), stdin=WEB + config_map("web", "modes"))).warnings
    (found,) = lacks
    assert "couldn't find key mode in ConfigMap default/web" in found.message
    assert found.position.line == 16


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, Verdict.HOLDS),
        ({"missing": ["Secret/registry"]}, Verdict.VIOLATED),
        (
            {"events": [{"rollout": {}}, {"deleteSecret": {"name": "registry"}}]},
            Verdict.VIOLATED,
        ),
        ({"events": [{"rollout": {}}, {"createSecret": {"name": "registry"}}]}, Verdict.VIOLATED),
        (
            {
                "missing": ["Secret/registry"],
                "events": [{"rollout": {}}, {"deleteSecret": {"name": "other"}}],
            },
            Verdict.VIOLATED,
        ),
    ],
)
def test_a_registry_that_wants_credentials(spec: dict[str, Any], expected: Verdict) -> None:
    """Without the Secret that the pods name for it, no image is pulled."""
    named = "spec:\n      imagePullSecrets: [{name: registry}]\n      containers:"
    text = WEB.replace("spec:\n      containers:", named) + config_map("web", "mode")
    assert verdict(asked(text, **spec)) is expected
