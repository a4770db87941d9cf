"""Which ReplicaSets of past revisions go. Source: pkg/controller/deployment/sync.go."""

from __future__ import annotations

from .view import Sets, age_key


def cleanup_history(limit: int | None, sets: Sets, new: int | None) -> tuple[int, ...]:
    """The old ReplicaSets to delete, in order, so that at most ``limit`` remain (None: all).

    Only the oldest revisions beyond the limit are looked at, and of these only ReplicaSets that
    neither want nor have pods, as far as their controller has observed them: the limit may stay
    exceeded.
    """
    if limit is None:
        return ()
    alive = [i for i, s in enumerate(sets) if i != new and not s.deleting]
    alive.sort(key=lambda i: (sets[i].revision, *age_key(sets[i])))
    beyond = alive[: max(0, len(alive) - limit)]
    return tuple(
        i
        for i in beyond
        if sets[i].replicas == 0 and sets[i].status_replicas == 0 and sets[i].observed
    )
