"""When a check is made, by which command, and from which files: the one place with a clock."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubelemma.model.manifests import Document
    from kubelemma.question import Case
    from kubelemma.reports.document import InputFile, Occasion

    from .session import Session

_EPOCH = "SOURCE_DATE_EPOCH"
"""Who wants the same bytes again says what time it is (https://reproducible-builds.org)."""


def occasion_of(session: Session, cases: Iterable[Case]) -> Occasion:
    """The occasion of a check that is about to be made of these cases."""
    from kubelemma.reports.document import Occasion

    return Occasion(_now(), session.command, tuple(_inputs(cases)))


def _now() -> str:
    """The time in UTC, to the second."""
    said = os.environ.get(_EPOCH, "")
    now = datetime.fromtimestamp(int(said), UTC) if said.isdecimal() else datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _inputs(cases: Iterable[Case]) -> Iterator[InputFile]:
    """Each file once; one that is no file, such as standard input, has no digest."""
    from kubelemma.reports.document import InputFile

    asked = tuple(cases)
    for name in dict.fromkeys(name for case in asked for name in _names(case)):
        yield InputFile(name, _digest(name))
    for loaded in dict.fromkeys(file for case in asked for file in case.extension.files):
        yield InputFile(loaded.path, loaded.digest)


def _digest(name: str) -> str:
    try:
        return hashlib.sha256(Path(name).read_bytes()).hexdigest()
    except (OSError, ValueError):
        return ""


def _names(case: Case) -> Iterator[str]:
    manifests = case.manifests
    documents: list[Document] = [check.document for check in manifests.checks]
    documents += [] if case.document is None else [case.document]
    documents += [manifest.document for manifest in manifests.objects]
    documents += [*manifests.others, *(kept.document for kept in case.kept)]
    for document in documents:
        yield (document.origin or document).file
