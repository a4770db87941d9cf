"""Pods of the input that are not what their template makes of pods, and what is assumed of them.

A class of pods has one spec, so pods that differ from others of their template are taken as it
says, and what needs room is then not decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .events import Change
from .history import History
from .stored import fields
from .templates import Key

NAMED = 3
"""How many of them are named."""


def as_admitted(histories: Mapping[Key, History]) -> Iterator[str]:
    """Of which owners new pods are taken to be as those that there are, and not as written."""
    for key, history in histories.items():
        found = dict.fromkeys(
            field
            for number, template in enumerate(history.templates)
            if template.stored is not None
            for field in fields(template.pod(number), template.written(number))
        )
        if found:
            yield (
                f"new pods of {key} are taken to be as those that there are, all of which differ "
                f"from the template in {', '.join(found)}: so admission makes them"
            )


def unlike(histories: Mapping[Key, History], changes: Mapping[Key, Change]) -> str:
    """What is to be said of pods that differ from their templates; empty where none does."""
    found = tuple(_differing(histories))
    said = []
    if found:
        shown = ", ".join(f"{name} in {', '.join(names)}" for name, names in found[:NAMED])
        more = f", and {len(found) - NAMED} more pods" if len(found) > NAMED else ""
        said.append(
            "pods are taken as their templates say, from which they differ where they are read: "
            f"{shown}{more}"
        )
    for key, history in histories.items():
        rolls = key in changes and changes[key].rolls
        if rolls and history.templates[history.current].stored is not None:
            said.append(
                f"what is applied to {key} is taken as it is written, though admission adds to its "
                "pods"
            )
    return "; ".join(said)


def _differing(histories: Mapping[Key, History]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for history in histories.values():
        for number, template in enumerate(history.templates):
            like = template.pod(number)
            for pod in template.pods:
                names = tuple(fields(pod, like))
                if names:
                    yield f"Pod {pod.metadata.namespace}/{pod.metadata.name}", names
