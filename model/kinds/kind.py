"""What there is to be known of a kind of the Kubernetes API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.meta import ApiObject
from kubelemma.model.objects.pod import Pod

from .notes import FieldsByType, Note
from .parts.metadata import metadata_findings, stored_metadata
from .parts.names import dns_subdomain

ObjectT = TypeVar("ObjectT", bound=ApiObject)


class Use(NamedTuple):
    """What somebody who reads manifests makes of a kind.

    Attributes:
        left_out: what is said of each object, where the kind is not modelled; None where it is.
        shown: whether objects are read though the kind is not modelled, to be shown.
        fields: what is left out of the types that only this kind has.
    """

    left_out: Note | None = None
    shown: bool = False
    fields: FieldsByType = MappingProxyType({})

    @property
    def read(self) -> bool:
        """Whether objects are read, be it only to be shown."""
        return self.left_out is None or self.shown


class Beside(NamedTuple):
    """What else is given: the pods of an object's namespace, and the objects that it may name.

    ``objects`` are those of its namespace and those that are in none. Of a template there is one
    pod; ``counts`` says how many there are at once of each, None where that is one on each node.
    """

    pods: tuple[Pod, ...]
    counts: tuple[int | None, ...] = ()
    objects: tuple[ApiObject, ...] = ()

    def most(self, chosen: Callable[[Pod], bool]) -> int | None:
        """How many of some pods there are at once; None where that depends on the nodes."""
        counts = [c for pod, c in zip(self.pods, self.counts, strict=True) if chosen(pod)]
        return None if None in counts else sum(c for c in counts if c is not None)

    def of(self, kind: type[ObjectT]) -> tuple[ObjectT, ...]:
        """The objects of a kind."""
        return tuple(found for found in self.objects if isinstance(found, kind))


class Stamp(NamedTuple, Generic[ObjectT]):
    """How the objects of a kind make pods from their ``spec.template``.

    Attributes:
        wanted: how many pods there should be at once; None: one on each node that takes it.
        waits_for_end: whether a pod is made again only once the one before it is gone.
        surge: how many more pods there are at most while all are replaced, of an object with so
            many replicas; None: its controller does not replace pods of an old template.
    """

    wanted: Callable[[ObjectT], int] | None
    waits_for_end: bool = False
    surge: Callable[[ObjectT, int], int] | None = None


def _as_written(thing: ObjectT) -> ObjectT:
    return thing


def _nothing(_: ObjectT) -> Iterator[Finding]:
    return iter(())


def _nothing_beside(_thing: ObjectT, _beside: Beside) -> Iterator[Finding]:
    return iter(())


def _all_admitted(
    _before: ObjectT, _after: ObjectT, _beside: Sequence[ApiObject]
) -> Iterator[Finding]:
    return iter(())


def _nothing_refused(
    _before: ObjectT, _after: ObjectT, _changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    return iter(())


class Kind(NamedTuple, Generic[ObjectT]):
    """One kind.

    Attributes:
        struct: the type of its objects, which has the kind's name.
        api_version: the only one in which it is read.
        check, placement: what a check and a placement make of it; of fields of which a placement
            says nothing, it says what a check does.
        namespaced: whether its objects are in namespaces.
        names: what a name may be.
        filled: an object with the defaults of its own fields.
        refused: what the API server refuses, beside names and labels, in an object as written.
        advice: what it accepts though hardly anybody means it.
        beside: the same, given what is beside it, where its namespace has any pods.
        stamp: how its objects make pods, if they do.
        generated: whether they are created rather than applied, so that a name may be left to the
            server (``generateName``).
        immutable: fields that nobody can change once an object is there.
        written_whole: the field all of which counts for what differs, be it read or not; empty:
            the template of pods, where there is one.
        refused_change: what the API server refuses beside in a change of an object, which it is
            given before and after with the fields that differ.
        unadmitted_change: what admission refuses in one, given the objects that there are.
        untold: fields whose values are told to nobody, as they may be secret; of an object that has
            such fields nothing counts but which keys are in them.
    """

    struct: type[ObjectT]
    api_version: str
    check: Use
    placement: Use
    namespaced: bool = True
    names: Callable[[str], str | None] = dns_subdomain
    filled: Callable[[ObjectT], ObjectT] = _as_written
    refused: Callable[[ObjectT], Iterator[Finding]] = _nothing
    advice: Callable[[ObjectT], Iterator[Finding]] = _nothing
    beside: Callable[[ObjectT, Beside], Iterator[Finding]] = _nothing_beside
    stamp: Stamp[ObjectT] | None = None
    generated: bool = False
    immutable: tuple[FieldPath, ...] = ()
    written_whole: FieldPath = ()
    refused_change: Callable[[ObjectT, ObjectT, tuple[FieldPath, ...]], Iterator[Finding]] = (
        _nothing_refused
    )
    unadmitted_change: Callable[[ObjectT, ObjectT, Sequence[ApiObject]], Iterator[Finding]] = (
        _all_admitted
    )
    untold: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in manifests."""
        return self.struct.__name__

    def with_defaults(self, thing: ObjectT) -> ObjectT:
        """The object as the API server stores it; what is given stays as it is.

        A template of pods also gets what the API server adds to the pods made from it (requests
        from limits, host ports), so that whoever reads it reads what its pods will ask for.
        """
        metadata = stored_metadata(thing.metadata, namespaced=self.namespaced)
        return self.filled(replace(thing, metadata=metadata))

    def validate(self, thing: ObjectT) -> Iterator[Finding]:
        """Everything that the API server would refuse in an object, in a fixed order."""
        yield from metadata_findings(thing.metadata, self.names)
        yield from self.refused(thing)
