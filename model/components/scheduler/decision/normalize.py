"""Scaling of raw scores to 0..100, as most score plugins do it.

Source: pkg/scheduler/framework/plugins/helper/normalize_score.go.
"""

from __future__ import annotations

from collections.abc import Mapping

MAX_NODE_SCORE = 100


def default_normalize(raw: Mapping[str, int], *, reverse: bool) -> dict[str, int]:
    """Scale the scores by node so that the highest becomes 100; ``reverse`` turns the order round.

    If all are 0 they stay 0, or all become 100 where the order is reversed.
    """
    highest = max(raw.values(), default=0)
    if highest == 0:
        return dict.fromkeys(raw, MAX_NODE_SCORE if reverse else 0)
    scaled = {node: MAX_NODE_SCORE * score // highest for node, score in raw.items()}
    return {n: MAX_NODE_SCORE - s for n, s in scaled.items()} if reverse else scaled
