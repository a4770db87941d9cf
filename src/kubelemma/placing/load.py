"""Pods on nodes that are load and no more: whose they are, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from kubelemma.model.kinds.registry import BY_NAME
from kubelemma.model.objects.pod import Pod
from kubelemma.reports.placement_words import listed, pods
from kubelemma.reports.style import plural
from kubelemma.solver.placement.displaced import is_mirror

from .inventory import Key, controller_of

_MOST_NAMED = 3


def load(staying: Iterable[Pod], known: Collection[Key]) -> Iterator[str]:
    """Whose the pods are that no controller of the input creates again, a sentence for each sort.

    Args:
        staying: the pods that stay where they are.
        known: what the input has that creates pods.
    """
    static = 0
    lone: list[str] = []
    owned: Counter[Key] = Counter()
    for pod in staying:
        metadata = pod.metadata
        owner = controller_of(metadata)
        if is_mirror(pod):
            static += 1
        elif owner is None:
            lone.append(f"{metadata.namespace}/{metadata.name}")
        else:
            owned[Key(owner.kind, metadata.namespace, owner.name)] += 1
    if static:
        yield f"load: {plural(static, 'static pod')}, which kubelets run by themselves"
    if lone:
        named = listed(lone, _MOST_NAMED)
        yield f"load: {pods(len(lone))} that nobody controls, nor creates again: {named}"
    strange = {key: count for key, count in owned.items() if not _is_known(key)}
    if strange:
        yield f"load: {_of(strange)}; whether such owners create pods again is not known"
    absent = {k: n for k, n in owned.items() if k not in known and _is_known(k)}
    if absent:
        are = "which is" if len(absent) == 1 else "which are"
        yield f"load: {_of(absent)}, {are} not in the input"


def _is_known(key: Key) -> bool:
    kind = BY_NAME.get(key.kind)
    return kind is not None and kind.stamp is not None


def _of(counts: dict[Key, int]) -> str:
    """``5 pods of Job one/a and Job one/b``, the first few of them."""
    total = sum(counts.values())
    return f"{pods(total)} of {listed([str(key) for key in counts], _MOST_NAMED)}"
