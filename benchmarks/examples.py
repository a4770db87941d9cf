"""All examples of checks, and Deployments that are rolled out at some scale, before and after.

usage: python benchmarks/examples.py [--json FILE] [--compare OLD.json] [--repeat N] [NAME...]

Each is searched in this process, from its input anew for every run. Prints a table: what was
visited, what ended the search where it was not complete, seconds of the processor (the median of
the runs, compiling and building not included), and the verdicts with the lengths of their stories:
``9 steps, loop of 2`` are nine, of which the last two repeat for ever. A search that a limit ends
is run once; what it has visited until then says more of the machine than of the model.

``--json`` keeps all this for a later ``--compare``, which prints what has changed: states and
seconds with the factor between them, where both searches were complete, and each verdict and each
story that is another one now.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Literal, NamedTuple, TypeAlias, get_args

import msgspec
from control_plane import DEPLOYMENT
from tabulate import tabulate

from kubelemma import api
from kubelemma.reports.style import plural
from kubelemma.solver.compiled.warming import use_all
from kubelemma.solver.result import CheckResult, PropertyResult

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
OWN = EXAMPLES / "own-controller"

LOADED = {
    "own-controller": (OWN / "shop_operator.py", OWN / "promises.py"),
    "own-controller-control": (OWN / "shop_operator.py", OWN / "promises.py"),
    "own-controller-repaired": (
        EXAMPLES / "own-controller-repaired" / "shop_operator.py",
        OWN / "promises.py",
    ),
}
"""The files that examples are to be checked with, as they say themselves."""

NODES = "count=3,cpu=32,memory=64Gi"

SCALE = {
    "scale-rollout": (3, ("rollout=web",)),
    "scale-rollout-and-scale": (3, ("rollout=web", "scale=web:5")),
    "scale-rollout-crash": (3, ("rollout=web", "node-crash=1")),
    "scale-two-rollout-crash-probe": (2, ("rollout=web", "node-crash=1", "probe-failure=web")),
}
"""The replicas of one Deployment on three nodes with room for all, and what may happen to it."""

ORDER = ("violated", "inconclusive", "vacuous", "holds")
"""In which verdicts are counted."""

HEADERS = ("SCENARIO", "STATES", "TRANSITIONS", "DEPTH", "ENDED BY", "SECONDS", "VERDICTS")
CHANGES = (
    *("SCENARIO", "STATES BEFORE", "AFTER", "FACTOR", "SECONDS BEFORE", "AFTER", "FACTOR"),
    *("ENDED BY",),
)

EngineName: TypeAlias = Literal["plain", "compiled", "auto"]
Row: TypeAlias = tuple[object, ...]
Key: TypeAlias = tuple[str, str, str]
"""A scenario, a property, and the object that it is about."""


class Answer(msgspec.Struct, frozen=True):
    """A verdict; where there is a counterexample, its steps, and those that repeat for ever."""

    id: str
    subject: str
    verdict: str
    steps: int | None = None
    repeating: int | None = None

    @property
    def story(self) -> str:
        """How long the story is; empty where there is none."""
        if self.steps is None:
            return ""
        steps = plural(self.steps, "step")
        return steps if self.repeating is None else f"{steps}, loop of {self.repeating}"


class Measured(msgspec.Struct, frozen=True):
    """What is found out about one scenario; ``stopped_by`` is None if all states were visited."""

    name: str
    states: int
    transitions: int
    depth: int
    exhaustive: bool
    stopped_by: str | None
    seconds: float
    runs: int
    properties: tuple[Answer, ...]


class Document(msgspec.Struct, frozen=True):
    """One run of this script."""

    engine: EngineName
    limit_seconds: float
    scenarios: tuple[Measured, ...]


class Problem(NamedTuple):
    """A question with the name that tables have for it."""

    name: str
    question: api.Question


def problems(names: Iterable[str], limit_seconds: float) -> tuple[Problem, ...]:
    """All, or those of these names."""
    found = {each.name: each for each in chain(_examples(limit_seconds), _scale(limit_seconds))}
    wanted = tuple(names) or tuple(found)
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise SystemExit(f"there is no {', '.join(unknown)}; there are {', '.join(found)}")
    return tuple(found[name] for name in wanted)


def _examples(limit_seconds: float) -> Iterator[Problem]:
    for folder in sorted(path for path in EXAMPLES.iterdir() if path.is_dir()):
        if not folder.name.startswith("placement-"):
            load = tuple(map(str, LOADED.get(folder.name, ())))
            question = api.Question(
                paths=(str(folder),), load=load, time_limit_seconds=limit_seconds
            )
            yield Problem(folder.name, question)


def _scale(limit_seconds: float) -> Iterator[Problem]:
    for name, (replicas, events) in SCALE.items():
        question = api.Question(
            paths=(api.STDIN,),
            stdin=DEPLOYMENT.format(name="web").replace("replicas: 3", f"replicas: {replicas}"),
            nodes=(NODES,),
            events=events,
            time_limit_seconds=limit_seconds,
        )
        yield Problem(name, question)


def measured(problem: Problem, engine: EngineName, repeat: int) -> Iterator[Measured]:
    """What an engine finds out about each scenario of a problem."""
    for index, case in enumerate(cases := api.ask(problem.question).cases):
        results, seconds = _runs(problem, index, engine, repeat)
        counts = results.statistics
        yield Measured(
            name=problem.name if len(cases) == 1 else f"{problem.name}: {case.scenario.name}",
            states=counts.states,
            transitions=counts.transitions,
            depth=counts.depth,
            exhaustive=counts.exhaustive,
            stopped_by=counts.stopped_by,
            seconds=round(median(seconds), 4),
            runs=len(seconds),
            properties=tuple(sorted(map(_answer, results.properties), key=_identity)),
        )


def _runs(
    problem: Problem, index: int, engine: EngineName, repeat: int
) -> tuple[CheckResult, list[float]]:
    """What is found, and the seconds of each run; there is but one that a limit ends."""
    seconds: list[float] = []
    while True:
        case = api.ask(problem.question).cases[index]
        gc.collect()  # not in the middle of it
        start = time.process_time()
        result = api.explore(case, engine=engine).result
        seconds.append(time.process_time() - start)
        if len(seconds) >= repeat or result.statistics.stopped_by:
            return result, seconds


def _answer(found: PropertyResult) -> Answer:
    trace = found.trace
    loop = None if trace is None else trace.loop_start
    return Answer(
        id=found.property.id,
        subject=found.property.subject,
        verdict="vacuous" if found.vacuous else str(found.verdict),
        steps=None if trace is None else len(trace.steps),
        repeating=None if trace is None or loop is None else len(trace.steps) - loop,
    )


def _identity(answer: Answer) -> tuple[str, str]:
    return answer.id, answer.subject


def row(found: Measured) -> Row:
    """A line of the table."""
    ended = found.stopped_by or ("" if found.exhaustive else "a bound")
    numbers = (f"{found.states:,}", f"{found.transitions:,}", found.depth)
    return (found.name, *numbers, ended, f"{found.seconds:.3f}", _verdicts(found.properties))


def _verdicts(answers: tuple[Answer, ...]) -> str:
    """How often there is each verdict, with the violations and their stories."""
    counts = Counter(answer.verdict for answer in answers)
    several = len({answer.subject for answer in answers if answer.story}) > 1
    told = []
    for answer in answers:
        if answer.story:
            whose = f" of {answer.subject.rpartition('/')[2]}" if several else ""
            told.append(f"{answer.id}{whose}: {answer.story}")
    parts = [f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict]]
    if told:
        parts[0] += f" ({'; '.join(told)})"
    return ", ".join(parts)


def changes(before: Document, after: Document) -> str:
    """What has changed from one run of this script to another, as tables."""
    old = {found.name: found for found in before.scenarios}
    new = {found.name: found for found in after.scenarios}
    names = tuple(dict.fromkeys((*new, *old)))
    both = [(old[name], new[name]) for name in names if name in old and name in new]
    rows = [_difference(old.get(name), new.get(name)) for name in names]
    rows.append(_total([pair for pair in both if _is_complete(*pair)]))
    parts = [tabulate(rows, CHANGES, disable_numparse=True, colalign=_ALIGNED)]
    for what, shown in (("VERDICT", _verdict), ("STORY", _story)):
        found = tuple(_different(both, shown))
        headers = ("SCENARIO", "PROPERTY", "SUBJECT", f"{what} BEFORE", "AFTER")
        nothing = f"{what}: as before everywhere"
        parts.append(tabulate(found, headers, disable_numparse=True) if found else nothing)
    return "\n\n".join(parts)


_ALIGNED = ("left", *("right",) * 6, "left")


def _verdict(answer: Answer | None) -> str:
    return "" if answer is None else answer.verdict


def _story(answer: Answer | None) -> str:
    return "" if answer is None else answer.story


def _difference(before: Measured | None, after: Measured | None) -> Row:
    """A line for a scenario, which one of the two runs may be without."""
    name = (after or before or _NOTHING).name
    states = [f"{found.states:,}" if found else "" for found in (before, after)]
    seconds = [f"{found.seconds:.3f}" if found else "" for found in (before, after)]
    ended = [found.stopped_by or "" if found else "absent" for found in (before, after)]
    how = "" if not any(ended) else " -> ".join(each or "its end" for each in ended)
    if before is None or after is None or not _is_complete(before, after):
        return (name, *states, "", *seconds, "", how)
    more = factor(before.states, after.states)
    return (name, *states, more, *seconds, factor(before.seconds, after.seconds), how)


_NOTHING = Measured(
    "", 0, 0, 0, exhaustive=False, stopped_by=None, seconds=0, runs=0, properties=()
)


def _total(both: list[tuple[Measured, Measured]]) -> Row:
    """A line for all that are complete in both runs."""
    states = [sum(pair[i].states for pair in both) for i in (0, 1)]
    seconds = [sum(pair[i].seconds for pair in both) for i in (0, 1)]
    return (
        f"together, the {len(both)} that are complete",
        *(f"{each:,}" for each in states),
        factor(*states),
        *(f"{each:.3f}" for each in seconds),
        factor(*seconds),
        "",
    )


def _is_complete(*found: Measured) -> bool:
    return all(each.stopped_by is None for each in found)


def factor(before: float, after: float) -> str:
    """How many times as much there is."""
    return f"{after / before:.2f}" if before else ""


def _different(
    both: Iterable[tuple[Measured, Measured]], shown: Callable[[Answer | None], str]
) -> Iterator[Row]:
    """A line for each property of which something else is shown now."""
    for pair in both:
        before, after = map(_by_key, pair)
        for key in sorted({*before, *after}):
            was, now = shown(before.get(key)), shown(after.get(key))
            if was != now:
                yield (*key, was or "-", now or "-")


def _by_key(found: Measured) -> Mapping[Key, Answer]:
    return {(found.name, answer.id, answer.subject): answer for answer in found.properties}


def _about(document: Document, names: Iterable[str]) -> Document:
    """What an earlier run found out about what is asked now."""
    wanted = set(names)
    kept = [s for s in document.scenarios if not wanted or s.name.partition(": ")[0] in wanted]
    return msgspec.structs.replace(document, scenarios=tuple(kept))


def main() -> None:
    """Search, print the table, and what has changed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of an example; all by default")
    parser.add_argument("--engine", choices=get_args(EngineName), default="compiled")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each search")
    parser.add_argument("--limit-seconds", type=float, default=60, help="of each search")
    parser.add_argument("--json", type=Path, metavar="FILE", help="to write what is found to")
    parser.add_argument("--compare", type=Path, metavar="OLD.json", help="an earlier FILE")
    given = parser.parse_args()
    before = given.compare and msgspec.json.decode(given.compare.read_bytes(), type=Document)
    asked = problems(given.names, given.limit_seconds)
    if given.engine != "plain":
        use_all()
    found = chain.from_iterable(measured(each, given.engine, given.repeat) for each in asked)
    document = Document(given.engine, given.limit_seconds, tuple(found))
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    rows = [row(each) for each in document.scenarios]
    aligned = ("left", *("right",) * 3, "left", "right", "left")
    print(tabulate(rows, HEADERS, disable_numparse=True, colalign=aligned))
    if before:
        print(f"\n{changes(_about(before, given.names), document)}")


if __name__ == "__main__":
    main()
