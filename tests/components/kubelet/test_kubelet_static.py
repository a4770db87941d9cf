"""Static pods, which kubelets run from files, and their mirror pods."""

from __future__ import annotations

import pytest

from kubelemma import api
from kubelemma.model.manifests import Cluster, InvalidInput
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import MIRROR, Pod
from kubelemma.model.scenario import mirrored
from kubelemma.solver.result import Verdict

APP = """
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: kube-system}
spec:
  containers: [{name: proxy, image: "proxy:1", resources: {requests: {cpu: PROXY}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1", resources: {requests: {cpu: 500m}}}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}, staticPods: STATIC}]}
  events: [{drain: {node: node-1}}]
  properties: [DRAIN-1, STUCK]
"""


OTHERS = """
apiVersion: v1
kind: Pod
metadata: {name: agent}
spec:
  containers: [{name: agent, image: "agent:1", envFrom: [{configMapRef: {name: agent}}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: store}
spec:
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
  containers: [{name: store, image: "store:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  serviceAccountName: reader
  containers: [{name: reader, image: "reader:1"}]
---
"""


def asked(static: str, proxy: str = "100m", others: str = "") -> dict[str, Verdict]:
    """The verdicts where these pods are static."""
    text = others + APP.replace("PROXY", proxy).replace("STATIC", static)
    (case,) = api.ask(api.Question(paths=("-",), stdin=text)).cases
    return {p.property.id: p.verdict for p in api.explore(case).result.properties}


@pytest.mark.parametrize(
    ("static", "proxy", "stuck"),
    [
        ("[proxy]", "0", Verdict.HOLDS),
        ("[proxy]", "100m", Verdict.VIOLATED),
        ("[kube-system/proxy]", "100m", Verdict.VIOLATED),
    ],
)
def test_they_take_room_and_are_not_drained(static: str, proxy: str, stuck: Verdict) -> None:
    """A drain goes by them; the room that they hold is lacking for those that it evicts."""
    assert asked(static, proxy) == {"DRAIN-1": Verdict.HOLDS, "STUCK": stuck}


@pytest.mark.parametrize(
    ("static", "said"),
    [
        ("[prox]", 'staticPods[0]: there is no Pod "prox" (did you mean "proxy"?)'),
        ("[agent]", '"agent": static pods may not reference configmaps'),
        ("[store]", '"store": static pods may not reference persistentvolumeclaims'),
        ("[proxy, reader]", 'staticPods[1]: "reader": static pods may not reference service'),
    ],
)
def test_what_no_kubelet_would_run(static: str, said: str) -> None:
    """A pod that is not there, or that needs something of the API."""
    with pytest.raises(InvalidInput) as raised:
        asked(static, others=OTHERS)
    assert said in str(raised.value)


def test_each_node_has_its_own() -> None:
    """A mirror pod bears the name of its node, which owns it; other pods stay as they are."""
    pods = [
        decode({"metadata": {"name": name, "namespace": "a"}, "spec": {"containers": []}}, Pod)
        for name in ("proxy", "other")
    ]
    raw = {"nodes": [{"count": 2, "staticPods": ["proxy"]}, {"name": "big"}]}
    other, *mirrors = mirrored(pods, decode(raw, Cluster))
    assert other == pods[1]
    assert [pod.metadata.name for pod in mirrors] == ["proxy-node-1", "proxy-node-2"]
    assert [pod.spec.node_name for pod in mirrors] == ["node-1", "node-2"]
    assert all(MIRROR in pod.metadata.annotation_map() for pod in mirrors)
