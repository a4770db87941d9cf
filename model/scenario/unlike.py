"""Pods of the input that are not what their template makes of pods, and what is assumed of them.

Few kinds of them have classes of their own, and count as they are until they are replaced. Others
are taken as their template says, and what needs room is then not decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kubelemma.model.objects.pod import Pod

from .events import Change
from .history import History, Template
from .stored import fields, is_resized
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


def of_their_own(histories: Mapping[Key, History]) -> Iterator[str]:
    """Which pods count as they are, and not as their templates say."""
    found = [
        (_name(pod), tuple(fields(pod, template.pod(number))))
        for _, number, template, pod in _pods(histories, apart=True)
    ]
    if found:
        yield (
            f"pods that differ from their templates count as they are: {_some(found)}; those that "
            "replace them are taken to be as the templates say"
        )


def unlike(histories: Mapping[Key, History], changes: Mapping[Key, Change]) -> str:
    """What is not known of pods that differ from their templates; empty where all is."""
    said = []
    as_template = [
        (_name(pod), names)
        for _, number, template, pod in _pods(histories, apart=False)
        if (names := tuple(fields(pod, template.pod(number))))
    ]
    if as_template:
        said.append(
            "pods are taken as their templates say, from which they differ where they are read: "
            f"{_some(as_template)}"
        )
    changed = {
        str(key): None
        for key, number, template, pod in _pods(histories, apart=True)
        if pod.metadata.deletion_timestamp is None and not is_resized(pod, template.pod(number))
    }
    if changed:
        said.append(
            f"of {', '.join(changed)} only some pods differ from the template, so what admission "
            "makes of new ones is not known"
        )
    for key, history in histories.items():
        rolls = key in changes and changes[key].rolls
        if rolls and history.templates[history.current].stored is not None:
            said.append(
                f"what is applied to {key} is taken as it is written, though admission adds to its "
                "pods"
            )
    return "; ".join(said)


def _pods(
    histories: Mapping[Key, History], *, apart: bool
) -> Iterator[tuple[Key, int, Template, Pod]]:
    """The pods of the input that have a class of their own, or those that have none."""
    for key, history in histories.items():
        for number, template in enumerate(history.templates):
            for pod in template.pods:
                if bool(history.kind(number, pod)) == apart:
                    yield key, number, template, pod


def _name(pod: Pod) -> str:
    return f"Pod {pod.metadata.namespace}/{pod.metadata.name}"


def _some(found: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    shown = ", ".join(f"{name} in {', '.join(names)}" for name, names in found[:NAMED])
    return shown + (f", and {len(found) - NAMED} more pods" if len(found) > NAMED else "")
