"""One line at the terminal that tells how far a search has come."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kubelemma.solver.events import Compiling, Event, Listener, Progress, Violation

from .session import Session

if TYPE_CHECKING:
    from kubelemma.model.manifests import Bounds

_ERASE = "\r\x1b[K"


@contextmanager
def progress_line(session: Session, name: str, bounds: Bounds) -> Iterator[Listener]:
    """A listener that keeps one line up to date, and takes it away in the end.

    Where nobody watches a terminal, it says nothing at all.
    """
    if not session.shows_progress():
        yield _ignore
        return

    def show(text: str) -> None:
        from kubelemma.model.visible import visible

        # What a terminal breaks into two lines could not be taken away again.
        line = visible(text)[: shutil.get_terminal_size().columns - 1]
        click.echo(f"{_ERASE}{line}", nl=False, err=True, color=True)

    found = 0
    slow = ""
    last: Progress | None = None

    def listen(event: Event) -> None:
        nonlocal found, last, slow
        found += isinstance(event, Violation)
        if isinstance(event, Compiling):
            slow = " (a faster engine is being compiled, once for all)"
        if isinstance(event, Progress):
            slow = "" if last and event.states < last.states else slow
            show(describe(f"{name}{slow}", event, found, last, bounds))
            last = event

    show(f"{name} ...")
    try:
        yield listen
    finally:
        click.echo(_ERASE, nl=False, err=True, color=True)
        sys.stderr.flush()


def counted(name: str, number: int, of: int) -> str:
    """What is asked, after its number where it is one of several."""
    return f"{number} of {of}: {name}" if of > 1 else name


def describe(name: str, event: Progress, found: int, last: Progress | None, bounds: Bounds) -> str:
    """Where the search is, such as ``web: 12,345 states (9,876/s), depth 9, 678 waiting, 2 s``.

    What matters most comes first. How many states there will be nobody knows; what is known is how
    much of a limit is used up.
    """
    parts = [
        f"{event.states:,} states{_rate(event, last)}",
        f"depth {event.depth}",
        *([f"{event.frontier:,} waiting"] if event.frontier else []),
        f"{event.seconds:.0f} s",
        f"{event.memory_bytes / 2**20:,.0f} MiB",
        *([f"{found} violated"] if found else []),
        *_used(event, bounds),
        f"{event.transitions:,} transitions",
        f"{event.entries:,} answers of the model",
    ]
    return f"{name}: {', '.join(parts)}"


def _rate(event: Progress, last: Progress | None) -> str:
    """The states per second since the last report, or since the start."""
    states, seconds = (last.states, last.seconds) if last else (0, 0.0)
    # Another engine may have begun anew in the meantime.
    if event.states < states or event.seconds <= seconds:
        return ""
    return f" ({(event.states - states) / (event.seconds - seconds):,.0f}/s)"


def _used(event: Progress, bounds: Bounds) -> Iterator[str]:
    """The used part of the limit that is nearest."""
    shares = {
        "the states": (event.states, bounds.max_states),
        "the time": (event.seconds, bounds.time_limit_seconds),
        "the memory": (event.memory_bytes, bounds.max_memory and bounds.max_memory.value()),
    }
    used = {name: value / limit for name, (value, limit) in shares.items() if limit}
    if used:
        name = max(used, key=lambda name: used[name])
        yield f"{min(used[name], 1):.0%} of {name} that may be used"


def _ignore(_event: Event) -> None:
    """Nobody watches."""
