"""What a verdict rests on, in numbers: terms, stuck pods, and why nobody acts any more."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.manifests.problems import Position
from kubelemma.reports.story import Story

from .markup import Content, Markup, element
from .pieces import cell, folded, table


def numbers(story: Story) -> Iterator[Markup]:
    """Three tables, each where there is something in it, folded away."""
    yield from folded("The promise in numbers", _terms(story))
    yield from folded("What the stuck pods wait for, node by node", _waiting(story))
    yield from folded("Why nobody acts any more", _idle(story))


def _terms(story: Story) -> Iterator[Markup]:
    rows = [
        element(
            "tr",
            cell("Term", term.name),
            cell("Value", term.value),
            cell("After step", str(found.step) if found.step else "the start"),
            cell("Written in", _place(term.position)),
        )
        for found in story.contradictions
        for term in found.terms
    ]
    if rows:
        yield table(("Term", "Value", "After step", "Written in"), rows)


def _waiting(story: Story) -> Iterator[Markup]:
    rows = [
        element(
            "tr",
            cell("Pod", one.pod),
            cell("Nodes", ", ".join(review.nodes)),
            cell("What the scheduler says", review.words),
            cell("Written in", _place(review.position)),
        )
        for one in story.waiting
        for review in one.nodes
    ]
    if rows:
        yield table(("Pod", "Nodes", "What the scheduler says", "Written in"), rows)


def _idle(story: Story) -> Iterator[Markup]:
    rows = [
        element("tr", cell("Component", one.actor), cell("Why it does nothing", one.reason))
        for one in story.idle
    ]
    if rows:
        yield table(("Component", "Why it does nothing"), rows)


def _place(position: Position | None) -> Content:
    return element("code", str(position)) if position is not None else "the state"
