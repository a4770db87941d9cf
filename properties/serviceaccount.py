"""What service accounts promise: SA-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.components.replicaset.actions import CREATE_POD
from kubelemma.model.components.serviceaccount.decision import DEFAULT, NAMESPACE
from kubelemma.model.components.serviceaccount.rules import (
    account_of_workload,
    exists_name,
    followed,
)
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges, EachStep
from .statement import Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/concepts/security/service-accounts/"
_CONTROLLER = "pkg/controller/serviceaccount/serviceaccounts_controller.go"
_ADMISSION = "plugin/pkg/admission/serviceaccount/admission.go"
_NONE = "None on the user's side: this is an invariant of {} itself."

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="SA-1",
        title="Every namespace has its default account",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="An active namespace has a ServiceAccount default in the end, and keeps it.",
        why="Pods that name no account have this one, and are refused without it.",
        conditions="Users and faults stop in the end.",
        source=f"{_DOCS}#default-service-accounts; {_CONTROLLER}",
        components=("serviceaccount-controller",),
        remediation=_NONE.format("the controller"),
        defect_only=True,
    ),
    Statement(
        id="SA-2",
        title="No pod without its account",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement="A pod is stored only while its ServiceAccount exists.",
        why="It would run with an identity that nobody can be granted rights for.",
        conditions="As the API server finds the account when the pod is created.",
        source=f"{_DOCS}; {_ADMISSION}",
        components=("api-server",),
        remediation=_NONE.format("the API server"),
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked where somebody may delete an account."""
    accounts = followed(scenario.events)
    for account in accounts:
        if account.name == DEFAULT:
            view = View(reads=(exists_name(account),))
            there = Converges(view, lambda exists: bool(exists[0]))
            yield from asked(STATEMENTS, f"{NAMESPACE} {account.namespace}", {"SA-1": there})
    for workload in scenario.world.workloads:
        account = account_of_workload(scenario.world, workload)
        if workload.templates and account in accounts:
            view = View(reads=(exists_name(account),))
            stored = EachStep(view, _existed, frozenset({CREATE_POD}))
            yield from asked(STATEMENTS, workload.cell, {"SA-2": stored})


def _existed(before: tuple[Any, ...], _action: str, _after: tuple[Any, ...]) -> bool:
    return bool(before[0][0])
