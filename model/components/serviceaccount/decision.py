"""The ServiceAccount controller, and what admission makes of an account that is not there.

Sources: pkg/controller/serviceaccount/serviceaccounts_controller.go, ``syncNamespace``;
plugin/pkg/admission/serviceaccount/admission.go, ``Admit``.
"""

from __future__ import annotations

from typing import NamedTuple

from kubelemma.model.components.reconcile.declarations import controller
from kubelemma.model.components.reconcile.objects import Cluster, Object
from kubelemma.model.components.reconcile.requests import Request, create
from kubelemma.model.objects.pod import PodSpec

NAMESPACE = "Namespace"
SERVICE_ACCOUNT = "ServiceAccount"
DEFAULT = "default"
"""The account that every namespace has, and that a pod has which names none."""
ACTIVE = "Active"
"""The phase of a namespace that nobody has deleted."""


class Account(NamedTuple):
    """Which account is meant."""

    namespace: str
    name: str = DEFAULT

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@controller(reconciles=NAMESPACE, reads=(SERVICE_ACCOUNT,))
def serviceaccount_controller(namespace: Object, cluster: Cluster) -> Request | None:
    """Create the account ``default`` of a namespace where its cache shows none.

    An answer that there is one already is as good as the account.
    """
    if namespace.status.get("phase") != ACTIVE:
        return None
    if cluster.get(SERVICE_ACCOUNT, DEFAULT, namespace.name) is not None:
        return None
    return create(SERVICE_ACCOUNT, DEFAULT, namespace=namespace.name)


def account_of(namespace: str, spec: PodSpec) -> Account:
    """The account of a pod: admission fills in the default."""
    return Account(namespace, spec.service_account_name or DEFAULT)


def refusal(account: Account, *, exists: bool) -> str:
    """Why a pod of this account is not stored, in the API server's words; empty where it is."""
    if exists:
        return ""
    found = f'serviceaccount "{account.name}" not found'
    return f"error looking up service account {account}: {found}"
