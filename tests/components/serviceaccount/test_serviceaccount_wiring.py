"""Accounts as they are explored: deleted, created again, and asked for when pods are created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from budgeted import CONTAINER, LABELS, kind, nodes_of, reachable, scenario, steps, verdicts

from kubelemma.model.components.reconcile.actions import CREATE, DOES, SYNC
from kubelemma.model.components.replicaset.keys import REPLICASET
from kubelemma.model.components.serviceaccount.decision import SERVICE_ACCOUNT
from kubelemma.model.components.serviceaccount.rules import ACCOUNTS
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.question import STDIN, Case, Question, ask
from kubelemma.solver.compiled import check

CONTROLLER = "serviceaccount-controller"
DELETION = {"deleteServiceAccount": {}}
MORE = {"scale": {"deployment": "web", "replicas": 3}}


def accounts(found: Scenario, state: State) -> list[str]:
    """The names of the accounts that exist."""
    return [account.name for account in state[found.system.positions[ACCOUNTS].start]]


def told(step: Any) -> str:
    """The sentence that a step brings along."""
    return str(dict(step.outcome.arguments).get(DOES, ""))


def test_it_is_there_only_where_it_can_matter() -> None:
    """Where nobody deletes an account there is no cell, no rule, and no promise of it."""
    quiet, followed = scenario(events=[MORE]), scenario(events=[MORE, DELETION])
    assert not any("ServiceAccount" in cell.name for cell in quiet.system.cells)
    assert CONTROLLER not in {rule.actor for rule in quiet.system.rules}
    assert CONTROLLER in {rule.actor for rule in followed.system.rules}
    assert verdicts(followed, "SA-1", "SA-2") == {"SA-1": "holds", "SA-2": "holds"}


def test_pods_are_refused_until_the_account_is_back() -> None:
    """A sync that is refused creates no more; another one tries again, and in the end succeeds."""
    found = scenario(events=[MORE, DELETION])
    refused = list(steps(found, "refuse-pod"))
    assert refused
    (workload,) = found.world.workloads
    for state, step in refused:
        assert accounts(found, state) == []
        assert step.rule.actor == REPLICASET
        at = found.system.positions[workload.sync(0)].start
        assert step.state[at].adds == 0 < state[at].adds
        assert step.state[at].status == state[at].status
    assert all(accounts(found, state) == ["default"] for state, _ in steps(found, "create-pod"))
    assert verdicts(found, "RS-1") == {"RS-1": "holds"}


def test_pods_that_run_go_on_without_an_account() -> None:
    """To delete an account touches no pod."""
    found = scenario(events=[DELETION])
    deletions = list(steps(found, "delete-serviceaccount"))
    assert deletions
    assert all(nodes_of(found, s.state) == nodes_of(found, state) for state, s in deletions)
    assert all(found.system.initial[0] == state[0] for state in reachable(found))


@pytest.mark.parametrize(
    ("account", "verdict"), [("default", "holds"), ("till", "violated"), ("other", "holds")]
)
def test_nobody_sees_to_other_accounts(account: str, verdict: str) -> None:
    """Pods that name an account of their own are refused for ever once that is gone."""
    deletion = {"deleteServiceAccount": {"name": account}}
    own = {"serviceAccountName": "till"} if account != "default" else {}
    found = scenario(events=[MORE, deletion], spec=own)
    assert verdicts(found, "RS-1") == {"RS-1": verdict}


def test_it_is_run_like_a_controller_of_users() -> None:
    """Its caches lag, so it sends what is refused; and a restart forgets its sync."""
    faults = {"staleReads": 1, "controllerRestarts": 1}
    found = scenario(events=[DELETION], faults=faults)
    (controller,) = found.custom.controllers
    assert (controller.name, controller.workers) == (CONTROLLER, 1)
    creations = [step for _, step in steps(found, CREATE) if step.rule.actor == CONTROLLER]
    assert {told(step).split(" ServiceAccount")[0] for step in creations} == {
        "creates",
        "tries to create and is refused:",
    }
    forgotten = [
        (state, step)
        for state, step in steps(found, "forget")
        if step.rule.actor == CONTROLLER and "forgets its sync" in step.outcome.why
    ]
    assert forgotten
    slot = found.system.positions[f"sync of {CONTROLLER}"].start
    assert all(state[slot] is not None and s.state[slot] is None for state, s in forgotten)
    assert not any("event" in rule.name and "restart" in rule.name for rule in restarts(found))


def restarts(found: Scenario) -> list[Any]:
    """The rules by which single controllers restart by themselves."""
    return [rule for rule in found.system.rules if rule.name == f"{CONTROLLER} restarts"]


USERS = '''
from kubelemma.extending import Cluster, Object, controller, patch

@controller(reconciles="Deployment", reads=("ServiceAccount",))
def pauser(deployment: Object, cluster: Cluster):
    """Pause where there is no account."""
    gone = cluster.get("ServiceAccount", "default") is None
    if gone != deployment.spec["paused"]:
        return patch(deployment, spec={"paused": gone})
'''


def loaded(folder: Path, code: str) -> Case:
    """The scenario of one Deployment, an account that is deleted, and what a file brings."""
    file = folder / "loaded.py"
    file.write_text(code, "utf-8")
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
    selector = {"matchLabels": LABELS}
    cluster = {"nodes": [{"count": 2, "allocatable": {"cpu": "4"}}]}
    documents = [
        kind("apps/v1", "Deployment", "web", replicas=1, selector=selector, template=template),
        kind("kubelemma.dev/v1alpha1", "Check", "c", cluster=cluster, events=[DELETION]),
    ]
    text = yaml.safe_dump_all(documents)
    question = Question(paths=(STDIN,), stdin=text, load=(str(file),))
    (case,) = ask(question).cases
    return case


def test_a_controller_of_users_sees_the_same_objects(tmp_path: Path) -> None:
    """Two controllers in one machinery: what one creates the other one reads."""
    found = loaded(tmp_path, USERS).scenario
    assert {c.name for c in found.custom.controllers} == {"pauser", CONTROLLER}
    actors = {step.rule.actor for _, step in steps(found, SYNC)}
    assert {"pauser", CONTROLLER} <= actors
    assert SERVICE_ACCOUNT in found.custom.kinds
    assert found.subject == "Deployment default/web, pauser"


PROMISE = '''
from kubelemma.extending import each_step

@each_step("ACC-1", "Accounts stay", reads=("ServiceAccount", "Deployment"))
def stay(before, after):
    """No account is ever less."""
    return len(after.all("ServiceAccount")) >= len(before.all("ServiceAccount"))
'''


def test_a_promise_of_users_is_asked_about_deletions(tmp_path: Path) -> None:
    """What an event of Kubernetes' own does to an object is a step that a property can see."""
    case = loaded(tmp_path, PROMISE)
    (own,) = (prop for prop in case.properties if prop.id == "ACC-1")
    (found,) = check(case.scenario.system, (own,)).properties
    assert found.trace is not None
    assert [step.outcome.action for step in found.trace.steps] == ["delete-serviceaccount"]
