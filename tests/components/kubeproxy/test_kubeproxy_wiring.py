"""What is explored of kube-proxies answers as the real code does in recorded problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kubelemma.model.components.endpointslice.leaving import Entry
from kubelemma.model.components.kubeproxy.local import answers, keeps_traffic, policy_of
from kubelemma.model.components.kubeproxy.route import sends
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.service import Service

Case = dict[str, Any]
SENDING = "wired proxy: whom it sends to"
ANSWERING = "wired proxy: whether a node has somebody"


class Listed(NamedTuple):
    """An endpoint of a recorded problem, by its address and port."""

    address: str
    entry: Entry
    local: bool


def listed(case: Case) -> Iterator[Listed]:
    """The endpoints of a case, of several with one address the local one, or the first."""
    found: dict[str, Listed] = {}
    for one in case["endpointSlices"]:
        (port,) = one["ports"]
        for endpoint in one["endpoints"] or ():
            local = endpoint.get("nodeName") == case["nodeName"]
            for address in endpoint["addresses"]:
                name = f"{address}:{port['port']}"
                if name not in found or local:
                    found[name] = Listed(name, entry(endpoint["conditions"]), local)
    yield from found.values()


def entry(conditions: dict[str, bool]) -> Entry:
    """What may be made of an endpoint; what is not said is taken for a serving one."""
    if conditions.get("ready", True):
        return Entry.READY
    leaving = conditions.get("serving", True) and conditions.get("terminating", False)
    return Entry.TERMINATING if leaving else Entry.ABSENT


def test_a_proxy_sends_to_whom_the_route_says(
    oracle: Callable[[str], list[Case]], tally: Any
) -> None:
    """Of each recorded endpoint beside another that is ready, where traffic may leave its node."""
    for case in oracle("proxy"):
        policy = policy_of(decode(case["input"]["service"], Service))
        endpoints = list(listed(case["input"]))
        ready = {one.address for one in endpoints if one.entry is Entry.READY}
        chosen = set(case["expect"]["cluster"])
        for one in endpoints:
            if not policy.uses_cluster:
                tally.skipped(SENDING, "traffic stays on its node: PROXY-1 asks of that")
            elif not ready - {one.address}:
                tally.skipped(SENDING, "nobody else is ready: a last resort loses nothing more")
            elif chosen < ready:
                tally.skipped(SENDING, "hints choose among those that are ready: PROXY-1")
            elif sends(one.entry) == (one.address in chosen):
                tally.passed(SENDING)
            else:
                tally.failed(SENDING, case["id"], f"{one.address} is {one.entry.name}")
    tally.verify(SENDING)


def test_a_node_has_somebody_where_the_promise_says(
    oracle: Callable[[str], list[Case]], tally: Any
) -> None:
    """By how many are ready on it, and that somebody is elsewhere (PROXY-1)."""
    for case in oracle("proxy"):
        service = decode(case["input"]["service"], Service)
        endpoints = list(listed(case["input"]))
        ready = [one for one in endpoints if one.entry is Entry.READY]
        near = sum(one.local for one in ready)
        field = "local" if keeps_traffic(service) else "allReachable"
        if near == len(ready):
            tally.skipped(ANSWERING, "nobody is ready elsewhere: EPS-4 asks of that")
        elif not near and any(one.entry is Entry.TERMINATING and one.local for one in endpoints):
            tally.skipped(ANSWERING, "a pod that terminates is the last resort, and may stop")
        elif answers(service, near) == bool(case["expect"][field]):
            tally.passed(ANSWERING)
        else:
            tally.failed(ANSWERING, case["id"], f"{near} ready of {len(ready)}")
    tally.verify(ANSWERING)
