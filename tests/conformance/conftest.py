"""What the conformance tests share: the recorded answers, and the count of cases they agree with.

The data lies beside the project, in ``../shared/conformance``. Where it is absent, the tests that
ask for it are skipped with that reason.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))  # for the modules of wired/, which tests share

CONFORMANCE = Path(__file__).resolve().parents[3] / "shared" / "conformance"

Case = dict[str, Any]
Packed = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """How many cases of each data file agree, are skipped (with the reason), or differ."""

    agreed: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    differing: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def passed(self, file: str) -> None:
        """Count one case of the file that agrees."""
        self.agreed[file] += 1

    def skipped(self, file: str, reason: str) -> None:
        """Count one case of the file that is not compared, and say why."""
        self.left_out[file][reason] += 1

    def failed(self, file: str, case: str, difference: str) -> None:
        """Count one case of the file that differs; ``verify`` turns it into a failed test."""
        self.differing[file].append(f"{case}: {difference}")

    def verify(self, file: str) -> None:
        """Fail the running test if a case of the file differs, or if none was compared at all."""
        differing = self.differing[file]
        if differing:
            shown = "\n".join(differing[:10])
            pytest.fail(f"{file}: {len(differing)} cases differ, the first being\n{shown}")
        if not self.agreed[file]:
            pytest.fail(f"{file}: no case was compared")

    def packed(self) -> Packed:
        """All counts, as plain data."""
        left_out = {file: dict(reasons) for file, reasons in self.left_out.items()}
        return {
            "agreed": dict(self.agreed),
            "left_out": left_out,
            "differing": dict(self.differing),
        }

    def add(self, packed: Packed) -> None:
        """Add what another tally has counted."""
        self.agreed.update(packed["agreed"])
        for file, reasons in packed["left_out"].items():
            self.left_out[file].update(reasons)
        for file, cases in packed["differing"].items():
            self.differing[file] += cases

    def files(self) -> list[str]:
        """All files of which a case was counted, sorted."""
        return sorted({*self.agreed, *self.left_out, *(f for f, d in self.differing.items() if d)})

    def lines(self) -> Iterator[str]:
        """The table for the terminal: one line a file, and one for each reason to skip."""
        width = max((len(f) for f in self.files()), default=0)
        yield f"{'file':{width}}  passed  skipped  failed"
        for file in self.files():
            reasons = self.left_out.get(file, Counter())
            failed = len(self.differing.get(file, ()))
            yield f"{file:{width}}  {self.agreed[file]:6}  {reasons.total():7}  {failed:6}"
            for reason, count in sorted(reasons.items()):
                yield f"{'':{width}}  {count} skipped: {reason}"


_TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the run one tally."""
    config.stash[_TALLY] = Tally()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was counted to the process that sums up, where there are several."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["conformance"] = session.config.stash[_TALLY].packed()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what another process has counted; one that broke down has nothing to give."""
    packed = getattr(node, "workeroutput", {}).get("conformance")
    if packed:
        node.config.stash[_TALLY].add(packed)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table of cases by data file."""
    tally = config.stash[_TALLY]
    if tally.files():
        terminalreporter.section("conformance cases")
        for line in tally.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """The tally of this run."""
    return pytestconfig.stash[_TALLY]


def _existing(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"conformance data is absent: ../shared/conformance/{path.parent.name}")
    return path


@pytest.fixture(scope="session")
def upstream() -> Callable[[str], list[Case]]:
    """Read a table of ``conformance/upstream`` by name (no suffix).

    The cases keep their fields (id, name, source, input, expect, tags); ``test`` and ``note`` of
    their group are added.
    """

    def read(name: str) -> list[Case]:
        table = json.loads(_existing(CONFORMANCE / "upstream" / f"{name}.json").read_text())
        return [
            {**case, "test": group["test"], "note": group.get("note", "")}
            for group in table["groups"]
            for case in group["cases"]
        ]

    return read


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], list[Case]]:
    """Read the recorded problems of ``conformance/oracle`` by name (no suffix)."""

    def read(name: str) -> list[Case]:
        path = _existing(CONFORMANCE / "oracle" / f"{name}.jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    return read


@pytest.fixture(scope="session")
def traces() -> Path:
    """The folder of recorded runs."""
    folder = CONFORMANCE / "traces"
    if not folder.is_dir():
        pytest.skip("conformance data is absent: ../shared/conformance/traces")
    return folder
