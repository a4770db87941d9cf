"""What the checks of one run of pytest have in common: how they are made, and what is left to say.

Of this package, only this module knows the command line: who starts pytest in a folder expects of
the options of ``kubelemma check`` what they do there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kubelemma import api
from kubelemma.cli.lending import Lent, lend
from kubelemma.cli.searching import EXAMPLES
from kubelemma.model.manifests import InvalidInput, Problem
from kubelemma.model.visible import visible
from kubelemma.policy import judge
from kubelemma.properties.statement import Severity
from kubelemma.remembering import CACHE
from kubelemma.reports.document import Report
from kubelemma.reports.style import plural

from .checking import Means

_NAME = "kubelemma-session"
_NAMES = {
    "engine": "kubelemma_engine",
    "time-limit": "kubelemma_time_limit",
    "load": "kubelemma_load",
    "fail-on": "kubelemma_fail_on",
    "cache": "kubelemma_cache",
    "save": "kubelemma_save",
}
"""Options of ``check``, and what pytest calls them."""


class Session:
    """How a run checks, what it has found out about scenarios, and a plugin that tells the rest."""

    def __init__(self, config: pytest.Config) -> None:
        """Read the options.

        Raises:
            InvalidInput: something is wrong with them.
        """
        self._warnings: list[str] = []
        self._explored: list[tuple[api.Case, Report, api.Policy]] = []
        lent = lend(dict(_given(config)), _NAMES)
        self.means = _means(lent, config, api.Saying(warn=self._warnings.append))

    def note(self, case: api.Case, report: Report, policy: api.Policy) -> None:
        """Take down what was found out about a scenario, and by which policy it was judged."""
        self._explored.append((case, report, policy))

    def pytest_sessionfinish(self) -> None:
        """Forget verdicts that were of no use for longest, where there are too many."""
        if self.means.memory is not None:
            self.means.memory.prune()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What is about no single test: suppressions that can go, and the like."""
        verbosity = terminalreporter.verbosity
        lines = (
            [*map(visible, self._warnings), *map(str, self._remarks())] if verbosity >= 0 else []
        )
        if verbosity > 0 and (remembered := sum(map(_is_remembered, self._reports()))):
            known = f"{remembered} of {plural(len(self._explored), 'scenario')}"
            lines.append(f"{known} remembered from earlier runs (--kubelemma-no-cache searches)")
        if lines:
            terminalreporter.section("kubelemma: notes")
            for line in lines:
                terminalreporter.line(line)

    def _reports(self) -> Iterator[Report]:
        return (report for _, report, _ in self._explored)

    def _remarks(self) -> tuple[Problem, ...]:
        """Which suppressions and known violations have outlived their reason in all scenarios."""
        if not self._explored:
            return ()
        cases, reports, policies = zip(*self._explored, strict=True)
        scenarios = tuple(scenario for report in reports for scenario in report.scenarios)
        whole = replace(reports[0], scenarios=scenarios)
        return judge(whole, [case.suppressions for case in cases], policies[0]).remarks


def session_of(config: pytest.Config) -> Session:
    """The checks of this run.

    Raises:
        UsageError: an option is wrong.
    """
    known: Session | None = config.pluginmanager.get_plugin(_NAME)
    if known is not None:
        return known
    if config.getini("kubelemma_inconclusive") not in ("fail", "xfail"):
        raise pytest.UsageError("kubelemma_inconclusive: expected fail or xfail")
    try:
        session = Session(config)
    except InvalidInput as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(session, _NAME)
    return session


def _given(config: pytest.Config) -> Iterator[tuple[str, Any]]:
    """What pytest's own options say, by the names of those of ``check``."""
    for key, name in _NAMES.items():
        value = config.getoption(name, None)
        value = config.getini(name) if value is None else value
        if key == "load" and value:
            value = [str(config.rootpath / file) for file in value]
        if value not in (None, "", []):
            yield key, value


def _means(lent: Lent, config: pytest.Config, saying: api.Saying) -> Means:
    """How checks are made; what is kept lies below the root, wherever pytest was started."""
    root, means = config.rootpath, lent.means
    memory = api.Memory(means.cache_dir or root / CACHE, root, saying, writes=means.save)
    sampling = means.sampling()
    if sampling.examples == EXAMPLES:
        sampling = replace(sampling, examples=root / EXAMPLES)
    policy = cache(lent.policy)

    def policy_here(known: Collection[str]) -> api.Policy:
        return replace(policy(frozenset(known)), folder=str(Path.cwd()))

    return Means(
        engine=means.engine,
        workers=means.workers,
        sampling=sampling,
        usual=lent.question,
        fail_on=Severity(lent.fail_on) if lent.fail_on else None,
        policy=policy_here,
        memory=memory if means.cache else None,
        root=root if means.save else None,
        origin=config.invocation_params.dir,
    )


def _is_remembered(report: Report) -> bool:
    return all(scenario.statistics.remembered for scenario in report.scenarios)
