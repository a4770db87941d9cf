"""Counterexamples on file, and the commands that repeat them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from .session import Session

if TYPE_CHECKING:
    from kubelemma.api import Explored, Repeater


def keep_all(session: Session, found: Collection[Explored], *, save: bool) -> Repeater:
    """How a counterexample is repeated: from its file, or where that is not kept, by this check."""
    from kubelemma import api, recording
    from kubelemma.model.visible import command_line

    kept = set()
    seeds = {explored.result.statistics.seed for explored in found} - {None}
    for explored in found if save else ():
        for result in explored.result.properties:
            recorded = api.recording(explored, result)
            try:
                if recorded is not None:
                    recording.save(recorded, Path.cwd())
                    kept.add(recorded.name)
            except OSError as error:
                why = f"{recording.FOLDER}: {error.strerror or error}"
                session.tell(f"warning: a counterexample cannot be kept: {why}")

    def repeat(name: str) -> tuple[str, ...]:
        anew = _anew(session.command, seeds)
        command = ("kubelemma", "replay", name) if name in kept else anew
        return (command_line(command),)

    return repeat


_OWN = frozenset({"--checkpoint", "--report", "-o", "--output"})
"""Options with a value that are about this one run."""


def _anew(command: tuple[str, ...], seeds: Iterable[int | None]) -> tuple[str, ...]:
    """The command without its checkpoints, with which it could not be given a second time.

    Nor does it write its reports again. Where runs were drawn at random, it says with which seed.
    """
    words: list[str] = []
    for before, word in pairwise(("", *command)):
        attached = word.startswith("-o") or word == "--resume"
        own = attached or before in _OWN or word.partition("=")[0] in _OWN
        words += [] if own else [word]
    if not any(word.startswith("--seed") for word in words):
        words += [word for seed in seeds for word in ("--seed", str(seed))]
    return tuple(words)
