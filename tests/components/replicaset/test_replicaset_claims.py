"""Adoption and release: what the ReplicaSet controller claims, as decided and as explored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from budgeted import kind, nodes_of, reachable, steps, verdicts
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.cluster.owners import controller_of
from kubelemma.model.cluster.state import ACTIVE, IDLE
from kubelemma.model.components.replicaset.decision import Claim, claim
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.question import STDIN, Question, ask

Raw = dict[str, Any]

WEB, OTHER = {"app": "web"}, {"app": "other"}


def template(labels: Raw, **spec: Any) -> Raw:
    """A pod template."""
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "web", "image": "web:1"}], **spec},
    }


def replica_set(name: str, labels: Raw, replicas: int = 1, **spec: Any) -> Raw:
    """A ReplicaSet that nobody controls."""
    selector = {"matchLabels": labels}
    made = template(labels, **spec)
    return kind("apps/v1", "ReplicaSet", name, replicas=replicas, selector=selector, template=made)


def lone(name: str, labels: Raw, **spec: Any) -> Raw:
    """A pod that nobody controls, of another image than those of ReplicaSets."""
    made = template(labels, **spec)
    made["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "10m"}}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made["spec"]}


def scenario(*documents: Raw, events: tuple[Raw, ...] = (), **spec: Any) -> Scenario:
    """What is found of these documents, checked together."""
    names = [raw["metadata"]["name"] for raw in documents if raw["kind"] != "Pod"]
    cluster = {"nodes": [{"count": 2, "allocatable": {"cpu": "4"}}]}
    whole = {"cluster": cluster, "events": list(events), "together": names, **spec}
    check = kind("kubelemma.dev/v1alpha1", "Check", "small", **whole)
    text = yaml.safe_dump_all([*documents, check])
    (case,) = ask(Question(paths=(STDIN,), stdin=text)).cases
    return case.scenario


def owners(found: Scenario, state: State) -> Counter[str]:
    """How many active pods each owner has, and nobody."""
    counts: Counter[str] = Counter()
    for pod_class, number in active(found, state).items():
        owner = controller_of(found.world.classes[pod_class].pod.metadata)
        counts[owner.name if owner else "nobody"] += number
    return +counts


def active(found: Scenario, state: State) -> Counter[int]:
    """How many active pods there are of each class."""
    counts: Counter[int] = Counter()
    for node in nodes_of(found, state):
        for group in node.pods:
            counts[group.pod_class] += group.size if group.phase in ACTIVE else 0
    for workload in found.world.workloads:
        queue = state[found.system.positions[workload.queue].start]
        counts.update(dict(zip(workload.classes, queue.waiting, strict=True)))
    return counts


def ends(found: Scenario) -> Iterator[State]:
    """The states in which nobody but users and faults can act."""
    for state in reachable(found):
        if all(step.rule.environment for step in found.system.successors(state)):
            yield state


# The decision

ORPHAN = {"owned": False, "matches": True, "has_controller": False}


@pytest.mark.parametrize(
    ("given_as", "made_of_it"),
    [
        ({"owned": True, "matches": True, "has_controller": True}, Claim.KEEP),
        ({"owned": True, "matches": True, "has_controller": True, "deleting": True}, Claim.KEEP),
        ({"owned": True, "matches": False, "has_controller": True}, Claim.RELEASE),
        ({"owned": True, "matches": False, "has_controller": True, "deleting": True}, Claim.IGNORE),
        ({"owned": False, "matches": True, "has_controller": True}, Claim.IGNORE),
        (ORPHAN, Claim.ADOPT),
        ({"owned": False, "matches": False, "has_controller": False}, Claim.IGNORE),
        (
            {"owned": False, "matches": True, "has_controller": False, "deleting": True},
            Claim.IGNORE,
        ),
        (
            {"owned": False, "matches": True, "has_controller": False, "terminating": True},
            Claim.IGNORE,
        ),
    ],
)
def test_claims(given_as: dict[str, bool], made_of_it: Claim) -> None:
    """Each way through ClaimObject of controller_ref_manager.go."""
    assert claim(**given_as) is made_of_it


@given(st.fixed_dictionaries(dict.fromkeys(("matches", "deleting", "terminating"), st.booleans())))
def test_nothing_of_others_is_claimed(facts: dict[str, bool]) -> None:
    """What somebody else controls is left alone, and nobody releases what is not their own."""
    assert claim(owned=False, has_controller=True, **facts) is Claim.IGNORE
    assert claim(owned=False, has_controller=False, **facts) in (Claim.ADOPT, Claim.IGNORE)


# Adoption


def test_an_orphan_is_adopted_and_one_too_many_goes() -> None:
    """A lone pod that matches is one of its own, and then there is one pod too many."""
    found = scenario(replica_set("web", WEB), lone("by-hand", WEB))
    assert owners(found, found.system.initial) == {"web": 1, "nobody": 1}
    assert {tuple(owners(found, state).items()) for state in ends(found)} == {(("web", 1),)}
    assert verdicts(found, "RS-1", "RS-3", "RS-5") == dict.fromkeys(
        ("RS-1", "RS-3", "RS-5"), "holds"
    )


def test_an_orphan_without_a_node_is_adopted() -> None:
    """A pod that waits for a node is claimed like any other."""
    gates = [{"name": "wait"}]
    found = scenario(replica_set("web", WEB, replicas=2), lone("gated", WEB, schedulingGates=gates))
    assert {step.outcome.action for _, step in steps(found, "adopt-pod")} == {"adopt-pod"}
    assert {sum(owners(found, state).values()) for state in ends(found)} == {2}


def test_of_two_whose_selectors_overlap_the_first_has_it() -> None:
    """Either may be first, and no pod ever has two controllers."""
    found = scenario(replica_set("web", WEB), replica_set("api", WEB), lone("by-hand", WEB))
    adopters = {dict(step.outcome.arguments)["becomes"] for _, step in steps(found, "adopt-pod")}
    assert {found.world.classes[int(c)].workload for c in adopters} == {0, 1}
    for state in reachable(found):
        assert sum(owners(found, state).values()) >= 2
    for described in found.world.classes:
        references = described.pod.metadata.owner_references or ()
        assert sum(bool(owner.controller) for owner in references) <= 1
    assert verdicts(found, "RS-1", "RS-3") == {"RS-1": "holds", "RS-3": "holds"}


def test_pods_of_others_and_of_other_namespaces_stand_by() -> None:
    """Whoever has a controller, other labels or another namespace is nothing to claim."""
    away = lone("away", WEB)
    away["metadata"]["namespace"] = "elsewhere"
    taken = lone("taken", WEB)
    reference = {"apiVersion": "v1", "kind": "ReplicaSet", "name": "gone", "uid": "1"}
    taken["metadata"]["ownerReferences"] = [{**reference, "controller": True}]
    found = scenario(replica_set("web", WEB), away, taken, lone("other", OTHER))
    assert [workload.kind for workload in found.world.workloads] == ["ReplicaSet"]
    assert sum(len(shape.standing) for shape in found.world.shapes) >= 1


def test_a_hash_keeps_the_pods_of_deployments_apart() -> None:
    """A ReplicaSet of a Deployment adopts a pod that bears its hash, and no other."""
    made = template(WEB)
    selector = {"matchLabels": WEB}
    web = kind("apps/v1", "Deployment", "web", replicas=1, selector=selector, template=made)
    plain = scenario(web, lone("plain", WEB))
    assert len(plain.world.workloads) == 1
    hashed = scenario(web, lone("hashed", {**WEB, "pod-template-hash": "v1"}))
    assert [step.outcome.action for _, step in steps(hashed, "adopt-pod")]


# Release


RELABEL = {"relabel": {"workload": "web"}}


def test_a_released_pod_stays_and_is_replaced() -> None:
    """Its former owner makes another one, and nobody deletes what nobody owns."""
    found = scenario(replica_set("web", WEB, 2), events=(RELABEL,))
    after = {tuple(sorted(owners(found, state).items())) for state in ends(found)}
    assert after == {(("web", 2),), (("nobody", 1), ("web", 2))}
    assert verdicts(found, "RS-1")["RS-1"] == "holds"


def test_a_released_pod_may_find_another_owner() -> None:
    """Where the new label is that of somebody else, that one adopts it."""
    event = {"relabel": {"workload": "web", "label": "app=other"}}
    found = scenario(replica_set("web", WEB), replica_set("other", OTHER), events=(event,))
    assert {tuple(sorted(owners(found, state).items())) for state in ends(found)} == {
        (("other", 1), ("web", 1)),
    }
    assert verdicts(found, "RS-3", "RS-5") == {"RS-3": "holds", "RS-5": "holds"}


def test_claims_come_first_in_a_sync() -> None:
    """No sync counts while there is something to claim, and one that has counted goes on."""
    scale = {"scale": {"workload": "web", "replicas": 3}}
    found = scenario(replica_set("web", WEB), lone("by-hand", WEB), events=(RELABEL, scale))
    (own, *_) = found.world.owners
    at = found.system.positions[own.sync(0)].start
    for state, step in steps(found, "decide", "count-pods", "adopt-pod", "release-pod"):
        assert state[at] == IDLE
        possible = {other.outcome.action for other in found.system.successors(state)}
        if step.outcome.action in ("decide", "count-pods"):
            assert not possible & {"adopt-pod", "release-pod"}


def test_a_victim_that_is_relabelled_goes_all_the_same() -> None:
    """What its sync had chosen is deleted by its name, whatever has become of its labels."""
    scale = {"scale": {"workload": "web", "replicas": 0}}
    found = scenario(replica_set("web", WEB), events=(RELABEL, scale))
    lost = {
        found.world.classes[int(dict(step.outcome.arguments)["class"])].pod.metadata.labels == WEB
        for _, step in steps(found, "delete-pod")
    }
    assert lost == {True, False}
    assert verdicts(found, "RS-5")["RS-5"] == "holds"


def test_a_restart_forgets_nothing_about_owners() -> None:
    """Owners are in the API: a controller manager that restarts finds them there."""
    faults = {"controllerRestarts": 1}
    found = scenario(replica_set("web", WEB), lone("by-hand", WEB), faults=faults)
    asked = verdicts(found, "RS-1", "RS-3", "RS-5")
    assert set(asked.values()) == {"holds"}


# What is refused


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("", None),
        ("app-", None),
        ("app=other", None),
        ("tier=back", "leaves a pod matched by the selector of ReplicaSet default/web"),
        ("app", "is neither KEY=VALUE nor KEY-"),
        ("app=a b", "is no valid label value"),
    ],
)
def test_labels(label: str, said: str | None) -> None:
    """Only a change by which the owner loses the pod is one that the event is about."""
    event = {"relabel": {"workload": "web", **({"label": label} if label else {})}}
    if said is None:
        assert scenario(replica_set("web", WEB), events=(event,))
        return
    with pytest.raises(Exception, match="relabel") as refused:
        scenario(replica_set("web", WEB), events=(event,))
    assert said in str(refused.value)
