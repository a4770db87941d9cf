"""What ``place`` and ``check`` refuse as the API server's admission would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from kubelemma.cli.exit import ExitCode
from kubelemma.placing.plan import plan, read

Kubelemma: TypeAlias = Callable[..., Any]
Raw: TypeAlias = dict[str, Any]

NODE: Raw = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"kubernetes.io/hostname": "n1"}},
    "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
}
CONTAINERS = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]


def pod(uid: str = "", **spec: Any) -> Raw:
    """A pod; with a uid it is one that a cluster has."""
    metadata = {"name": "new", **({"uid": uid} if uid else {})}
    spec = {"containers": CONTAINERS, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def workload(name: str, uid: str = "", **spec: Any) -> Raw:
    """A Deployment of one such pod."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": CONTAINERS, **spec}}
    own = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, **({"uid": uid} if uid else {})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": own}


def of_class(name: str, value: int, **more: Any) -> Raw:
    """A PriorityClass."""
    head = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**head, "metadata": {"name": name}, "value": value, **more}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    """Writes objects to a file and gives its name."""

    def write(*objects: Raw) -> str:
        path = tmp_path / "cluster.yaml"
        path.write_text(yaml.safe_dump_all((NODE, *objects)), "utf-8")
        return str(path)

    return write


USUAL = of_class("usual", 3, globalDefault=True)


@pytest.mark.parametrize(
    ("spec", "classes", "computed"),
    [
        ({"priority": 5}, (), 0),
        ({"priority": 5, "priorityClassName": "high"}, (of_class("high", 7),), 7),
        ({"priority": 5, "priorityClassName": "system-node-critical"}, (), 2000001000),
        ({"priority": 5}, (USUAL,), 3),
        ({"priority": 7, "priorityClassName": "high"}, (of_class("high", 7),), None),
        ({"priority": 5, "priorityClassName": "elsewhere"}, (), None),
        ({"priority": 0}, (), None),
    ],
)
def test_priorities_are_for_admission_to_give(
    kubelemma: Kubelemma,
    written: Callable[..., str],
    spec: Raw,
    classes: tuple[Raw, ...],
    computed: int | None,
) -> None:
    """A pod that says another priority than its class has is refused, where it is written."""
    for asked, path in (
        (pod(**spec), "spec.priority"),
        (workload("new", **spec), "spec.template.spec.priority"),
    ):
        found = kubelemma("place", written(*classes, asked))
        words = (
            f": {path}: the integer value of priority ({spec['priority']}) must not be provided in "
            f"pod spec; priority admission controller computed {computed} from the given"
        )
        assert (words in " ".join(found.err.split())) == (computed is not None), found.err
        assert (found.code == ExitCode.USAGE) == (computed is not None)


def test_checks_refuse_the_same(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """As does a placement: with the file and the line."""
    path = written(workload("web"), workload("new", priority=5))
    found = kubelemma("check", path)
    assert found.code == ExitCode.USAGE
    assert f"{path}:" in found.err
    assert "spec.template.spec.priority: the integer value of priority (5)" in found.err


def test_what_is_stored_was_admitted(kubelemma: Kubelemma, written: Callable[..., str]) -> None:
    """A pod that a cluster has is what it is; of a workload that is there, it is listed."""
    assert kubelemma("place", written(pod("u", priority=5))).code == ExitCode.OK
    found = kubelemma("place", written(workload("new", "u", priority=5)))
    assert found.code == ExitCode.OK
    assert "its pods are refused (the integer value of priority (5)" in " ".join(found.out.split())


def test_preemption_policies_are_for_admission_to_give(
    kubelemma: Kubelemma, written: Callable[..., str]
) -> None:
    """A class has one; a pod without a class may have its own."""
    spec = {"preemptionPolicy": "Never"}
    for classes, more in (((of_class("high", 7),), {"priorityClassName": "high"}), ((USUAL,), {})):
        found = kubelemma("place", written(*classes, pod(**spec, **more)))
        assert found.code == ExitCode.USAGE
        assert (
            "spec.preemptionPolicy: the string value of PreemptionPolicy (Never) must not be "
            "provided in pod spec; priority admission controller computed PreemptLowerPriority"
        ) in " ".join(found.err.split())
    assert kubelemma("place", written(pod(**spec))).code == ExitCode.OK


def test_a_hash_in_a_template_is_overwritten(written: Callable[..., str]) -> None:
    """It does not tell the template of a Deployment from that of its ReplicaSet."""
    deployment = workload("web", "u")
    deployment["spec"]["template"]["metadata"]["labels"] = {"app": "web", "pod-template-hash": "x"}
    labels = {"app": "web", "pod-template-hash": "abc"}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u"}
    replica_set = workload("web-abc", "r")
    replica_set["kind"] = "ReplicaSet"
    replica_set["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    replica_set["metadata"]["labels"] = labels
    replica_set["spec"]["selector"]["matchLabels"] = labels
    replica_set["spec"]["template"]["metadata"]["labels"] = labels
    (found,) = read([written(deployment, replica_set)])
    (template,) = plan(found).templates.values()
    assert template.pod.metadata.label_map() == labels
