"""Images that have to be pulled, and a registry that may be away."""

from __future__ import annotations

import pytest

from kubelemma import api
from kubelemma.model.components.kubelet.decision import Image, can_be_had, images_of, never_pulled
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.result import Verdict


@pytest.mark.parametrize(
    ("image", "policy", "expected"),
    [
        ("web", "", ("web:latest", "Always")),
        ("web:latest", "", ("web:latest", "Always")),
        ("web:1", "", ("web:1", "IfNotPresent")),
        ("host:5000/web", "", ("host:5000/web:latest", "Always")),
        ("host:5000/web:1", "", ("host:5000/web:1", "IfNotPresent")),
        ("web@sha256:00", "", ("web@sha256:00", "IfNotPresent")),
        ("web:latest@sha256:00", "", ("web:latest@sha256:00", "Always")),
        ("web:1", "Always", ("web:1", "Always")),
        ("web", "Never", ("web:latest", "Never")),
    ],
)
def test_when_an_image_is_pulled(image: str, policy: str, expected: tuple[str, str]) -> None:
    """As the policy says, or else by the tag."""
    container = {"name": "main", "image": image, "imagePullPolicy": policy}
    assert list(images_of(decode({"spec": {"containers": [container]}}, Pod))) == [Image(*expected)]


@pytest.mark.parametrize("registry", [True, False])
@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("Always", lambda _present, registry: registry),
        ("IfNotPresent", lambda present, registry: present or registry),
        ("Never", lambda present, _registry: present),
    ],
)
def test_who_asks_the_registry(
    policy: str, expected: object, *, present: bool, registry: bool
) -> None:
    """Always asks it even for what is there, Never does not even for what is not."""
    there = {"web:1"} if present else set[str]()
    assert callable(expected)
    found = can_be_had(Image("web:1", policy), there, registry=registry)
    assert found is expected(present, registry)


@pytest.mark.parametrize(
    ("policy", "images", "expected"),
    [
        ("Never", [["web:1"]], False),
        ("Never", [["web:2"]], True),
        ("IfNotPresent", [["web:2"]], False),
        ("Never", [], False),
        ("Never", [[f"other:{number}"] for number in range(50)], False),
    ],
)
def test_what_is_not_there_and_nobody_pulls(
    policy: str, images: list[list[str]], *, expected: bool
) -> None:
    """As far as the Node lists all that it has, which are at most fifty."""
    raw = {"status": {"images": [{"names": names} for names in images]}}
    assert never_pulled(Image("web:1", policy), decode(raw, Node)) is expected


NODES = """
apiVersion: v1
kind: Node
metadata: {name: a}
status: {allocatable: {pods: "9"}, images: IMAGES_A}
---
apiVersion: v1
kind: Node
metadata: {name: b}
status: {allocatable: {pods: "9"}, images: IMAGES_B}
---
"""


@pytest.mark.parametrize(
    ("here", "there", "holds"),
    [
        ("[{names: ['web:1']}]", "[{names: ['web:1']}]", True),
        ("[{names: ['web:1']}]", "[{names: ['web:2']}]", False),
        ("[]", "[]", True),
        ("[{names: ['web:1']}]", "[]", True),
    ],
)
@pytest.mark.parametrize("events", ["rollout: {}", "registryOutage: {}}, {rollout: {}"])
def test_a_rollout_of_what_nobody_pulls(here: str, there: str, events: str, *, holds: bool) -> None:
    """It ends if every node that may get a pod has the image, whether a registry answers or not."""
    text = WEB.replace("image: IMAGE", 'image: "web:1", imagePullPolicy: Never')
    text = text.replace("[EVENTS]", f"[{{{events}}}]\n  properties: [all]")
    text = text.replace("  cluster: {nodes: [{count: COUNT}]}\n", "")
    nodes = NODES.replace("IMAGES_A", here).replace("IMAGES_B", there)
    (case,) = api.ask(api.Question(paths=("-",), stdin=nodes + text)).cases
    found = {p.property.id: p.verdict for p in api.explore(case).result.properties}
    expected = Verdict.HOLDS if holds else Verdict.VIOLATED
    assert (found["DEP-4"], found.get("KUB-9", Verdict.HOLDS)) == (expected, Verdict.HOLDS)


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: IMAGE}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cluster: {nodes: [{count: COUNT}]}
  events: [EVENTS]
"""


@pytest.mark.parametrize(
    ("image", "count", "events", "expected"),
    [
        ("web:1", 1, "registryOutage: {}}, {deletePod: {workload: web}", Verdict.VIOLATED),
        ("web:1", 1, "rollout: {}", Verdict.HOLDS),
        ("web", 1, "rollout: {}", Verdict.HOLDS),
        ("web:1", 1, "registryOutage: {}}, {rollout: {}", Verdict.HOLDS),
        ("web", 1, "registryOutage: {}}, {rollout: {}", Verdict.VIOLATED),
        ("web:1", 2, "registryOutage: {}}, {rollout: {}", Verdict.VIOLATED),
    ],
)
def test_a_rollout_while_the_registry_is_away(
    image: str, count: int, events: str, expected: Verdict
) -> None:
    """One replica stays on the node, and has the image there; on another node there may be none.

    Of pods that are deleted both may be gone before another has come, and the image with them.
    """
    text = WEB.replace("IMAGE", image).replace("COUNT", str(count))
    text = text.replace("[EVENTS]", f"[{{{events}}}]")
    if "deletePod" in events:
        text = text.replace("{workload: web}", "{workload: web, max: 2}")
    (case,) = api.ask(api.Question(paths=("-",), stdin=text)).cases
    found = {p.property.id: p.verdict for p in api.explore(case).result.properties}
    assert found["DEP-4"] is expected
