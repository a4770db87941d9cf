"""Where the fields stand that a story speaks of, in what the scenario was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubelemma.model.cluster.world import Workload
from kubelemma.model.findings import FieldPath
from kubelemma.model.manifests.documents import Document
from kubelemma.model.manifests.problems import Position
from kubelemma.model.manifests.reading import Manifests
from kubelemma.model.scenario import key_of, owner_manifests

TEMPLATE: FieldPath = ("spec", "template", "spec")
_NOTHING = Manifests()


@dataclass(frozen=True, slots=True)
class Written:
    """What a scenario was made from; empty where that is not known, and then nothing has a place.

    ``check`` is the document of the Check in effect, None where nobody wrote one.
    """

    manifests: Manifests = _NOTHING
    check: Document | None = None

    def document(self, workload: Workload) -> Document | None:
        """The document of a workload."""
        for manifest in owner_manifests(self.manifests):
            if str(key_of(manifest.object)) == workload.cell:
                return manifest.document
        return None

    def at(self, workload: Workload, *path: str | int) -> Position | None:
        """Where a field of a workload is written, or the innermost enclosing one that is."""
        document = self.document(workload)
        return document.at(path) if document is not None else None

    def says(self, workload: Workload, *path: str | int) -> bool:
        """Whether a field is written; also where it is not known what is."""
        document = self.document(workload)
        return document is None or document.holds(path)

    def replicas(self, workload: Workload, replicas: int) -> Position | None:
        """Where it says how many replicas there are, if that is still what it says."""
        document = self.document(workload)
        said = document.value(("spec", "replicas")) if document is not None else None
        same = (1 if said is None else said) == replicas
        return self.at(workload, "spec", "replicas") if same else None

    def template(self, workload: Workload, *paths: FieldPath) -> Position | None:
        """Where the first of these fields of the pod template stands; else the template's own."""
        document = self.document(workload)
        if document is None:
            return None
        whole = [(*TEMPLATE, *path) for path in paths]
        return document.at(next(filter(document.holds, whole), TEMPLATE))

    def requests(self, workload: Workload) -> Position | None:
        """Where the first requests, or limits, of the template's containers stand."""
        document = self.document(workload)
        containers = document.value((*TEMPLATE, "containers")) if document is not None else None
        numbers = range(len(containers)) if isinstance(containers, list) else ()
        wanted: list[FieldPath] = [
            ("containers", number, "resources", what)
            for number in numbers
            for what in ("requests", "limits")
        ]
        return self.template(workload, *wanted, ("containers",))

    def event(self, kinds: Iterable[str], **wanted: tuple[object, ...]) -> Position | None:
        """Where the Check allows an event: the first of a kind whose fields have a wanted value.

        An event without the field, such as one that names no node, is meant as well.
        """
        events = self.check.value(("spec", "events")) if self.check is not None else None
        for kind in kinds:
            for index, entry in enumerate(events if isinstance(events, list) else ()):
                if self.check is not None and _agrees(entry, kind, wanted):
                    return self.check.at(("spec", "events", index))
        return None

    def given(self, field: str) -> Position | None:
        """Where the Check has a field of its specification, if it has."""
        path = ("spec", field)
        return self.check.at(path) if self.check is not None and self.check.holds(path) else None


def _agrees(entry: object, kind: str, wanted: Mapping[str, tuple[object, ...]]) -> bool:
    if entry == kind:
        return True
    if not isinstance(entry, dict) or kind not in entry:
        return False
    given = entry[kind] or {}
    return all(key not in given or given[key] in options for key, options in wanted.items())
