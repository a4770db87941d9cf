"""What manifests are read for: which kinds and fields are modelled, and what of the others matters.

A check and a placement read the same documents. A field or kind that one of them leaves out may be
what the other is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kubelemma.model.kinds.kind import Kind, Use
from kubelemma.model.kinds.notes import FieldsByType, Note
from kubelemma.model.kinds.other import OTHER
from kubelemma.model.kinds.parts import left_out
from kubelemma.model.kinds.registry import KINDS


class Purpose(NamedTuple):
    """One way of reading.

    Attributes:
        kinds: those whose objects are read, by name.
        left_out: what is said of those that are not modelled, be they read to be shown or not.
        fields: what is said of fields that are left out.
    """

    kinds: Mapping[str, Kind[Any]]
    left_out: Mapping[str, Note]
    fields: FieldsByType


def _purpose(
    uses: Mapping[str, Use], other: Mapping[str, Note], fields: tuple[FieldsByType, ...]
) -> Purpose:
    noted = {name: use.left_out for name, use in uses.items() if use.left_out is not None}
    return Purpose(
        {kind.name: kind for kind in KINDS if uses[kind.name].read},
        {**other, **noted},
        {struct: notes for by_type in fields for struct, notes in by_type.items()},
    )


_IN_CHECKS = tuple(kind.check.fields for kind in KINDS)
_IN_PLACEMENT = tuple(kind.placement.fields for kind in KINDS)

CHECK = _purpose(
    {kind.name: kind.check for kind in KINDS},
    {name: other.check for other in OTHER for name in other.names},
    (left_out.CHECK, *_IN_CHECKS),
)
PLACE = _purpose(
    {kind.name: kind.placement for kind in KINDS},
    {name: other.placement or other.check for other in OTHER for name in other.names},
    (left_out.PLACEMENT, *_IN_CHECKS, *_IN_PLACEMENT),
)
