"""What the service controller of a cloud does next, and about which Services."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.servicelb.decision import (
    Known,
    Next,
    checks_nodes,
    comes_to_know,
    next_step,
    wants_balancer,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.service import Service

KNOWN = st.builds(Known, *(st.booleans() for _ in Known._fields))


def service(**spec: object) -> Service:
    """A Service of this specification."""
    return decode({"metadata": {"name": "web"}, "spec": spec}, Service)


def after(known: Known, step: Next) -> Known:
    """What is so once a step is done, and the cloud has refused nothing."""
    match step:
        case Next.ADD_FINALIZER:
            return known._replace(finalizer=True, remembered=True)
        case Next.ENSURE:
            return known._replace(balancer=True)
        case Next.WRITE_ADDRESS:
            return known._replace(address=True)
        case Next.DELETE:
            return known._replace(balancer=False)
        case Next.REMOVE_FINALIZER:
            return known._replace(present=False)
        case Next.NOTHING:
            return known


@given(KNOWN)
def test_it_comes_to_an_end(known: Known) -> None:
    """After at most three steps nothing is left to do, and the finalizer came and went in order."""
    for _ in range(3):
        step = next_step(known)
        assert step is not Next.ENSURE or known.finalizer
        assert step is not Next.REMOVE_FINALIZER or not known.balancer
        known = after(known, step)
    assert next_step(known) is Next.NOTHING
    if known.present and not known.deleted:
        assert known.finalizer
        assert known.balancer
        assert known.address


def test_which_services() -> None:
    """Of type LoadBalancer, and of no class of their own; nodes are checked for local traffic."""
    assert wants_balancer(service(type="LoadBalancer"))
    assert not wants_balancer(service(type="LoadBalancer", loadBalancerClass="example.com/own"))
    assert not wants_balancer(service(type="NodePort"))
    assert checks_nodes(service(type="LoadBalancer", externalTrafficPolicy="Local"))
    assert not checks_nodes(service(type="LoadBalancer", externalTrafficPolicy="Cluster"))
    assert not checks_nodes(service(type="NodePort", externalTrafficPolicy="Local"))


def test_a_controller_that_starts_anew_comes_to_know_what_is_there() -> None:
    """A Service with the finalizer, once; nothing tells of one that is gone."""
    anew = Known(
        present=True, deleted=False, finalizer=True, address=True, remembered=False, balancer=True
    )
    assert comes_to_know(anew)
    assert not comes_to_know(anew._replace(remembered=True))
    assert not comes_to_know(anew._replace(finalizer=False))
    assert not comes_to_know(anew._replace(present=False))
