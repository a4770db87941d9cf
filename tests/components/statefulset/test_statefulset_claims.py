"""The claims of a StatefulSet's pods: what they are called, and when they are made."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from budgeted import kind, verdicts
from storing import reachable, stock, stored_in

from kubelemma import api
from kubelemma.model.cluster.state import Queue
from kubelemma.model.cluster.storage import ClaimPhase, ClaimState
from kubelemma.model.components.kubelet.actions import START
from kubelemma.model.components.statefulset.decision import SetView, update_stateful_set
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Question, ask
from kubelemma.solver.result import Verdict

Raw = dict[str, Any]

ONE_NODE = """
kind: Check
apiVersion: kubelemma.dev/v1alpha1
metadata: {name: claims}
spec:
  cluster: {nodes: [{count: 1, allocatable: {cpu: "4", memory: 8Gi, pods: "9"}}]}
"""
CLAIM: Raw = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def db(replicas: int = 2, **spec: Any) -> Raw:
    """A StatefulSet whose pods have a claim ``data`` each, and such a volume in its template."""
    labels = {"app": "db"}
    pod = {
        "containers": [{"name": "db", "image": "db:1"}],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }
    fields: Raw = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": CLAIM}],
        **spec,
    }
    return kind("apps/v1", "StatefulSet", "db", replicas=replicas, **fields)


def scenario(*documents: Raw, events: tuple[Raw, ...] = ()) -> Scenario:
    """Such documents on one node, where this may happen."""
    check = yaml.safe_load(ONE_NODE)
    check["spec"]["events"] = list(events)
    text = yaml.safe_dump_all([check, *documents])
    (case,) = ask(Question(paths=(STDIN,), stdin=text)).cases
    return case.scenario


def scaled(replicas: int) -> Raw:
    """The StatefulSet is scaled."""
    return {"scale": {"workload": "db", "replicas": replicas}}


def claims_at_start(found: Scenario) -> tuple[ClaimState, ...]:
    """What there is of its claims before anything happens."""
    return stored_in(found, stock(found), found.system.initial).claims


def test_names() -> None:
    """A claim is called after its template, the set and the ordinal, and overrides a volume."""
    found = scenario(db(ordinals={"start": 3}))
    assert [claim.key[1] for claim in stock(found).claims] == ["data-db-3", "data-db-4"]
    volumes = found.world.classes[0].pod.spec.volumes or ()
    assert [volume.name for volume in volumes] == ["data", "tmp"]
    assert volumes[0].persistent_volume_claim is not None


def test_start() -> None:
    """Claims of pods that are there are bound; those of further ordinals are not there."""
    first, second = claims_at_start(scenario(db(1), events=(scaled(2),)))
    assert first.present
    assert first.phase is ClaimPhase.BOUND
    assert not second.present


def test_a_claim_of_the_input_is_used() -> None:
    """It is there before its pod, with its own class."""
    spec = {**CLAIM, "storageClassName": "own"}
    claim = kind("v1", "PersistentVolumeClaim", "data-db-0", **spec)
    found = scenario(db(0), claim, events=(scaled(1),))
    (state,) = claims_at_start(found)
    assert state.present
    (followed,) = stock(found).claims
    assert followed.claim is not None
    assert followed.claim.spec.storage_class_name == "own"
    assert followed.given


def test_claims_come_with_their_pods() -> None:
    """No pod is ever there before its claims; in the end all are bound, and none goes again."""
    found = scenario(db(0), events=(scaled(2),))
    (workload,) = found.world.owners
    at = found.system.positions[workload.queue].start
    states = reachable(found.system)
    for state in states:
        queue = state[at]
        assert isinstance(queue, Queue)
        claims = stored_in(found, stock(found), state).claims
        waiting = zip(workload.classes, queue.waiting, strict=True)
        used = (stock(found).uses[c] for c, number in waiting if number)
        assert all(claims[claim].present for own in used for claim in own)
    ends = [state for state in states if not any(found.system.successors(state))]
    settled = [stored_in(found, stock(found), state).claims for state in ends]
    assert any(all(claim.phase is ClaimPhase.BOUND for claim in claims) for claims in settled)


def test_a_claim_that_is_deleted_is_made_anew() -> None:
    """It gets no volume of the one before it; and all members come back."""
    found = scenario(db(1), events=({"deleteClaim": {}}, {"deletePod": {"workload": "db"}}))
    assert verdicts(found)["STS-7"]
    names = {
        step.outcome.action for s in reachable(found.system) for step in found.system.successors(s)
    }
    assert {"remove-claim", "create-claim"} <= names


def test_no_pod_is_made_while_its_claim_goes() -> None:
    """An ordered sync waits there; another one passes over it."""
    view = SetView(2, "v1", "v1", blocked=frozenset({0}))
    ordered = update_stateful_set(view, ())
    assert ordered.acts == ()
    assert ordered.waits == 0
    parallel = update_stateful_set(view._replace(ordered=False), ())
    assert [act.ordinal for act in parallel.acts] == [1]
    assert ordered.status.replicas == 0


def ends_of(found: Scenario) -> list[tuple[ClaimState, ...]]:
    """The claims wherever nobody can act any more."""
    states = (s for s in reachable(found.system) if not any(found.system.successors(s)))
    return [stored_in(found, stock(found), state).claims for state in states]


def test_claims_go_with_their_pods() -> None:
    """With ``whenScaled: Delete`` a scale-down takes the claim of the pod that goes, no other."""
    policy = {"whenScaled": "Delete"}
    found = scenario(db(2, persistentVolumeClaimRetentionPolicy=policy), events=(scaled(1),))
    there = {tuple(claim.present for claim in claims) for claims in ends_of(found)}
    assert there == {(True, False)}


def test_claims_stay_without_a_policy() -> None:
    """A scale-up finds the claim with the volume that a scale-down left."""
    found = scenario(db(2), events=(scaled(1), scaled(2)))
    assert all(claim.phase is ClaimPhase.BOUND for claims in ends_of(found) for claim in claims)
    assert verdicts(found)["STS-6"] == "holds"


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
@pytest.mark.parametrize("reclaim", ["Delete", "Retain"])
def test_a_member_comes_back_with_an_empty_volume(policy: str, reclaim: str) -> None:
    """What is wanted back goes all the same; in the end all members have claims that are bound."""
    of_class = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    disk = {**of_class, "metadata": {"name": "disk"}, "provisioner": "ebs.csi.aws.com"}
    template = {"metadata": {"name": "data"}, "spec": {**CLAIM, "storageClassName": "disk"}}
    owner = db(
        3,
        podManagementPolicy=policy,
        persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"},
        volumeClaimTemplates=[template],
    )
    found = scenario(owner, {**disk, "reclaimPolicy": reclaim}, events=(scaled(1), scaled(3)))
    said = verdicts(found)
    assert {name: verdict for name, verdict in said.items() if verdict != "holds"} == {
        "STS-6": "violated"
    }


def test_a_member_that_waits_for_its_volume_is_no_second_one() -> None:
    """Two of one name run once containers of both do: not while one waits for its volume."""
    check = yaml.safe_load(ONE_NODE)
    check["spec"]["cluster"]["nodes"][0]["count"] = 2
    check["spec"]["events"] = [{"deleteNode": {"node": "node-1"}}]
    check["spec"]["properties"] = ["STS-1"]
    text = yaml.safe_dump_all([check, db(2)])
    (case,) = ask(Question(paths=(STDIN,), stdin=text)).cases
    (found,) = api.explore(case).result.properties
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    last = found.trace.steps[-1]
    assert last.outcome.action == START
