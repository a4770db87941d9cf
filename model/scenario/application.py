"""The objects that a check is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from msgspec import structs

from kubelemma.model.components.apiserver.admission import (
    NO_POLICIES,
    Policies,
    admitted,
    filled,
    refusal,
)
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod

from .claims import ordinals_asked, with_claims
from .custom import NOTHING_LOADED, Loaded
from .events import Change
from .reach import Reach
from .start import Given
from .templates import Key, key_of

OwnerT = TypeVar("OwnerT", bound=Any)


@dataclass(frozen=True, slots=True)
class Application:
    """The objects that a check is about, defaults filled in.

    ``owners`` are those that make pods, of whatever kind, ``parts`` what these have made to make
    pods by. ``objects`` are those of the kinds that components read beside the others, ``policies``
    what admission goes by. ``changes`` are owners that somebody applies, which are among ``owners``
    as they are before, or at first; these go by ``policies_after``, as do the ``arriving`` pods,
    which somebody creates.
    """

    owners: tuple[Any, ...]
    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    loaded: Loaded = NOTHING_LOADED
    objects: tuple[Any, ...] = ()
    policies: Policies = NO_POLICIES
    parts: tuple[Any, ...] = ()
    changes: tuple[Change, ...] = ()
    policies_after: Policies = NO_POLICIES
    arriving: tuple[Pod, ...] = ()

    def admitted(self) -> Application:
        """The same with what admission writes into the pods of each workload.

        So it does into pods that nobody owns, where no API server has stored them yet. The claims
        that are made for pods are among the objects.
        """
        new = frozenset(key for key, change in self.change_of.items() if change.appears)
        owners, parts = (
            tuple(
                _admitted(each, self.policies_after if key_of(each) in new else self.policies)
                for each in found
            )
            for found in (self.owners, self.parts)
        )
        changes = tuple(
            change._replace(owner=_admitted(change.owner, self.policies_after))
            for change in self.changes
        )
        making = (*owners, *(change.owner for change in changes))
        objects = with_claims(self.objects, ((each, ordinals_asked(each)) for each in making))
        pods = tuple(_stored(pod, self.policies) for pod in self.pods)
        arriving = tuple(admitted(pod, self.policies_after) for pod in self.arriving)
        return replace(
            self,
            owners=owners,
            parts=parts,
            changes=changes,
            pods=pods,
            arriving=arriving,
            objects=objects,
        )

    def given(self, *, nodes_known: bool, undone: frozenset[Key] = frozenset()) -> Given:
        """What there is of pods at the start.

        ``nodes_known``: whether the nodes are those of the input; ``undone`` as in `Given`.
        """
        absent = frozenset(key for key, change in self.change_of.items() if change.appears)
        return Given(
            self.owners,
            self.parts,
            self.pods,
            undone,
            absent,
            nodes_known,
            self.policies,
            self.reach,
        )

    @property
    def reach(self) -> Reach:
        """Which nodes volumes can be reached from."""
        return Reach(self.objects)

    @property
    def change_of(self) -> Mapping[Key, Change]:
        """What is applied, by what identifies it."""
        return {key_of(change.owner): change for change in self.changes}


def _admitted(owner: OwnerT, policies: Policies) -> OwnerT:
    template = owner.spec.template
    spec = filled(template.spec, owner.metadata.namespace, policies)
    whole = structs.replace(owner.spec, template=structs.replace(template, spec=spec))
    return structs.replace(owner, spec=whole)


def _stored(pod: Pod, policies: Policies) -> Pod:
    """The pod as it is stored: of one that is, admission has given every one a priority.

    One that is refused stays as it is written, and so without one.
    """
    if pod.spec.priority is not None:
        return pod
    whole = admitted(pod, policies)
    return pod if refusal(whole.spec, pod.metadata.namespace, policies) else whole
