"""Accounts that somebody deletes, and pods that are refused for want of them.

The ServiceAccount controller is a reconcile function of namespaces: how it is run, what its caches
show and what a restart makes it forget is no matter of this room. Accounts are followed where
somebody may delete one; elsewhere all are there and stay.

A pod is refused when it is created, whoever creates it: here that is the ReplicaSet controller,
whose sync then creates no more pods, writes its status, and is tried again. Source:
pkg/controller/replicaset/replica_set.go, ``manageReplicas`` and ``slowStartBatch``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    EventKind,
    Parts,
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import USER
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.reconcile.declarations import Brought
from kubelemma.model.components.reconcile.objects import FrozenMap, Object, Objects, find
from kubelemma.model.components.reconcile.requests import delete, perform
from kubelemma.model.components.reconcile.sources import objects_cell
from kubelemma.model.components.replicaset.rules import creations
from kubelemma.model.components.serviceaccount.decision import SERVICE_ACCOUNT
from kubelemma.model.components.statefulset.keys import creating, sync_name
from kubelemma.model.system import Outcome, Rule, Tally

from .actions import ACTIONS, DELETE_SERVICE_ACCOUNT, REFUSE_POD
from .decision import (
    ACTIVE,
    DEFAULT,
    NAMESPACE,
    Account,
    account_of,
    refusal,
    serviceaccount_controller,
)

ACCOUNTS = objects_cell(SERVICE_ACCOUNT)
"""The cell with the accounts."""


def exists_name(account: Account) -> str:
    """The name of the tally that says whether an account exists."""
    return f"{SERVICE_ACCOUNT} {account} exists"


def followed(events: Iterable[Event]) -> tuple[Account, ...]:
    """The accounts that somebody may delete, and the default ones beside them, sorted."""
    named = [event.options for event in events if event.action == DELETE_SERVICE_ACCOUNT]
    return tuple(sorted({*named, *(Account(account.namespace) for account in named)}))


def _reconciles(setting: Setting) -> Brought:
    accounts = followed(setting.events)
    if not accounts:
        return Brought()
    phase = FrozenMap({"phase": ACTIVE})
    namespaces = sorted({account.namespace for account in accounts})
    found = replace(serviceaccount_controller, cluster_scoped=frozenset({NAMESPACE}), managed=True)
    return Brought(
        controllers=(found,),
        objects={
            NAMESPACE: tuple(Object(NAMESPACE, "", name, status=phase) for name in namespaces),
            SERVICE_ACCOUNT: tuple(Object(SERVICE_ACCOUNT, *account) for account in accounts),
        },
    )


def _tally(account: Account) -> Tally:
    def measure(objects: Objects) -> tuple[int]:
        return (int(find(objects, account) is not None),)

    return Tally(exists_name(account), {ACCOUNTS: measure}, 1)


# Admission


def account_of_workload(world: World, workload: Workload) -> Account:
    """The account of a workload's pods: all its templates name the same."""
    return account_of(workload.namespace, world.classes[workload.classes[0]].pod.spec)


def _overhears(setting: Setting, found: tuple[Rule, ...]) -> tuple[Rule, ...]:
    accounts = followed(setting.events)
    for workload in setting.world.workloads:
        account = account_of_workload(setting.world, workload)
        if account in accounts:
            created = creations(workload) | creating(workload)
            found = tuple(
                _admitted(rule, workload, account) if rule.name in created else rule
                for rule in found
            )
    return found


def _admitted(rule: Rule, workload: Workload, account: Account) -> Rule:
    """A rule that creates pods, which the API server stores only where their account exists."""
    syncs = (*workload.syncs, sync_name(workload))
    cell = next(cell for cell in rule.cells if cell in syncs)
    at = rule.cells.index(cell)

    def outcomes(*values: Any) -> Iterator[Outcome]:
        *seen, (exists,) = values
        why = refusal(account, exists=bool(exists))
        for outcome in rule.outcomes(*seen):
            if not why:
                yield outcome
                continue
            writes = {cell: seen[at].given_up()}
            yield Outcome(REFUSE_POD, writes, outcome.arguments, why)
            return

    return replace(rule, outcomes=outcomes, reads=(*rule.reads, exists_name(account)))


# The component


def _parts(setting: Setting) -> Parts:
    accounts = followed(setting.events)
    return Parts(tallies=tuple(map(_tally, accounts))) if accounts else NO_PARTS


def _deletion(_setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
    account: Account = event.options

    def outcomes(left: int, objects: Objects) -> Iterator[Outcome]:
        there = find(objects, account)
        if left and there is not None:
            after = perform(delete(there), objects).objects
            writes = {budget: left - 1, ACCOUNTS: after}
            about = (("account", str(account)),)
            yield Outcome(DELETE_SERVICE_ACCOUNT, writes, about, "kubectl delete serviceaccount")

    yield Rule(budget, USER, (budget, ACCOUNTS), outcomes, environment=True)


def _assumes(setting: Setting) -> Iterator[str]:
    accounts = followed(setting.events)
    if accounts:
        there = ", ".join(map(str, accounts))
        kept = f"the ServiceAccount controller sees to {DEFAULT} of each namespace"
        yield f"service accounts at the start: {there}; {kept}"


COMPONENT = Component(
    name="serviceaccount",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(EventKind(DELETE_SERVICE_ACCOUNT, _deletion, given="deleteServiceAccount"),),
    assumes=_assumes,
    reconciles=_reconciles,
    overhears=_overhears,
)
