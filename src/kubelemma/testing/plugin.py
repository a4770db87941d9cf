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
_ELSE = "(as kubelemma check does where nobody says)"
_WORDS = {
    "vacuous": ("v", "VACUOUS"),
    "suppressed": ("u", "SUPPRESSED"),
    "known": ("k", "KNOWN"),
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
        metavar="TIME",
        help="after how long the search of a scenario gives up, such as 90s or 5m",
    )
    group.addoption(
        "--kubelemma-no-cache",
        dest="kubelemma_cache",
        action="store_false",
        default=None,
        help="search, whatever earlier runs found out",
    )
    parser.addini(
        "kubelemma_engine", f"what searches: auto, plain, compiled, ... {_ELSE}", default=None
    )
    parser.addini(
        "kubelemma_time_limit",
        f"after how long the search of a scenario gives up, such as 90s or 5m {_ELSE}",
        default=None,
    )
    parser.addini(
        "kubelemma_files",
        "names of files that hold scenarios, as patterns",
        type="args",
        default=_FILES,
    )
    parser.addini(
        "kubelemma_load",
        f"Python files that bring controllers, events and properties, below the root {_ELSE}",
        type="args",
        default=None,
    )
    parser.addini(
        "kubelemma_fail_on",
        f"the severity from which on a violation fails: low, medium, high or critical {_ELSE}",
        default=None,
    )
    parser.addini(
        "kubelemma_inconclusive",
        "what a test is whose search was given up: fail or xfail",
        default="fail",
    )
    parser.addini(
        "kubelemma_cache",
        f"whether to use what earlier runs found out {_ELSE}",
        type="bool",
        default=None,
    )
    parser.addini(
        "kubelemma_save",
        "whether to keep counterexamples, to be replayed, and verdicts, in .kubelemma below the "
        f"root {_ELSE}",
        type="bool",
        default=None,
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

    It goes by the options of pytest, and then by those of ``kubelemma check``.
    """
    from .session import session_of  # noqa: PLC0415 - only where somebody uses the fixture

    try:
        return session_of(pytestconfig).means
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
