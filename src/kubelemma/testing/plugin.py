"""The plugin of pytest: ``*.check.yaml`` scenarios as tests, and the fixture ``kubelemma``.

pytest loads this module in every run. It imports nothing of kubelemma before somebody has a
scenario, or asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .marks import FINDING, PROGRAM, PROGRAM_TITLE, SERVED, WHY

if TYPE_CHECKING:
    from .checking import Means
    from .collecting import ScenarioFile

_FILES = ["*.check.yaml", "*.check.yml"]
_WORDS = {
    "vacuous": ("v", "VACUOUS"),
    "suppressed": ("u", "SUPPRESSED"),
    "mild": ("m", "MILD"),
}
"""What passes and is no plain success: its letter, and its word where pytest is verbose."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, on the command line and in the configuration file."""
    group = parser.getgroup("kubelemma", "kubelemma, model checking of Kubernetes manifests")
    group.addoption(
        "--kubelemma-engine", metavar="NAME", help="what searches: auto, plain, compiled, ..."
    )
    group.addoption(
        "--kubelemma-time-limit",
        metavar="SECONDS",
        help="after how long the search of a scenario gives up (60 where nobody says)",
    )
    parser.addini("kubelemma_engine", "what searches: auto, plain, compiled, ...", default="auto")
    parser.addini(
        "kubelemma_time_limit",
        "after how many seconds the search of a scenario gives up (60 where nobody says)",
        default="",
    )
    parser.addini(
        "kubelemma_files",
        "names of files that hold scenarios, as patterns",
        type="args",
        default=_FILES,
    )
    parser.addini(
        "kubelemma_load",
        "Python files that bring controllers, events and properties, below the root",
        type="args",
        default=[],
    )
    parser.addini(
        "kubelemma_fail_on",
        "the severity from which on a violation fails a test: low, medium, high or critical",
        default="low",
    )
    parser.addini(
        "kubelemma_inconclusive",
        "what a test is whose search was given up: fail or xfail",
        default="fail",
    )
    parser.addini(
        "kubelemma_save",
        "whether counterexamples are kept in .kubelemma/traces, to be replayed",
        type="bool",
        default=True,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let it be known that errors are shown here."""
    SERVED.append(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """And that they are no longer."""
    SERVED.remove(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """A file of scenarios; None for every other."""
    if not any(fnmatch(file_path.name, name) for name in parent.config.getini("kubelemma_files")):
        return None
    from .collecting import ScenarioFile  # noqa: PLC0415 - only where there is a scenario

    file: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return file


@pytest.fixture(scope="session")
def kubelemma(pytestconfig: pytest.Config) -> Means:
    """``kubelemma.check(...)`` checks manifests and objects; see `kubelemma.testing.check`.

    It goes by the engine, the time limit and the severity of pytest's configuration.
    """
    from .collecting import means_of  # noqa: PLC0415 - only where somebody uses the fixture

    try:
        return means_of(pytestconfig)
    except pytest.UsageError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - pytest looks at the name
    call: pytest.CallInfo[None],
) -> Iterator[None]:
    """Show the programs of failures, without the margin that errors have."""
    result: Any = yield
    if call.excinfo is not None:
        programs = dict.fromkeys(_programs(call.excinfo.value))
        result.get_result().sections.extend((PROGRAM_TITLE, text) for text in programs)


def _programs(error: BaseException) -> Iterator[str]:
    found = getattr(error, PROGRAM, None)
    if isinstance(found, str):
        yield found
    for inner in getattr(error, "exceptions", ()):
        yield from _programs(inner)


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, Any] | None:
    """A test that passed, though there is nothing to rejoice at, is counted apart."""
    finding = _noted(report, FINDING)
    if report.when != "call" or not report.passed or finding not in _WORDS:
        return None
    letter, word = _WORDS[finding]
    return finding, letter, (word, {"yellow": True})


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which tests passed though there is nothing to rejoice at, and why."""
    lines = [
        f"{_WORDS[finding][1]} {report.nodeid} - {_noted(report, WHY)}"
        for finding in _WORDS
        for report in terminalreporter.stats.get(finding, ())
    ]
    if lines and terminalreporter.verbosity > 0:
        terminalreporter.section("kubelemma: what passed, but is no plain success")
        for line in lines:
            terminalreporter.line(line)


def _noted(report: pytest.TestReport | pytest.CollectReport, name: str) -> str:
    """A user property of a report; empty where it has none of this name."""
    properties = getattr(report, "user_properties", ())
    return next((str(value) for known, value in properties if known == name), "")
