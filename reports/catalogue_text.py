"""The catalogue of properties as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tabulate import tabulate

from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.statement import KUBERNETES, Statement

from .property_pages import ONLY_NAMED, page_path, page_url
from .shown import shown
from .style import Role, laid_out, painter, wrap


def listing(statements: Iterable[Statement], *, colour: bool = False) -> str:
    """A table of statements, one a line."""
    paint = painter(colour=colour)
    rows = [
        (paint(s.id, Role.HEADING), s.kind, s.severity, s.title) for s in shown(tuple(statements))
    ]
    headers = ("PROPERTY", "KIND", "SEVERITY", "PROMISE")
    return laid_out(tabulate(rows, headers, tablefmt="plain", disable_numparse=True).splitlines())


def explanation(statement: Statement, *, colour: bool = False, width: int = 100) -> str:
    """Everything that is known about a property."""
    statement = shown(statement)
    paint = painter(colour=colour)
    lines = [paint(f"{statement.id}: {statement.title}", Role.HEADING), ""]
    for label, text in _parts(statement):
        if text:
            lines += [paint(label, Role.HEADING), *wrap(text, width, "  "), ""]
    return laid_out(lines[:-1])


def _parts(statement: Statement) -> Iterator[tuple[str, str]]:
    yield "Kind", f"{statement.kind}; a violation is of {statement.severity} severity"
    yield "Promise", statement.statement
    yield "Why it matters", statement.why
    yield "Conditions", statement.conditions
    yield "Asked", ONLY_NAMED if statement.defect_only else ""
    yield "Kept by", ", ".join(statement.components)
    ours = statement.id in STATEMENTS
    version = f" (Kubernetes {KUBERNETES})" if ours else ""
    yield "Written in", f"{'; '.join(statement.references())}{version}"
    yield "What to do about a violation", statement.remediation
    if ours:
        page = page_url(statement.id) or f"{page_path(statement.id)} of kubelemma's sources"
        yield "A counterexample, and its repair", page
