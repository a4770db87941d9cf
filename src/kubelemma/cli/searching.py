"""How ``kubelemma check`` searches: one case after the other, by the means that options choose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .exit import was_interrupted
from .progress import progress_line
from .session import Session

if TYPE_CHECKING:
    from kubelemma.api import Case, Checkpoints, Engine, Explored

ENGINES = ("plain", "compiled", "auto")


class Means(NamedTuple):
    """How to search."""

    engine: Engine
    workers: int
    checkpoint: Path | None
    resume: bool


def means_of(**given: Any) -> Means:
    """How to search, unless the options contradict each other."""
    means = Means(**given)
    if means.resume and means.checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint DIR: where the search was kept")
    if means.engine == "plain" and means.workers > 1:
        raise click.UsageError("the plain engine has a single worker: leave out --workers")
    if means.engine == "plain" and means.checkpoint is not None:
        raise click.UsageError("the plain engine keeps no checkpoints: leave out --checkpoint")
    return means


def explore_all(session: Session, cases: tuple[Case, ...], means: Means) -> list[Explored]:
    """Explore one case after the other; an interrupt ends the one at hand and skips the rest."""
    from kubelemma import api

    found: list[Explored] = []
    for case, kept in zip(cases, _kept(session, cases, means), strict=True):
        if was_interrupted(explored.result.statistics.stopped_by for explored in found):
            found.append(api.not_explored(case))
            continue
        session.detail(_described(case))
        with progress_line(session, case.scenario.name, case.check.spec.bounds) as listener:
            explored = api.explore(
                case, listener, means.engine, workers=means.workers, checkpoints=kept
            )
        found.append(explored)
    return found


def _kept(
    session: Session, cases: tuple[Case, ...], means: Means
) -> tuple[Checkpoints | None, ...]:
    """Where the search of each case is kept, if it is."""
    from kubelemma import api

    folder = means.checkpoint
    if folder is None:
        return (None,) * len(cases)
    kept = api.checkpoints_of(cases, folder, resume=means.resume)
    if means.resume and not any(where.folder.exists() for where in kept):
        session.tell(f"warning: there is no checkpoint in {folder}: starting from the beginning")
    return kept


def _described(case: Case) -> str:
    system = case.scenario.system
    families = sum(len(family.initial) for family in system.families)
    return (
        f"exploring {case.scenario.name}: {len(system.cells)} cells and {families} in families, "
        f"{len(system.tallies) + len(system.bests)} summaries, {len(system.rules)} rules, "
        f"{len(case.properties)} properties"
    )
