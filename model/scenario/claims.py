"""The claims that are made for pods: what of them has to be known before there are any."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubelemma.model.cluster.storage import ClaimToMake

from .templates import kind_of


def with_claims(
    objects: Iterable[Any], owners: Iterable[tuple[Any, Iterable[int]]]
) -> tuple[Any, ...]:
    """The objects with the claims that are made for the pods of owners with these ordinals."""
    made = (
        ClaimToMake(metadata=claim.metadata, spec=claim.spec)
        for owner, ordinals in owners
        for ordinal in ordinals
        for claim in kind_of(owner).claims(owner, ordinal)
    )
    found = tuple(objects)
    known = {claim.key for claim in found if isinstance(claim, ClaimToMake)}
    others = {claim.key: claim for claim in made if claim.key not in known}
    return (*found, *others.values())


def ordinals_asked(owner: Any) -> tuple[int, ...]:
    """The ordinals of the pods that an owner asks for, if these have an identity."""
    updates = kind_of(owner).updates(owner)
    if updates is None:
        return ()
    return tuple(range(updates.start, updates.start + kind_of(owner).replicas(owner)))
