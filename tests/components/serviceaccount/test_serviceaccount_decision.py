"""What the ServiceAccount controller sends, and what admission answers, by the code they follow."""

from __future__ import annotations

import pytest

from kubelemma.model.components.reconcile.calling import Sync, next_request
from kubelemma.model.components.reconcile.objects import Cluster, FrozenMap, Object
from kubelemma.model.components.reconcile.sources import answered
from kubelemma.model.components.serviceaccount.decision import (
    DEFAULT,
    NAMESPACE,
    SERVICE_ACCOUNT,
    Account,
    account_of,
    refusal,
    serviceaccount_controller,
)
from kubelemma.model.objects.pod import PodSpec

SHOP = Object(NAMESPACE, "", "shop", status=FrozenMap({"phase": "Active"}))
GOING = Object(NAMESPACE, "", "shop", status=FrozenMap({"phase": "Terminating"}))
OWN = Object(SERVICE_ACCOUNT, "shop", DEFAULT)
OTHERS = (
    Object(SERVICE_ACCOUNT, "shop", "till"),
    Object(SERVICE_ACCOUNT, "store", DEFAULT),
)


@pytest.mark.parametrize(
    ("namespace", "accounts", "creates"),
    [
        (SHOP, OTHERS, True),
        (SHOP, (), True),
        (SHOP, (*OTHERS, OWN), False),
        (GOING, (), False),
    ],
)
def test_it_sees_to_the_default_account(
    namespace: Object,
    accounts: tuple[Object, ...],
    creates: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """An active namespace that has no account called default gets one; others are nobody's."""
    cluster = Cluster({NAMESPACE: (namespace,), SERVICE_ACCOUNT: accounts})
    request = serviceaccount_controller.code.function(namespace, cluster)
    assert (str(request) if request else "") == ("create ServiceAccount shop/default" * creates)


def test_an_account_that_is_there_after_all_is_no_failure() -> None:
    """Its cache had not shown it: the API server says so, and the sync is over."""
    sync = Sync(SHOP.key, ((SHOP,), ()))
    request = next_request(serviceaccount_controller, sync)
    assert request is not None
    answer, objects = answered(request, (OWN,))
    assert objects == (OWN,)
    assert next_request(serviceaccount_controller, sync._replace(answers=(answer,))) is None


@pytest.mark.parametrize(("named", "wanted"), [("", DEFAULT), ("till", "till")])
def test_the_account_of_a_pod(named: str, wanted: str) -> None:
    """A pod that names none has the default one of its namespace."""
    assert account_of("shop", PodSpec(service_account_name=named)) == Account("shop", wanted)


def test_what_admission_says() -> None:
    """Nothing where the account exists, and what the API server says where it does not."""
    assert refusal(Account("shop"), exists=True) == ""
    assert refusal(Account("shop"), exists=False) == (
        'error looking up service account shop/default: serviceaccount "default" not found'
    )
