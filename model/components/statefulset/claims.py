"""The claims of a StatefulSet's pods: which there are, and what is made of their templates.

Source: pkg/controller/statefulset/stateful_pod_control.go, ``createPersistentVolumeClaims``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.state import StatefulSetState
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import ClaimState, Stock, Stored
from kubelemma.model.cluster.storage_start import stored_at_start
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.volumeprotection.actions import DELETE_CLAIM, DELETE_VOLUME

from .keys import with_claims


@dataclass(frozen=True, slots=True)
class Owned:
    """The claims that are made for the pods of a StatefulSet, by ordinal.

    ``goes``: whether one of them may be deleted; ``deletes``: whether scale-downs do so.
    """

    stock: Stock
    of: Mapping[int, tuple[int, ...]]
    goes: bool
    deletes: bool = False

    @property
    def claims(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(dict.fromkeys(claim for found in self.of.values() for claim in found))

    @property
    def cells(self) -> tuple[str, ...]:
        """Their cells."""
        return tuple(self.stock.claims[claim].cell for claim in self.claims)

    def blocked(self, stored: Stored | None = None) -> frozenset[int]:
        """The ordinals of which a claim is being deleted, or is about to: no pod is made.

        One that an earlier pod owns goes with that (``PodClaimIsStale``).
        """
        if stored is None:
            return frozenset()
        return frozenset(
            ordinal
            for ordinal, claims in self.of.items()
            if any(_is_going(stored.claims[claim]) for claim in claims)
        )

    def kept(
        self, workload: Workload, state: StatefulSetState, stored: Stored | None = None
    ) -> frozenset[int]:
        """The ordinals of which a claim has yet to be given to its pod before that is deleted."""
        if stored is None or not workload.updates[state.strategy].deletes_claims:
            return frozenset()
        return frozenset(
            ordinal
            for ordinal, claims in self.of.items()
            if any(stored.claims[c].present and not stored.claims[c].condemned for c in claims)
        )


def _is_going(claim: ClaimState) -> bool:
    return claim.present and (claim.deleted or claim.condemned)


@dataclass(frozen=True, slots=True)
class Creation:
    """What a rule that creates pods creates: those of some ordinals, and the claims of one."""

    stock: Stock
    ordinals: tuple[int, ...]
    claims: tuple[int, ...]
    whose: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the claims."""
        return tuple(self.stock.claims[claim].cell for claim in self.claims)

    def missing(self, states: Sequence[ClaimState]) -> dict[str, ClaimState]:
        """What is written of the claims that are not there, by their cells."""
        found = (self.stock.claims[claim] for claim in self.claims)
        return {
            claim.cell: ClaimState(renewed=claim.given)
            for claim, state in zip(found, states, strict=True)
            if not state.present
        }

    def going(self, states: Sequence[ClaimState]) -> str:
        """Why the pod is not made, where one of its claims is being deleted; else nothing."""
        for claim, state in zip(self.claims, states, strict=True):
            if _is_going(state):
                return f"its claim {self.stock.claims[claim].label} is being deleted"
        return ""


def owned_by(setting: Setting, workload: Workload) -> Owned:
    """The claims of the pods of a StatefulSet."""
    stock, classes = stock_of(setting.world), setting.world.classes
    of = {
        classes[c].ordinal: stock.made_for(c)
        for c in (workload.classes if stock else ())
        if stock.made_for(c)
    }
    if not of:
        return Owned(stock, {}, goes=False)
    ending = stored_at_start(stock, setting).ending
    deletes = any(updates.deletes_claims for updates in workload.updates)
    goes = ending or deletes or setting.may_happen(DELETE_CLAIM, DELETE_VOLUME)
    return Owned(stock, of, goes, deletes)


def creations(workload: Workload, owned: Owned) -> Iterator[Creation]:
    """One for each ordinal that has claims, and one for all others."""
    plain = tuple(n for n in workload.ordinals if n not in owned.of)
    if plain:
        yield Creation(owned.stock, plain, (), workload.label)
    for ordinal, claims in owned.of.items():
        yield Creation(owned.stock, (ordinal,), claims, with_claims(workload, ordinal))
