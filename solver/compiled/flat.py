"""The states of a compiled search, as all that knows nothing of flat arrays sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kubelemma.solver.numbering import Ids
from kubelemma.solver.space import Space

from .arrays import Packing, Small, States
from .packing import unpack


class FlatSpace(Space):
    """The states in arrays, of which ``count`` count."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.arrays: States | None = None

    def __len__(self) -> int:
        return self.count

    def _before(self, state: int) -> int:
        return 0 if self.arrays is None else int(self.arrays.parents[state])

    def _by(self, state: int) -> int:
        return 0 if self.arrays is None else int(self.arrays.moves[state])


class Rows(Sequence[Ids]):
    """The states as `kubelemma.solver.numbering` knows them."""

    def __init__(self, states: States, packing: Packing, count: int) -> None:
        self._states, self._packing, self._count = states, packing, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, state: int) -> Ids:  # type: ignore[override]  # never sliced
        rows: Small = np.empty((1, self._packing.places.shape[0]), dtype=np.int32)
        unpack(self._packing, self._states.words, state, state + 1, rows)
        return tuple(rows[0].tolist())
