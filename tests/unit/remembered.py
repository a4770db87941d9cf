"""A small case as plain data, for the tests of what is remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import yaml

from kubelemma.question import Case, Question, ask

Data: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Data], object]


def deployment(name: str = "web") -> Data:
    """Two replicas that must not share a node."""
    labels = {"app": name}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    container = {"name": "c", "image": "c:1", "resources": {"requests": {"cpu": "100m"}}}
    spec = {
        "containers": [container],
        "affinity": {"podAntiAffinity": {required: [term]}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def check(nodes: int = 2, **spec: object) -> Data:
    """A rollout of it on two nodes, which cannot complete."""
    return {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Check",
        "metadata": {"name": "two-nodes"},
        "spec": {
            "cluster": {"nodes": [{"count": nodes, "allocatable": {"cpu": "4"}}]},
            "events": [{"rollout": {"deployment": "web"}}],
            **spec,
        },
    }


def case_of(*documents: Data, text: str = "", **asked: Any) -> Case:
    """The one case of a question about these documents."""
    (case,) = cases_of(*documents, text=text, **asked)
    return case


def cases_of(*documents: Data, text: str = "", **asked: Any) -> tuple[Case, ...]:
    """All of them."""
    stream = text or yaml.safe_dump_all(documents)
    return ask(Question(paths=("-",), stdin=stream, **asked)).cases


def changed(change: Change, **asked: Any) -> Case:
    """The case after a change of its Deployment."""
    document = deployment()
    change(document)
    return case_of(document, check(), **asked)


def container(document: Data) -> Data:
    """Its container."""
    found: Data = document["spec"]["template"]["spec"]["containers"][0]
    return found
