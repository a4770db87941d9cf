"""What a verdict rests on, in numbers: terms, stuck pods, and why nobody acts any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.manifests.problems import Position
from kubelemma.reports.story import Story

from .markup import Content, Markup, element
from .pieces import cell, folded, table


def numbers(stories: Sequence[Story]) -> Iterator[Markup]:
    """Three tables of stories of one run, each where there is something in it, folded away."""
    for title, rows_of, heads in _TABLES:
        rows = list(dict.fromkeys(row for story in stories for row in rows_of(story)))
        yield from folded(title, [table(heads, rows)] if rows else [])


def _terms(story: Story) -> Iterator[Markup]:
    for found in story.contradictions:
        for term in found.terms:
            yield element(
                "tr",
                cell("Term", term.name),
                cell("Value", term.value),
                cell("After step", str(found.step) if found.step else "the start"),
                cell("Written in", _place(term.position)),
            )


def _waiting(story: Story) -> Iterator[Markup]:
    for one in story.waiting:
        for review in one.nodes:
            yield element(
                "tr",
                cell("Pod", one.pod),
                cell("Nodes", ", ".join(review.nodes)),
                cell("What the scheduler says", review.words),
                cell("Written in", _place(review.position)),
            )


def _idle(story: Story) -> Iterator[Markup]:
    for one in story.idle:
        yield element("tr", cell("Component", one.actor), cell("Why it does nothing", one.reason))


def _place(position: Position | None) -> Content:
    return element("code", str(position)) if position is not None else "the state"


_TABLES = (
    ("The promise in numbers", _terms, ("Term", "Value", "After step", "Written in")),
    (
        "What the stuck pods wait for, node by node",
        _waiting,
        ("Pod", "Nodes", "What the scheduler says", "Written in"),
    ),
    ("Why nobody acts any more", _idle, ("Component", "Why it does nothing")),
)
"""Of each its title, its rows, and its heads."""
