"""One line at the terminal that tells how far a search has come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from kubelemma.solver.events import Event, Listener, Progress, Violation

from .session import Session

_ERASE = "\r\x1b[K"


@contextmanager
def progress_line(session: Session, name: str) -> Iterator[Listener]:
    """A listener that keeps one line up to date, and takes it away in the end.

    Where nobody watches a terminal, it says nothing at all.
    """
    if not session.shows_progress():
        yield _ignore
        return
    found = 0

    def listen(event: Event) -> None:
        nonlocal found
        found += isinstance(event, Violation)
        if isinstance(event, Progress):
            click.echo(f"{_ERASE}{describe(name, event, found)}", nl=False, err=True, color=True)

    try:
        yield listen
    finally:
        click.echo(_ERASE, nl=False, err=True, color=True)
        sys.stderr.flush()


def describe(name: str, event: Progress, found: int) -> str:
    """Where the search is, such as ``web: 12,345 states, depth 9, 678 waiting, 1.2 s``."""
    violated = f", {found} violated" if found else ""
    return (
        f"{name}: {event.states:,} states, depth {event.depth}, {event.frontier:,} waiting, "
        f"{event.seconds:.0f} s, {event.memory_bytes / 2**20:,.0f} MiB{violated}"
    )


def _ignore(_event: Event) -> None:
    """Nobody watches."""
