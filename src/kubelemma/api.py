"""The whole way from a question to its answers, for the command line and as a library.

::

    asked = ask(Question(paths=("deploy/",)))
    found = [explore(case) for case in asked.cases]
    print(text.render(report(found)))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from . import __version__
from .files import InUse, alone
from .leaving_open import doubted
from .loading import check_unchanged
from .model.manifests import Bounds, InvalidInput, Manifests, Position, Problem
from .model.scenario import key_of, owner_manifests, used_documents
from .model.system import System
from .policy import Policy, judge
from .properties.statement import Property, Severity
from .question import STDIN, Asked, Case, Question, ask
from .recording import LoadedCode, Recording, Source, file_name, name_of, steps_of, stream
from .remembering import Memory, Saying
from .reports.document import Report, ScenarioReport, property_report
from .reports.json import API_VERSION
from .reports.narrate import Written, narrate, narrate_steps
from .reports.narrate.moment import state_text, step_text
from .reports.story import Story, StoryStep
from .smaller import kept_seconds, with_smaller
from .solver.checkpoints import CheckpointError, Checkpoints
from .solver.events import Event, Listener
from .solver.influence import influence as influence_of
from .solver.limits import INTERRUPTED, Limits
from .solver.replay import Repeat, RepeatStatus, replay_steps
from .solver.result import CheckResult, Influence, PropertyResult, Statistics, Trace, Verdict
from .solver.simulate import simulate
from .solver.stateful.sampling import Sampling
from .vacuous import why

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "STDIN",
    "Asked",
    "Case",
    "Checkpoints",
    "Engine",
    "Explored",
    "Memory",
    "Policy",
    "Question",
    "Repeater",
    "Replayed",
    "Sampling",
    "Saying",
    "alone_in",
    "ask",
    "checkpoints_of",
    "explore",
    "not_explored",
    "recording",
    "recording_name",
    "replay",
    "report",
    "run_at_random",
    "severity_for",
    "state_graph",
]

Engine: TypeAlias = Literal["plain", "compiled", "auto", "stateful"]
"""The first three answer alike. ``compiled`` is faster on large systems, but takes seconds to start
the first time; ``auto`` starts plain and goes over to it where the search is not over in a moment.
``stateful`` draws runs at random, for systems that are too large to search: it refutes, and proves
nothing."""

EXHAUSTIVE: frozenset[Engine] = frozenset({"plain", "compiled", "auto"})
"""The engines that visit every state: a verdict of one of them is as good as that of another."""

_NO_POLICY = Policy()

Repeater: TypeAlias = Callable[[str], tuple[str, ...]]
"""Gives the commands that repeat a counterexample, by the name of its recording."""


@dataclass(frozen=True, slots=True)
class Explored:
    """A case, and what an engine found out about it."""

    case: Case
    result: CheckResult


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a recorded counterexample; ``story`` is None unless it still fails.

    ``asked`` has what is to be said of the manifests that it was replayed on.
    """

    repeat: Repeat
    property: Property
    story: Story | None
    asked: Asked


def _ignore(_event: Event) -> None:
    """Nobody listens."""


def explore(
    case: Case,
    listener: Listener = _ignore,
    engine: Engine = "auto",
    *,
    workers: int = 1,
    checkpoints: Checkpoints | None = None,
    memory: Memory | None = None,
    sampling: Sampling | None = None,
    without: Collection[str] = (),
) -> Explored:
    """Check the properties of a case, within the bounds of its Check.

    ``workers`` and ``checkpoints`` are the compiled engine's, for where it is what searches; the
    plain one does without. What ``memory`` knows from earlier runs is not searched for again.
    ``sampling`` is how the stateful engine draws runs. The reductions that are named ``without``
    are not used, by engines that visit every state.

    Raises:
        ModelError: the case is beyond what the compiled engine can count.
        CheckpointError: there is a checkpoint that may not, or cannot, be used.
        ExamplesError: the stateful engine cannot keep its failing runs where it should.
    """
    begun = time.process_time() - case.building_seconds

    def search(heard: Listener) -> CheckResult:
        if engine == "stateful":
            return _sampled(case, heard, sampling or Sampling())
        return _search(case, heard, engine, workers, checkpoints, without)

    if memory is None:
        result = search(listener)
    else:
        result = memory.result(case, listener, search, exhaustive=engine in EXHAUSTIVE)
    if case.sizes and engine in EXHAUSTIVE:

        def ask(smaller: Case) -> CheckResult:
            return _search(smaller, _ignore, engine, workers, None, without)

        result = with_smaller(case, result, ask, time.process_time() - begun)
    return Explored(case, result)


def _search(  # noqa: PLR0917 - what `explore` was given
    case: Case,
    listener: Listener,
    engine: Engine,
    workers: int,
    checkpoints: Checkpoints | None,
    without: Collection[str],
) -> CheckResult:
    """What an engine that visits every state finds out about a case."""
    # What is remembered needs no engine, and each takes longer to import than to remember.
    from .solver import compiled  # noqa: PLC0415
    from .solver.explore import check  # noqa: PLC0415
    from .solver.reductions.names import FUSION  # noqa: PLC0415
    from .solver.reductions.reducing import reduced  # noqa: PLC0415

    limits = replace(_limits_of(case), kept_seconds=kept_seconds(case))
    asked = (case.scenario.system, case.properties, limits, listener)
    if engine == "plain":
        return reduced(check, *asked, without)
    search = compiled.check if engine == "compiled" else compiled.best

    def searched(
        system: System, properties: Any, limits: Limits, heard: Listener, *, certified: bool
    ) -> CheckResult:
        kept = _kept(checkpoints, system, properties, case)
        how = partial(search, workers=workers, checkpoints=kept, certified=certified)
        return how(system, properties, limits, heard)

    with alone_in(checkpoints.folder) if checkpoints else nullcontext():
        if checkpoints is None:
            result = reduced(searched, *asked, without)
        else:
            # What is kept is what is searched in the end: nothing is tried before, or learned.
            result = reduced(searched, *asked, (*without, FUSION), 0)
    return _resumable(result, checkpoints)


def _kept(
    checkpoints: Checkpoints | None, system: System, properties: Iterable[Property], case: Case
) -> Checkpoints | None:
    """Where the search of a system is kept: that of the case, or one that stands for it."""
    found = tuple(properties)
    whole = system is case.scenario.system and found == tuple(case.properties)
    if checkpoints is None or whole:
        return checkpoints
    asked = [(prop.id, prop.subject) for prop in found]
    sizes = [(name, len(where)) for name, where in system.positions.items()]
    rules = [rule.name for rule in system.rules]
    return checkpoints.beside(
        blake2b(repr((sizes, rules, asked)).encode(), digest_size=6).hexdigest()
    )


def _sampled(case: Case, listener: Listener, sampling: Sampling) -> CheckResult:
    """What runs drawn at random find out about a case."""
    from .solver.stateful import engine  # noqa: PLC0415 - imports Hypothesis

    asked = (case.scenario.system, case.properties, _limits_of(case), listener)
    return engine.check(*asked, sampling=replace(sampling, name=case.scenario.name))


def _limits_of(case: Case) -> Limits:
    bounds = case.check.spec.bounds
    return Limits(
        max_states=bounds.max_states,
        time_limit_seconds=bounds.time_limit_seconds,
        max_memory_bytes=bounds.max_memory.value() if bounds.max_memory else None,
        spent_seconds=case.building_seconds,
    )


def _resumable(result: CheckResult, checkpoints: Checkpoints | None) -> CheckResult:
    """The result of a search; where a limit ended one that is kept, it says so."""
    if checkpoints is None or result.statistics.stopped_by is None:
        return result
    folder = checkpoints.used()
    if folder is None:
        return result
    how = f"the search is kept in {folder}: --resume goes on from there"
    properties = tuple(
        replace(found, reason=f"{found.reason}; {how}")
        if found.verdict is Verdict.INCONCLUSIVE
        else found
        for found in result.properties
    )
    return replace(result, properties=properties)


def checkpoints_of(
    cases: Iterable[Case], folder: Path, *, resume: bool = False
) -> tuple[Checkpoints, ...]:
    """Where the search of each case is kept below a folder: each in its own, named after it.

    Raises:
        CheckpointError: there is a checkpoint of one of them, but it is not to be resumed; or the
            folder cannot be written to.
    """
    names = _folder_names(case.scenario.name for case in cases)
    found = tuple(Checkpoints(folder / name, resume) for name in names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = [used for kept in found if (used := kept.used()) is not None]
    except OSError as error:
        message = f"no checkpoints can be kept in {folder}: {error.strerror}"
        raise CheckpointError(message) from error
    if taken and not resume:
        raise CheckpointError(
            f"{taken[0]} has a checkpoint already: resume it (--resume), or choose another folder"
        )
    return found


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Have a folder for checkpoints for this process and this block.

    Raises:
        CheckpointError: another process has it, or it cannot be written to.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(alone(folder))
        except InUse as error:
            message = f"{error}: wait until that ends, or choose another folder for checkpoints"
            raise CheckpointError(message) from error
        except OSError as error:
            message = f"no checkpoints can be kept in {folder}: {error.strerror}"
            raise CheckpointError(message) from error
        yield


def _folder_names(names: Iterable[str]) -> tuple[str, ...]:
    """A name for a folder for each; those that would be the same are numbered from the second."""
    found: list[str] = []
    for name in map(file_name, names):
        numbered = (f"{name}-{number}" for number in count(2))
        found.append(next(n for n in chain((name,), numbered) if n not in found))
    return tuple(found)


def not_explored(
    case: Case, reason: str = "interrupted before its turn", stopped_by: str = INTERRUPTED
) -> Explored:
    """The case of which nothing is known, because something came before its turn."""
    undecided = tuple(
        PropertyResult(prop, Verdict.INCONCLUSIVE, reason=reason) for prop in case.properties
    )
    return Explored(case, CheckResult("none", undecided, Statistics(stopped_by=stopped_by)))


def severity_for(cases: Iterable[Case], chosen: str | None = None) -> Severity:
    """The severity from which on a violation fails a check.

    Where nobody has chosen one it is high; but whoever names properties wants to know of them.
    """
    if chosen is not None:
        return Severity(chosen)
    named = all(case.check.spec.properties for case in cases)
    return Severity.LOW if named else Severity.HIGH


def report(
    found: Iterable[Explored],
    fail_on: Severity = Severity.LOW,
    repeat: Repeater = lambda _name: (),
    policy: Policy = _NO_POLICY,
    influence: int | None = None,
) -> Report:
    """The result document; stories end in the commands that ``repeat`` gives.

    What the manifests suppress does not count, nor what the policy excuses. With ``influence`` it
    has what depends on what: what is declared, and with a number above 0 what answers depend on in
    so many states.
    """
    explored = tuple(found)
    scenarios = tuple(_scenario_report(each, repeat, influence) for each in explored)
    rules = tuple(each.case.suppressions for each in explored)
    return judge(Report(__version__, scenarios, fail_on), rules, policy)


def _scenario_report(explored: Explored, repeat: Repeater, influence: int | None) -> ScenarioReport:
    scenario = explored.case.scenario
    expect = explored.case.check.spec.expect
    properties = tuple(
        property_report(
            found := _explained(doubted(result, explored.case), explored),
            expect.get(found.property.id),
            _story(explored, found, repeat),
            _position(explored.case, found.property.subject),
        )
        for result in explored.result.properties
    )
    return ScenarioReport(
        name=scenario.name,
        setting=_setting(explored),
        properties=properties,
        statistics=explored.result.statistics,
        not_modelled=explored.case.manifests.not_modelled,
        question=scenario.question,
        influence=None if influence is None else _influence(explored, influence),
    )


def _influence(explored: Explored, states: int) -> Influence:
    asked = tuple(found.property for found in explored.result.properties)
    return influence_of(explored.case.scenario.system, asked, states)


def _explained(found: PropertyResult, explored: Explored) -> PropertyResult:
    """What is found; where it says nothing, with the reason."""
    if not found.vacuous or found.reason:
        return found
    reason = why(found, explored.case.scenario, explored.result.statistics)
    return replace(found, reason=reason)


def _position(case: Case, subject: str) -> Position | None:
    """Where the object that a property is about is named; for all nodes, the first workload."""
    for kept in case.kept:
        if str(kept.object) == subject:
            return kept.document.at(("metadata", "name"))
    focus = {workload.cell for workload in case.scenario.world.workloads}
    wanted = {subject} & focus or focus
    for manifest in owner_manifests(case.manifests):
        if str(key_of(manifest.object)) in wanted:
            return manifest.document.at(("metadata", "name"))
    return None


def _setting(explored: Explored) -> tuple[str, ...]:
    """What the scenario assumes, and when the search gives up."""
    case = explored.case
    return (*case.scenario.setting, *_limits(case.check.spec.bounds))


def _limits(bounds: Bounds) -> Iterator[str]:
    """When the search gives up, in words."""
    parts = []
    if bounds.time_limit_seconds is not None:
        parts.append(f"{bounds.time_limit_seconds:g} s")
    if bounds.max_states is not None:
        parts.append(f"{bounds.max_states} states")
    if bounds.max_memory is not None:
        parts.append(f"{bounds.max_memory} of memory")
    if parts:
        yield f"search: gives up, as inconclusive, after {' or '.join(parts)}"


def _story(explored: Explored, found: PropertyResult, repeat: Repeater) -> Story | None:
    if found.trace is None:
        return None
    case = explored.case
    story = narrate(case.scenario, found.property, found.trace, _written(case))
    commands = repeat(recording_name(explored, found))
    return replace(story, allowed=_setting(explored), repeat=commands)


def _written(case: Case) -> Written:
    """What stories find the fields in that they speak of."""
    return Written(case.manifests, case.document)


def recording_name(explored: Explored, found: PropertyResult) -> str:
    """What the recording of a violation is called."""
    case = explored.case
    return name_of(case.scenario.name, found.property, case.properties)


def recording(explored: Explored, found: PropertyResult) -> Recording | None:
    """A violation with its input, to be kept on file; None where there is no counterexample."""
    if found.trace is None:
        return None
    case = explored.case
    return Recording(
        name=recording_name(explored, found),
        kubelemma_version=__version__,
        scenario=case.scenario.subject,
        property_id=found.property.id,
        subject=found.property.subject,
        steps=steps_of(found.trace),
        loop_start=found.trace.loop_start,
        check=_check_document(case),
        sources=tuple(_source_documents(case)),
        base=tuple(_documents(applying.base)) if (applying := case.applying) else (),
        prune=applying is not None and applying.prune,
        loaded=tuple(LoadedCode(file=f.path, digest=f.digest) for f in case.extension.files),
    )


def _check_document(case: Case) -> dict[str, Any]:
    """The Check in effect as it would be written, without paths: its manifests come with it."""
    check = case.check
    spec = msgspec.structs.replace(check.spec, resources=(), expect={})
    return {
        "apiVersion": API_VERSION,
        "kind": "Check",
        "metadata": {"name": check.metadata.name or "recorded"},
        "spec": msgspec.to_builtins(spec, enc_hook=str),
    }


def _source_documents(case: Case) -> Iterator[Source]:
    """The modelled objects as they were written, in the namespace in which they were checked.

    Of a change those that are applied.
    """
    yield from _documents(case.manifests if case.applying is None else case.applying.new)
    for document, data in used_documents(case.manifests, case.kept):
        yield Source(file=document.file, document=data)


def _documents(manifests: Manifests) -> Iterator[Source]:
    for manifest in manifests.objects:
        data = manifest.document.data
        namespace = manifest.object.metadata.namespace
        if namespace:
            data = {**data, "metadata": {**data["metadata"], "namespace": namespace}}
        yield Source(file=manifest.document.file, document=data)


def replay(
    recorded: Recording, manifests: tuple[str, ...] = (), load: tuple[str, ...] = ()
) -> Replayed:
    """Take the steps of a counterexample again, on its own manifests or on new ones.

    Of a change new ones are applied to what stood.
    What it was recorded with is loaded again, unless ``load`` names other files.

    Raises:
        InvalidInput: the new manifests cannot be read, or hold nothing that the steps are about; or
            a file that was loaded is gone, or has changed.
    """
    documents = [recorded.check]
    if not manifests:
        documents += [source.document for source in recorded.sources]
    files = load or tuple(code.file for code in recorded.loaded)
    if not load:
        check_unchanged((code.file, code.digest) for code in recorded.loaded)
    given, named = stream(documents), recorded.name
    asked = ask(
        Question(
            paths=(STDIN, *manifests),
            stdin=given,
            stdin_name=named,
            load=files,
            standing=stream(source.document for source in recorded.base),
            prune=recorded.prune,
        )
    )
    starts = [
        (case, prop, _repeated(recorded, case, prop)) for case, prop in _meant(recorded, asked)
    ]
    case, prop, again = next((s for s in starts if _fails(s[2])), starts[0])
    fails = _fails(again)
    story = narrate(case.scenario, prop, again.trace, _written(case)) if fails else None
    return Replayed(again, prop, story, asked)


def _repeated(recorded: Recording, case: Case, prop: Property) -> Repeat:
    steps = recorded.recorded_steps()
    return replay_steps(case.scenario.system, prop.formula, steps, recorded.loop_start)


def _fails(again: Repeat) -> bool:
    return again.status is RepeatStatus.STILL_FAILS


def _meant(recorded: Recording, asked: Asked) -> list[tuple[Case, Property]]:
    """What the recording is about; more than one where there are several starts."""
    found = [
        (case, prop)
        for case in asked.cases
        for prop in case.properties
        if (prop.id, prop.subject) == (recorded.property_id, recorded.subject)
        and case.scenario.subject == recorded.scenario
    ]
    found = [(case, prop) for case, prop in found if case.document is found[0][0].document]
    if found and all(case.manifests is found[0][0].manifests for case, _ in found):
        return found
    what = f"{recorded.property_id} of {recorded.subject}"
    message = f"nothing here is asked about {what}"
    if found:
        names = ", ".join(case.scenario.name for case, _ in found)
        message = f"several scenarios are about {what} ({names}): name the folder of one of them"
    raise InvalidInput([Problem(Position(recorded.name), "", message)])


def run_at_random(case: Case, seed: int, steps: int) -> tuple[Trace, tuple[StoryStep, ...]]:
    """One run of at most so many steps, each drawn evenly from all that are possible."""
    trace = simulate(case.scenario.system, seed, steps)
    return trace, narrate_steps(case.scenario, trace, _written(case))


def state_graph(case: Case, max_states: int = 1000) -> nx.MultiDiGraph[int]:
    """The states of a case as a graph, with labels for people; see `kubelemma.solver.graph`."""
    # Importing networkx takes longer than most checks.
    from .solver import graph  # noqa: PLC0415

    scenario = case.scenario
    return graph.state_graph(
        scenario.system,
        case.properties,
        max_states=max_states,
        describe=lambda state: state_text(scenario, state),
        tell=lambda before, step: step_text(scenario, before, step),
    )
