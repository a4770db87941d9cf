"""The writes of the real EndpointSlice controller are the model's answers to earlier moments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

from recordings import History, is_ready

from kubelemma.model.components.endpointslice.decision import (
    conditions,
    is_endpoint,
    selects,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

Read = Callable[[frozenset[str]], Iterator[History]]
KINDS = frozenset(("Pod", "Service", "EndpointSlice"))
CONTROLLER = "sa:endpointslice-controller"
FILE = "recorded EndpointSlices"
Shown = dict[str, tuple[bool, ...]]
"""The conditions of endpoints by the uid of their pod."""


def written(line: Any) -> Shown:
    """What a slice says."""
    return {
        found["targetRef"]["uid"]: tuple(
            found["conditions"][name] for name in ("ready", "serving", "terminating")
        )
        for found in line["object"].get("endpoints") or ()
    }


def wanted(service: Service, objects: Any) -> Shown:
    """What the model's controller would say of the pods of a moment."""
    found: Shown = {}
    for uid, raw in objects.items():
        if raw["kind"] != "Pod" or not selects(service, decode(raw, Pod)):
            continue
        status = raw.get("status", {})
        if is_endpoint(status.get("phase", ""), has_address=bool(status.get("podIP"))):
            found[uid] = tuple(
                conditions(
                    ready=is_ready(raw),
                    terminating="deletionTimestamp" in raw["metadata"],
                    publish_not_ready=service.spec.publish_not_ready_addresses,
                )
            )
    return found


def test_every_slice_shows_a_moment_in_order(histories: Read, tally: Any) -> None:
    """Each write says what was true at some moment, which is none before that of the last write.

    So slices are behind the pods, but never a mixture, and never turn back.
    """
    for run in histories(KINDS):
        read: dict[str, int] = {}
        for line in run.lines:
            if line["src"] != "watch" or line.get("actor") != CONTROLLER:
                continue
            last = bisect_left(run.revisions, line["rv"])
            owner = line["object"]["metadata"]["ownerReferences"][0]["uid"]
            moments = range(read.get(owner, 0), last)
            match = next((n for n in moments if shows(run.moments[n], owner, line)), None)
            if match is None:
                tally.failed(FILE, f"{run.name} {line['rv']}", "no moment before was like this")
            else:
                read[owner] = match
                tally.passed(FILE)
    tally.verify(FILE)


def shows(objects: Any, owner: str, line: Any) -> bool:
    """Whether a slice says what is true of the pods of its Service."""
    there = objects.get(owner)
    return there is not None and wanted(decode(there, Service), objects) == written(line)
