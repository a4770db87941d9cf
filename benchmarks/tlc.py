"""TLC on a level of `KubeRollout.tla`: writes its configuration, runs it, reads what it prints.

TLC's jar comes from the TLA+ project's releases. Nothing of it is needed for anything else here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kuberollout import Level

MODULE = Path(__file__).with_name("KubeRollout.tla")
CONFIGURATION = "level.cfg"

MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}

STATES = re.compile(r"^(\d+) states generated, (\d+) distinct states found,", re.MULTILINE)
DEPTH = re.compile(r"^The depth of the complete state graph search is (\d+)\.", re.MULTILINE)
DURATION = re.compile(r"^Finished in (.+) at \(", re.MULTILINE)
ERROR = re.compile(r"^Error: (.*)", re.MULTILINE)
INVARIANT = re.compile(r"Invariant (\w+) is violated")
TEMPORAL = "Temporal properties were violated"
FOLLOWS = re.compile(r"The (following )?behavior ")
"""How a line starts that introduces the behavior which breaks a property."""

COMPLETE = "Model checking completed. No error has been found."


class Mode(StrEnum):
    """What TLC is asked.

    ``PLAIN`` is SurgeOK over all states, ``SYMMETRY`` the same up to renaming of pods and nodes.
    ``LIVENESS`` adds convergence; TLC cannot have that together with symmetry.
    """

    PLAIN = "plain"
    SYMMETRY = "symmetry"
    LIVENESS = "liveness"


class TlcError(Exception):
    """TLC could not be run, or did not get to check anything; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What TLC found.

    ``seconds`` are TLC's own, from the parsing of the module on: whole ones where there are any.
    ``depth`` is None and ``complete`` False where a violation ended the search.
    """

    complete: bool
    generated: int
    distinct: int
    depth: int | None
    seconds: float
    violated: tuple[str, ...] = ()


def run(
    jar: Path, level: Level, mode: Mode, *, workers: int = 1, time_limit: float | None = None
) -> Outcome | None:
    """Run TLC on a level; None where the time limit (in seconds) was reached.

    Raises:
        TlcError: there is no java or no jar, or TLC did not get to check anything.
    """
    java = shutil.which("java")
    if java is None:
        raise TlcError("java is not on the path, and TLC needs Java 11 or newer")
    if not jar.is_file():
        raise TlcError(f"{jar}: there is no such file; expected is the path of TLC's jar")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(MODULE, folder)
        Path(folder, CONFIGURATION).write_text(configuration(level, mode), "utf-8")
        # The option "-deadlock" makes TLC accept states without successors; rollouts end in them.
        command = [java, "-XX:+UseParallelGC", "-cp", str(jar.absolute()), "tlc2.TLC", "-deadlock"]
        command += ["-workers", str(workers), "-metadir", "states"]
        command += ["-config", CONFIGURATION, MODULE.name]
        try:
            ended = subprocess.run(  # noqa: S603 - the user names the jar to run
                command, cwd=folder, capture_output=True, text=True, check=False, timeout=time_limit
            )
        except subprocess.TimeoutExpired:
            return None
    return parse(ended.stdout + ended.stderr)


def compared(
    jar: Path, level: Level, modes: Iterable[str], line: dict[str, Any], time_limit: float
) -> dict[str, dict[str, Any] | None]:
    """What TLC finds in each mode beside the ``line`` of the benchmark; None after the time limit.

    ``ratio`` is its seconds by the engine's, where both have seen all states.

    Raises:
        TlcError: as `run`.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for mode in map(Mode, modes):
        outcome = run(jar, level, mode, time_limit=time_limit)
        found[mode] = None if outcome is None else _beside(outcome, mode, line)
    return found


def _beside(outcome: Outcome, mode: Mode, line: dict[str, Any]) -> dict[str, Any]:
    expected = line["states"] if mode is Mode.SYMMETRY else line["concrete_states"]
    both = outcome.complete and line["exhaustive"]
    return {
        "distinct": outcome.distinct,
        "agrees": outcome.distinct == expected if both and expected is not None else None,
        "depth": outcome.depth,
        "violated": list(outcome.violated),
        "seconds": outcome.seconds,
        "ratio": round(outcome.seconds / line["seconds"], 1) if both and line["seconds"] else None,
    }


def configuration(level: Level, mode: Mode) -> str:
    """The text of TLC's configuration file for a level."""
    return "\n".join((*_configuration(level, mode), ""))


def _configuration(level: Level, mode: Mode) -> Iterator[str]:
    liveness = mode is Mode.LIVENESS
    yield f"SPECIFICATION {'FairSpec' if liveness else 'Spec'}"
    yield "CONSTANTS"
    yield f"  Pods = {_model_values('p', level.pool)}"
    yield f"  Nodes = {_model_values('n', level.nodes)}"
    yield f"  Deps = {_model_values('d', level.deployments)}"
    yield f"  R = {level.replicas}"
    yield f"  S = {level.surge}"
    yield f"  U = {level.unavailable}"
    yield f"  C = {level.slots}"
    yield f"  F = {level.crashes}"
    yield f"  Renew = {_truth(level.renew)}"
    yield f"  Strict = {_truth(level.strict)}"
    yield "  NoDep = NoDep"
    yield "  NoNode = NoNode"
    yield "INVARIANT SurgeOK"
    if liveness:
        yield f"PROPERTY {'CalmConverges' if level.renew else 'Converges'}"
    if mode is Mode.SYMMETRY:
        yield "SYMMETRY SymPN"


def _model_values(letter: str, count: int) -> str:
    return "{" + ", ".join(f"{letter}{i}" for i in range(1, count + 1)) + "}"


def _truth(value: bool) -> str:  # noqa: FBT001 - a value to print, no switch
    return "TRUE" if value else "FALSE"


def parse(text: str) -> Outcome:
    """What TLC's output says.

    Raises:
        TlcError: it stopped for another reason than a violation, or did not finish.
    """
    errors = [error for error in ERROR.findall(text) if not FOLLOWS.match(error)]
    if not all(INVARIANT.search(error) or TEMPORAL in error for error in errors):
        raise TlcError(f"TLC stopped: {_reason(text)}")
    states, duration = STATES.findall(text), DURATION.search(text)
    complete = COMPLETE in text
    if not states or not duration or not (complete or errors):
        last = text.strip().splitlines()[-1:] or ["it printed nothing"]
        raise TlcError(f"TLC did not finish: {last[0]}")
    generated, distinct = map(int, states[-1])
    depth = DEPTH.search(text)
    return Outcome(
        complete=complete,
        generated=generated,
        distinct=distinct,
        depth=int(depth[1]) if depth and complete else None,
        seconds=_seconds(duration[1]),
        violated=tuple(dict.fromkeys(map(_violated, errors))),
    )


def _reason(text: str) -> str:
    """What TLC says from its first error on, as one line."""
    said = text.partition("Error: ")[2].partition("\nFinished in ")[0]
    return " ".join(said.split())


def _violated(error: str) -> str:
    invariant = INVARIANT.search(error)
    return invariant[1] if invariant else "Converges"


def _seconds(duration: str) -> float:
    """The seconds of a duration such as ``813ms``, ``33s`` or ``01min 02s``."""
    parts = re.findall(r"(\d+)(ms|s|min|h|d)\b", duration)
    return sum(int(number) * MILLISECONDS[unit] for number, unit in parts) / 1000
