"""Checks as a function: from manifests or objects to a result that a test can ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn, Unpack, get_args

from kubelemma import api, recording
from kubelemma.model.manifests import InvalidInput, Position, Problem, did_you_mean
from kubelemma.model.visible import command_line
from kubelemma.properties.statement import Severity
from kubelemma.reports import text
from kubelemma.reports.document import PropertyReport, Report, Result, ScenarioReport
from kubelemma.reports.shown import shown
from kubelemma.solver.result import Verdict

from .given import NOTHING_WANTED, Given, Wanted, ask_about
from .telling import headline, told


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found out. Ask it, or let it assert.

    ``report`` is the whole result, from which every format can be rendered. ``warnings`` are about
    the input.
    """

    report: Report
    warnings: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        return f"<{text.outcome(shown(self.report))}>"

    def __str__(self) -> str:
        return text.render(self.report)

    def __bool__(self) -> NoReturn:
        """A result is no truth value: `assert check(...)` would pass whatever was found."""
        raise TypeError("a result is neither true nor false: ask for .verdict, or .assert_holds()")

    # What was found

    @property
    def result(self) -> Result:
        """Whether a check passes, what scenarios expect and severities taken into account."""
        return self.report.result

    @property
    def verdict(self) -> Verdict:
        """Violated if anything is, else inconclusive if anything is, else holds."""
        found = {scenario.verdict for scenario in self.report.scenarios}
        order = (Verdict.VIOLATED, Verdict.INCONCLUSIVE)
        return next((verdict for verdict in order if verdict in found), Verdict.HOLDS)

    @property
    def properties(self) -> tuple[PropertyReport, ...]:
        """All that was found out, scenario by scenario."""
        return tuple(prop for scenario in self.report.scenarios for prop in scenario.properties)

    @property
    def violations(self) -> tuple[PropertyReport, ...]:
        """What is violated, expected or not."""
        return self._with("violated")

    @property
    def inconclusive(self) -> tuple[PropertyReport, ...]:
        """What was not decided."""
        return self._with("inconclusive")

    @property
    def vacuous(self) -> tuple[PropertyReport, ...]:
        """What holds only because its premise never came true."""
        return self._with("vacuous")

    @property
    def states(self) -> int:
        """How many states were explored, up to symmetry, in all scenarios together."""
        return sum(scenario.statistics.states for scenario in self.report.scenarios)

    @property
    def story(self) -> str:
        """What leads to each violation, told; empty where nothing is violated."""
        return "\n\n".join(self._told(p for p in self.properties if p.story is not None))

    def _with(self, finding: str) -> tuple[PropertyReport, ...]:
        return tuple(prop for prop in self.properties if prop.finding == finding)

    # What a test asserts

    def assert_holds(self, *ids: str) -> None:
        """Fail, with the story, unless everything holds; or unless these properties do.

        What a scenario expects, what is suppressed, and severities below ``fail_on`` are respected
        where no property is named. Properties that are named must hold, and not just vacuously.

        Raises:
            AssertionError: something is violated or was not decided, or one of the properties was
                not asked about.
        """
        __tracebackhide__ = True
        if not ids:
            passed = Result.PASSED
            wrong = [p for p in self.properties if p.result(self.report.fail_on) is not passed]
        else:
            wrong = [prop for prop in self._named(ids) if prop.finding != "holds"]
        if wrong:
            raise AssertionError(
                "\n\n".join((text.outcome(shown(self.report)), *self._told(wrong)))
            )

    def assert_violated(self, *ids: str) -> None:
        """Fail unless something is violated; or unless each of these properties is, somewhere.

        Raises:
            AssertionError: it is not, or one of the properties was not asked about.
        """
        __tracebackhide__ = True
        found = {prop.id for prop in self.violations}
        missed = sorted({prop.id for prop in self._named(ids)} - found)
        if missed or not found:
            what = ", ".join(missed) or "anything"
            raise AssertionError(
                f"expected {what} to be violated\n\n{text.outcome(shown(self.report))}\n"
                + "\n".join(self._headlines(missed))
            )

    def _named(self, ids: Iterable[str]) -> list[PropertyReport]:
        __tracebackhide__ = True
        asked = {prop.id for prop in self.properties}
        for identifier in ids:
            if identifier not in asked:
                known = sorted(asked)
                raise AssertionError(
                    f"{identifier} was not asked about{did_you_mean(identifier, known)}: "
                    f"there are {', '.join(known)}"
                )
        return [prop for prop in self.properties if prop.id in ids]

    def _told(self, properties: Iterable[PropertyReport]) -> Iterator[str]:
        wanted = list(map(id, properties))
        for scenario, prop in self._pairs():
            if id(prop) in wanted:
                yield told(scenario, prop, self.report.fail_on)

    def _headlines(self, ids: Iterable[str]) -> Iterator[str]:
        wanted = set(ids)
        for scenario, prop in self._pairs():
            if prop.id in wanted:
                yield headline(scenario, prop, self.report.fail_on)

    def _pairs(self) -> Iterator[tuple[ScenarioReport, PropertyReport]]:
        for scenario in self.report.scenarios:
            for prop in scenario.properties:
                yield scenario, prop


def _no_policy(_known: Collection[str]) -> api.Policy:
    return api.Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How checks are made where a test does not say.

    Attributes:
        engine: what searches.
        workers: how many threads do, where the compiled engine searches.
        sampling: how the stateful engine draws runs.
        usual: what is asked; its paths do not matter.
        fail_on: the severity from which on a violation fails a check; None as `kubelemma check`.
        policy: which findings count, by the identifiers of all properties that there are.
        memory: what earlier runs found out; None searches anew.
        root: the folder below which counterexamples are kept, to be replayed; None to keep none.
        origin: the folder from which ``kubelemma replay`` is to be called.
    """

    engine: api.Engine = "auto"
    workers: int = 1
    sampling: api.Sampling | None = None
    usual: api.Question = NOTHING_WANTED
    fail_on: Severity | None = None
    policy: Callable[[Collection[str]], api.Policy] = _no_policy
    memory: api.Memory | None = None
    root: Path | None = None
    origin: Path | None = None

    def check(self, *given: Given, **wanted: Unpack[Wanted]) -> Checked:
        """The same as `kubelemma.testing.check`, with these means where it says nothing.

        Examples that Hypothesis draws are not remembered: there are many, and few come again.
        """
        drawn = (
            "hypothesis" in sys.modules and sys.modules["hypothesis"].currently_in_test_context()
        )
        means = replace(self, memory=None) if drawn else self
        return check(*given, means=means, **wanted)


def _is_drawing() -> bool:
    """Whether Hypothesis runs a test just now; if nobody has imported it, it does not."""
    hypothesis = sys.modules.get("hypothesis")
    return hypothesis is not None and bool(hypothesis.currently_in_test_context())


_USUAL = Means()


def check(
    *given: Given,
    engine: str = "",
    fail_on: str = "",
    means: Means = _USUAL,
    **wanted: Unpack[Wanted],
) -> Checked:
    """Check what may happen to workloads, as ``kubelemma check`` does.

    Args:
        *given: paths of manifests or scenarios, and objects: as plain data, or as types of
            `kubelemma.model.objects`.
        engine: what searches, such as ``plain``.
        fail_on: the severity from which on a violation makes ``assert_holds()`` fail.
        means: what else to do where nothing is said.
        **wanted: what is asked, see `Wanted`.

    Raises:
        InvalidInput: something is wrong with the input, or there is nothing to check.
        TypeError: an argument is not known.
    """
    asked = ask_about(given, wanted, means.usual)
    chosen = replace(
        means,
        engine=engine_called(engine) if engine else means.engine,
        fail_on=severity_called(fail_on) if fail_on else means.fail_on,
    )
    return Checked(explore(asked.cases, chosen, means.policy(asked.statements)), asked.warnings)


def explore(cases: Iterable[api.Case], means: Means, policy: api.Policy) -> Report:
    """Explore cases, keep the counterexamples where the means say so, and judge what is found."""
    asked = tuple(cases)
    found = [
        api.explore(
            case,
            engine=means.engine,
            workers=means.workers,
            memory=means.memory,
            sampling=means.sampling,
        )
        for case in asked
    ]
    return api.report(found, api.severity_for(asked, means.fail_on), _keep(found, means), policy)


def _keep(found: Iterable[api.Explored], means: Means) -> api.Repeater:
    """How a counterexample is repeated, where it could be kept on file."""
    commands: dict[str, str] = {}
    for explored in found if means.root is not None else ():
        for result in explored.result.properties:
            recorded = api.recording(explored, result)
            if recorded is not None and means.root is not None:
                try:
                    path = recording.save(recorded, means.root)
                except OSError:  # a folder that nobody may write to: the story is told all the same
                    continue
                commands[recorded.name] = _replay(path, recorded.name, means)

    def repeat(name: str) -> tuple[str, ...]:
        return (commands[name],) if name in commands else ()

    return repeat


def _replay(path: Path, name: str, means: Means) -> str:
    """The command, by name where the counterexample is looked for in the folder that it is in."""
    if means.origin is None or means.origin == means.root:
        return command_line(("kubelemma", "replay", name))
    near = path.relative_to(means.origin) if path.is_relative_to(means.origin) else path
    return command_line(("kubelemma", "replay", str(near)))


def engine_called(name: str) -> api.Engine:
    """The engine of this name.

    Raises:
        InvalidInput: there is none.
    """
    engines: tuple[api.Engine, ...] = get_args(api.Engine)
    return next((e for e in engines if e == name), None) or _unknown("engine", name, engines)


def severity_called(name: str) -> Severity:
    """The severity of this name.

    Raises:
        InvalidInput: there is none.
    """
    return next((s for s in Severity if s == name), None) or _unknown("fail_on", name, Severity)


def _unknown(what: str, name: str, options: Iterable[str]) -> NoReturn:
    known = list(options)
    message = f'"{name}" is not one of {", ".join(known)}{did_you_mean(name, known)}'
    raise InvalidInput([Problem(Position(what), "", message)])
