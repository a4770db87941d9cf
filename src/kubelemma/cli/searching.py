"""How ``kubelemma check`` searches: one case after the other, by the means that options choose."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click

from .exit import was_interrupted
from .progress import counted, progress_line
from .session import Session

if TYPE_CHECKING:
    from kubelemma.api import Case, Checkpoints, Engine, Explored, Memory, Sampling
    from kubelemma.reports.document import Report
    from kubelemma.solver.events import Event, Listener
    from kubelemma.solver.result import CheckResult

ENGINES = ("plain", "compiled", "auto", "stateful")

EXAMPLES = Path(".kubelemma") / "examples"
"""Where the stateful engine keeps failing runs, below the working directory."""

FAIL_FAST = "fail-fast"
ERROR = "error"
"""Why a case was not searched, as ``Statistics.stopped_by`` tells it."""

NOT_SEARCHED = "not searched: --fail-fast stops at the first failure"

Fails: TypeAlias = "Callable[[Explored], bool]"
"""Whether what was found out about a case makes the check fail."""


class Means(NamedTuple):
    """How to search, and whether to keep what is found out."""

    engine: Engine
    workers: int
    checkpoint: Path | None
    resume: bool
    cache: bool
    cache_dir: Path | None
    fail_fast: bool
    save: bool
    seed: int | None
    runs: int | None
    steps: int | None
    examples: Path | None
    no_reduction: tuple[str, ...]

    def sampling(self) -> Sampling:
        """How the stateful engine draws runs."""
        from kubelemma.api import Sampling

        given = {"seed": self.seed, "runs": self.runs, "steps": self.steps}
        chosen: dict[str, Any] = {n: value for n, value in given.items() if value is not None}
        return replace(Sampling(examples=self.examples), **chosen)


class Outcome(NamedTuple):
    """What was found out about each case, and the first error, which costs only its own case."""

    found: tuple[Explored, ...]
    error: Exception | None = None


def means_of(**given: Any) -> Means:
    """How to search, unless the options contradict each other."""
    means = Means(**given)
    for name in ("seed", "runs", "steps", "examples"):
        if means.engine != "stateful" and getattr(means, name) is not None:
            raise click.UsageError(f"--{name} is for runs drawn at random: add --engine stateful")
    if means.engine == "stateful":
        if means.workers > 1:
            raise click.UsageError("the stateful engine has a single worker: leave out --workers")
        if means.checkpoint is not None:
            raise click.UsageError(
                "the stateful engine keeps no checkpoints, but failing runs: use --examples DIR"
            )
        kept = EXAMPLES if means.save else None
        means = means._replace(examples=means.examples or kept)
    _check_reductions(means)
    if means.resume and means.checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint DIR: where the search was kept")
    if means.engine == "plain" and means.workers > 1:
        raise click.UsageError("the plain engine has a single worker: leave out --workers")
    if means.engine == "plain" and means.checkpoint is not None:
        raise click.UsageError("the plain engine keeps no checkpoints: leave out --checkpoint")
    return means


def _check_reductions(means: Means) -> None:
    """Whoever switches a reduction off wants to see a search without it."""
    from kubelemma.model.findings import did_you_mean
    from kubelemma.solver.reductions.names import ALL, REDUCTIONS

    for name in means.no_reduction:
        known = (*REDUCTIONS, ALL)
        if name not in known:
            hint = did_you_mean(name, known)
            there = f"{', '.join(REDUCTIONS)}, and {ALL} of them"
            raise click.UsageError(f'--no-reduction: there is no "{name}"{hint}, but {there}')
    if means.no_reduction and means.engine == "stateful":
        raise click.UsageError("the stateful engine uses no reduction: leave out --no-reduction")


def explore_all(session: Session, cases: tuple[Case, ...], means: Means, fails: Fails) -> Outcome:
    """Explore one case after the other.

    An interrupt (Ctrl-C, or SIGTERM, with which CI servers and containers end what takes too long)
    ends the one at hand and skips the rest; with ``--fail-fast`` so does the first
    that fails, and what earlier runs have found out is looked at before anything is searched.

    Raises:
        Exception: nothing was found out at all, because of this.
    """
    with _heeding_sigterm():
        if means.engine == "stateful":
            means = means._replace(examples=_examples(session, means.examples))
            with _hypothesis_at_home(means.examples):
                return _explore_all(session, cases, means, fails)
        return _explore_all(session, cases, means, fails)


@contextmanager
def _heeding_sigterm() -> Iterator[None]:
    """Let SIGTERM interrupt as Ctrl-C does; Python allows that in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _examples(session: Session, folder: Path | None) -> Path | None:
    """The folder for examples; none where nobody has chosen one, and ours cannot be written to."""
    if folder != EXAMPLES:
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK) else os.strerror(errno.EACCES)
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        session.tell(f"warning: failing runs cannot be kept: {folder}: {why}")
    return None if why else folder


@contextmanager
def _hypothesis_at_home(examples: Path | None) -> Iterator[None]:
    """Let Hypothesis keep its own notes beside the examples, and not in the working directory."""
    from hypothesis.configuration import set_hypothesis_home_dir

    with TemporaryDirectory() as away:
        set_hypothesis_home_dir(Path(away) if examples is None else examples / "hypothesis")
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def _explore_all(session: Session, cases: tuple[Case, ...], means: Means, fails: Fails) -> Outcome:
    from kubelemma import api

    with api.alone_in(means.checkpoint) if means.checkpoint else nullcontext():
        return _explore_here(session, cases, means, fails)


def _explore_here(session: Session, cases: tuple[Case, ...], means: Means, fails: Fails) -> Outcome:
    memory = _memory(session, means)
    kept = _kept(session, cases, means)
    known = tuple(_known(case, memory, means) for case in cases) if means.fail_fast else ()
    if any(map(fails, known)):
        return Outcome(known)
    outcome = _explore_each(session, tuple(zip(cases, kept, strict=True)), means, memory, fails)
    if memory is not None:
        memory.prune()
    if outcome.error is not None and all(_is_lost(explored) for explored in outcome.found):
        raise outcome.error
    return outcome


def _explore_each(
    session: Session,
    cases: Sequence[tuple[Case, Checkpoints | None]],
    means: Means,
    memory: Memory | None,
    fails: Fails,
) -> Outcome:
    from kubelemma import api

    found: list[Explored] = []
    errors: list[Exception] = []
    for number, (case, kept) in enumerate(cases, 1):
        stopped = found and _stops(found[-1], means, fails)
        if stopped:
            found.append(api.not_explored(case, *stopped))
            continue
        try:
            session.detail(_described(case))
            name = counted(case.scenario.name, number, len(cases))
            with progress_line(session, name, case.check.spec.bounds) as listener:
                explored = api.explore(
                    case,
                    listener,
                    means.engine,
                    workers=means.workers,
                    checkpoints=kept,
                    memory=memory,
                    sampling=means.sampling(),
                    without=means.no_reduction,
                )
        except KeyboardInterrupt:  # before the search, or after it
            explored = api.not_explored(case)
        except Exception as error:  # noqa: BLE001 - told in the end, when nothing is lost by it
            errors.append(error)
            explored = api.not_explored(case, f"not searched: {error}", ERROR)
        found.append(explored)
    return Outcome(tuple(found), errors[0] if errors else None)


def _stops(last: Explored, means: Means, fails: Fails) -> tuple[str, str] | None:
    """Why nothing more is searched after this case, in words and in one; None if it is."""
    from kubelemma.solver.limits import INTERRUPTED

    stopped_by = last.result.statistics.stopped_by
    if was_interrupted([stopped_by]):
        return "interrupted before its turn", INTERRUPTED
    if stopped_by == FAIL_FAST or (means.fail_fast and fails(last)):
        return NOT_SEARCHED, FAIL_FAST
    return None


def _is_lost(explored: Explored) -> bool:
    """Whether an error came instead of a search."""
    return explored.result.statistics.stopped_by == ERROR


def _known(case: Case, memory: Memory | None, means: Means) -> Explored:
    """What earlier runs have found out about the case, without any search."""
    from kubelemma import api
    from kubelemma.remembering import with_earlier

    nothing = api.not_explored(case, NOT_SEARCHED, FAIL_FAST)
    if memory is None:
        return nothing
    remembered = memory.recall(case) if means.engine in api.EXHAUSTIVE else None
    if remembered is not None:
        return api.Explored(case, remembered)
    return replace(nothing, result=with_earlier(nothing.result, memory.still_failing(case)))


def with_tried(session: Session, report: Report, cases: Sequence[Case], means: Means) -> Report:
    """The report, with what came of the repairs that it advises; as it is after an interrupt."""
    from kubelemma.repairs import with_trials

    with _heeding_sigterm():
        try:
            return with_trials(report, cases, _trying(session, means))
        except KeyboardInterrupt:
            return report


def _trying(session: Session, means: Means) -> Callable[[Case, int], CheckResult]:
    """How a repaired case is searched, in so many states; what is remembered is not searched."""
    memory = _memory(session, means, tells=False)  # what there is to say, the search has said

    def explore(case: Case, states: int) -> CheckResult:
        def search(heard: Listener) -> CheckResult:
            from kubelemma.solver.explore import check
            from kubelemma.solver.limits import Limits

            return check(case.scenario.system, case.properties, Limits(states), heard)

        if memory is None:
            return search(_ignore)
        return memory.result(case, _ignore, search, exhaustive=True)

    return explore


def _ignore(_event: Event) -> None:
    """Nobody listens."""


def _memory(session: Session, means: Means, *, tells: bool = True) -> Memory | None:
    """What earlier runs found out, unless nobody wants to know."""
    from kubelemma.remembering import CACHE, Memory, Saying

    if not means.cache or means.no_reduction:
        return None
    saying = Saying(warn=session.tell, detail=session.detail) if tells else Saying()
    return Memory(means.cache_dir or CACHE, Path.cwd(), saying, writes=means.save)


def _kept(
    session: Session, cases: tuple[Case, ...], means: Means
) -> tuple[Checkpoints | None, ...]:
    """Where the search of each case is kept, if it is."""
    from kubelemma import api

    folder = means.checkpoint
    if folder is None:
        return (None,) * len(cases)
    kept = api.checkpoints_of(cases, folder, resume=means.resume)
    if means.resume and not any(where.used() for where in kept):
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
