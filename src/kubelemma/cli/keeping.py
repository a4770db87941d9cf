"""Counterexamples on file, and the commands that repeat them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from .session import Session

if TYPE_CHECKING:
    from kubelemma.api import Explored, Repeater


def keep_all(session: Session, found: Iterable[Explored], *, save: bool) -> Repeater:
    """How a counterexample is repeated: from its file, or where that is not kept, by this check."""
    from kubelemma import api, recording

    kept = set()
    for explored in found if save else ():
        for result in explored.result.properties:
            recorded = api.recording(explored, result)
            try:
                if recorded is not None:
                    recording.save(recorded, Path.cwd())
                    kept.add(recorded.name)
            except OSError as error:
                session.tell(f"warning: a counterexample cannot be kept: {error}")

    def repeat(name: str) -> tuple[str, ...]:
        command = ("kubelemma", "replay", name) if name in kept else _anew(session.command)
        return (shlex.join(command),)

    return repeat


def _anew(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command without its checkpoints, with which it could not be given a second time."""
    words: list[str] = []
    for before, word in pairwise(("", *command)):
        kept = before == "--checkpoint" or word.startswith("--checkpoint") or word == "--resume"
        words += [] if kept else [word]
    return tuple(words)
