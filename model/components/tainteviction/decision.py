"""The taint eviction controller, and the tolerations that admission adds to every pod.

Source: pkg/controller/tainteviction/taint_eviction.go,
plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubelemma.model.components.nodelifecycle.decision import NOT_READY, UNREACHABLE
from kubelemma.model.components.scheduler.decision.taints import tolerates
from kubelemma.model.objects.node import Taint
from kubelemma.model.objects.pod import Toleration

DEFAULT_TOLERATION_SECONDS = 300


def min_toleration_seconds(
    tolerations: Sequence[Toleration], taints: Sequence[Taint]
) -> int | None:
    """After how many seconds a pod is deleted from a node with these taints.

    0: at once, as some NoExecute taint is not tolerated (or for 0 seconds or less); None: never.
    Of several tolerations for a taint the first counts. A timer that runs is kept as it is when
    other taints, tolerated for some time, join; it is cancelled when all NoExecute taints go.
    """
    used = []
    for taint in taints:
        if taint.effect != "NoExecute":
            continue
        match = next((t for t in tolerations if tolerates(t, taint)), None)
        if match is None:
            return 0
        used.append(match.toleration_seconds)
    finite = [max(0, s) for s in used if s is not None]
    return min(finite, default=None)


def with_default_tolerations(tolerations: Sequence[Toleration]) -> tuple[Toleration, ...]:
    """The tolerations of a pod after the admission plugin DefaultTolerationSeconds.

    Not-ready and unreachable nodes are tolerated for 300 s each, unless some toleration for the key
    (or any key) and NoExecute (or any effect) exists, whatever its operator and value.
    """
    added = tuple(
        Toleration(
            key=key,
            operator="Exists",
            effect="NoExecute",
            toleration_seconds=DEFAULT_TOLERATION_SECONDS,
        )
        for key in (NOT_READY, UNREACHABLE)
        if not any(t.key in ("", key) and t.effect in ("", "NoExecute") for t in tolerations)
    )
    return (*tolerations, *added)
