"""What holds of applying objects, whatever they are."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.applying import Applying, applying_of
from kubelemma.model.manifests import InvalidInput, Manifests, Source, load
from kubelemma.model.manifests.differences import MOST_TOLD, differing, told
from kubelemma.recording import stream
from kubelemma.testing.strategies.workloads import deployments

Manifest = dict[str, Any]


@st.composite
def versions(draw: st.DrawFn) -> tuple[Manifest, Manifest]:
    """Two Deployments of one name, selector and labels."""
    old, new = draw(deployments()), draw(deployments())
    new["metadata"] = copy.deepcopy(old["metadata"])
    new["spec"]["selector"] = copy.deepcopy(old["spec"]["selector"])
    new["spec"]["template"]["metadata"] = copy.deepcopy(old["spec"]["template"]["metadata"])
    return old, new


def read(*documents: Manifest) -> Manifests:
    """The documents as they are read."""
    return load([Source("in.yaml", stream(documents))])


def applied(base: Manifests, new: Manifests) -> Applying:
    """What becomes of the base."""
    return applying_of(base, new, prune=False)


def specs(manifests: Manifests) -> list[Any]:
    """What the objects say, as plain data."""
    return [msgspec.to_builtins(m.object, enc_hook=str) for m in manifests.objects]


@given(versions())
def test_to_apply_again_changes_nothing(both: tuple[Manifest, Manifest]) -> None:
    """It is there already, and stays as it is."""
    old, new = map(read, both)
    after = applied(old, new).after
    again = applied(after, new)
    assert not again.has_steps
    assert specs(again.after) == specs(after)


@given(versions())
def test_to_apply_what_was_there_before_goes_back(both: tuple[Manifest, Manifest]) -> None:
    """Manifests count as applied, so what they leave out is taken away."""
    old, new = map(read, both)
    back = applied(applied(old, new).after, old).after
    assert not list(differing(specs(back), specs(old)))


@given(versions())
def test_what_comes_out_is_what_was_applied(both: tuple[Manifest, Manifest]) -> None:
    """Nothing is left of manifests that others replace; an empty list is none, as in a patch."""
    old, new = map(read, both)
    found = differing(specs(applied(old, new).after), specs(new))
    none = (None, ())
    assert not [d for d in found if d.before not in none or d.after not in none]


@given(versions())
def test_what_differs_is_told_shortly(both: tuple[Manifest, Manifest]) -> None:
    """At most so many differences are told, whatever they are."""
    old, new = map(read, both)
    found = tuple(differing(*(specs(m)[0]["spec"] for m in (old, new)), ("spec",)))
    assert told(found).count("→") <= MOST_TOLD
    assert bool(told(found)) == bool(found)


POD: Manifest = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "lone"},
    "spec": {"containers": [{"name": "c", "image": "x:1"}]},
}


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ({"activeDeadlineSeconds": 5}, ""),
        ({"tolerations": [{"key": "a", "operator": "Exists"}]}, ""),
        ({"nodeSelector": {"a": "b"}}, "pod updates may not change fields other than"),
        ({"hostNetwork": True}, "pod updates may not change fields other than"),
        ({"schedulingGates": [{"name": "a.b/c"}]}, "found new scheduling gate 'a.b/c'"),
    ],
)
def test_few_fields_of_a_pod_may_change(spec: Manifest, refused: str) -> None:
    """The API server refuses all others."""
    new = {**POD, "spec": {**POD["spec"], **spec}}
    if not refused:
        found = applied(read(POD), read(new))
        assert not found.has_steps
        assert "Pod default/lone" in found.aside[0]
        return
    with pytest.raises(InvalidInput, match="Forbidden") as error:
        applied(read(POD), read(new))
    assert refused in str(error.value)


def test_tolerations_of_a_pod_only_become_more() -> None:
    """One that is there stays, but for its seconds."""
    mine = {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    old = {**POD, "spec": {**POD["spec"], "tolerations": [mine]}}
    longer = {**POD, "spec": {**POD["spec"], "tolerations": [{**mine, "tolerationSeconds": 9}]}}
    assert applied(read(old), read(longer)).aside
    with pytest.raises(InvalidInput, match="existing toleration can not be modified"):
        applied(read(old), read(POD))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("value", 5, "may not be changed"), ("preemptionPolicy", "Never", "field is immutable")],
)
def test_a_priority_class_keeps_its_value(field: str, value: object, said: str) -> None:
    """Whoever wants another one makes another class."""
    kind = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "high"},
        "value": 7,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    with pytest.raises(InvalidInput, match=said):
        applied(read(kind), read({**kind, field: value}))


CLAIM: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "disk",
        "resources": {"requests": {"storage": "5Gi"}},
    },
}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("accessModes", ["ReadWriteMany"], "spec is immutable after creation"),
        ("storageClassName", "share", "spec is immutable after creation"),
        ("resources", {"requests": {"storage": "1Gi"}}, "can not be less than status.capacity"),
    ],
)
def test_a_claim_keeps_what_it_asks_for(field: str, value: object, said: str) -> None:
    """It may only ask for more room."""
    with pytest.raises(InvalidInput, match=said):
        applied(read(CLAIM), read({**CLAIM, "spec": {**CLAIM["spec"], field: value}}))


def resized(size: str, **more: Any) -> dict[str, Any]:
    """The claim with another size; ``more`` are fields of its spec."""
    resources = {"requests": {"storage": size}}
    return {**CLAIM, "spec": {**CLAIM["spec"], "resources": resources, **more}}


@pytest.mark.parametrize(
    ("disk", "status", "size", "said"),
    [
        (None, {}, "9Gi", ""),
        ({"allowVolumeExpansion": True}, {}, "9Gi", ""),
        ({}, {}, "9Gi", r'"disk" has no allowVolumeExpansion: true'),
        (None, {"phase": "Pending"}, "9Gi", "spec is immutable after creation"),
        (None, {"phase": "Bound", "capacity": {"storage": "2Gi"}}, "3Gi", ""),
        (None, {"phase": "Bound", "capacity": {"storage": "2Gi"}}, "2Gi", "status.capacity"),
    ],
)
def test_a_claim_grows_where_its_class_lets_it(
    disk: dict[str, Any] | None, status: dict[str, Any], size: str, said: str
) -> None:
    """And an expansion that has not been done may be taken back; nothing is known of no class."""
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "d"}
    classes = [] if disk is None else [{**kind, "metadata": {"name": "disk"}, **disk}]
    old = [{**CLAIM, "status": status}, *classes]
    if not said:
        assert applied(read(*old), read(resized(size)))
        return
    with pytest.raises(InvalidInput, match=said):
        applied(read(*old), read(resized(size)))


def test_a_claim_of_no_class_does_not_grow() -> None:
    """Nobody has made its volume."""
    old = {**CLAIM, "spec": {**CLAIM["spec"], "storageClassName": ""}}
    with pytest.raises(InvalidInput, match="only dynamically provisioned pvc can be resized"):
        applied(read(old), read(resized("9Gi", storageClassName="")))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("nfs", {"server": "b", "path": "/"}, "spec.persistentvolumesource is immutable"),
        ("volumeMode", "Block", "field is immutable"),
        ("nodeAffinity", None, "spec.nodeAffinity: Invalid value: field is immutable"),
        ("persistentVolumeReclaimPolicy", "Delete", ""),
    ],
)
def test_a_volume_stays_where_it_is(field: str, value: Any, said: str) -> None:
    """Neither its source nor the nodes that reach it change."""
    zone = {"key": "zone", "operator": "In", "values": ["a"]}
    spec: dict[str, Any] = {
        "capacity": {"storage": "5Gi"},
        "accessModes": ["ReadWriteOnce"],
        "nfs": {"server": "a", "path": "/"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}},
    }
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"}}
    old, new = {**volume, "spec": spec}, {**volume, "spec": {**spec, field: value}}
    if not said:
        assert applied(read(old), read(new))
        return
    with pytest.raises(InvalidInput, match=said):
        applied(read(old), read(new))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("provisioner", "other", "updates to provisioner are forbidden"),
        ("reclaimPolicy", "Retain", "updates to reclaimPolicy are forbidden"),
        ("volumeBindingMode", "WaitForFirstConsumer", "field is immutable"),
    ],
)
def test_a_class_of_volumes_stays_as_it_is(field: str, value: object, said: str) -> None:
    """Whoever wants another one makes another class."""
    kind = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "disk"},
        "provisioner": "d",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }
    with pytest.raises(InvalidInput, match=said):
        applied(read(kind), read({**kind, field: value}))
