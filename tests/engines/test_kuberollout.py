"""State counts of a published slice of the control plane, on which other model checkers agree."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Verdict

SOURCE = Path(__file__).parents[2] / "benchmarks" / "kuberollout.py"
if not SOURCE.exists():
    pytest.skip("the benchmarks are not part of this distribution", allow_module_level=True)


def _load(source: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(source.stem, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


kuberollout, tlc = _load(SOURCE), _load(SOURCE.with_name("tlc.py"))


def _explore(level: str) -> CheckResult:
    parameters = kuberollout.LEVELS[level]
    return check(kuberollout.system(parameters), kuberollout.properties(parameters), Limits())


@pytest.mark.parametrize(
    ("level", "orbits", "terminal", "depth"),
    [
        ("L0", 12, 1, 12),
        ("L1", 523, 2, 28),
        ("L2", 3315, 2, 33),
        ("L2-renew", 3837, 0, 34),
        ("L3", 4296, 2, 35),
        ("L4", 6958, 2, 29),
        ("L5", 8962, 2, 44),
        ("S5", 10744, 1, 54),
        ("V1", 5796, 2, 33),
        ("V2", 13, 1, 10),
    ],
)
def test_counts(level: str, orbits: int, terminal: int, depth: int) -> None:
    """Orbits, terminal orbits and depth are those of TLC, Spin, rumur and a C++ search."""
    statistics = _explore(level).statistics
    assert (statistics.states, statistics.terminal_states, statistics.depth) == (
        orbits,
        terminal,
        depth,
    )


@pytest.mark.parametrize(
    ("level", "concrete"),
    [
        ("L0", 23),
        ("L1", 4_981),
        ("L2", 102_959),
        ("L2-renew", 123_130),
        ("L3", 418_285),
        ("L4", 808_841),
        ("L5", 4_027_280),
        ("V1", 714_386),
        ("V2", 85),
    ],
)
def test_concrete_states(level: str, concrete: int) -> None:
    """The orbits stand for as many states as TLC and Spin find without symmetry."""
    parameters = kuberollout.LEVELS[level]
    states = list(kuberollout.canonical_states(parameters))
    assert kuberollout.concrete_states(parameters, states) == concrete


def test_violating_orbits() -> None:
    """Of the orbits of V1, 899 exceed the surge."""
    parameters = kuberollout.LEVELS["V1"]
    system = kuberollout.system(parameters)
    surge = kuberollout.properties(parameters)[0].formula
    violating = sum(
        not all(surge.holds(*seen) for seen in system.look(surge.view, state))
        for state in kuberollout.canonical_states(parameters)
    )
    assert violating == 899


@pytest.mark.parametrize("level", ["L1", "L2", "L2-renew", "L4"])
def test_rollouts_converge(level: str) -> None:
    """Where there is room, every fair run ends with all new pods ready."""
    results = {p.property.id: p for p in _explore(level).properties}
    assert results["Converges"].verdict is Verdict.HOLDS


def test_surge_is_exceeded_at_level_16() -> None:
    """Counting spec.replicas alone, as Kubernetes does, lets live pods exceed the surge."""
    (surge,) = (p for p in _explore("V1").properties if p.property.id == "SurgeOK")
    assert surge.trace is not None
    assert len(surge.trace.steps) + 1 == 16


def test_a_full_cluster_stops_the_rollout() -> None:
    """Without a free slot the new pod waits for ever."""
    (converges,) = (p for p in _explore("V2").properties if p.property.id == "Converges")
    assert converges.verdict is Verdict.VIOLATED
    assert converges.trace is not None
    assert converges.trace.standstill


STARTED = """TLC2 Version 2.15 of Day Month 20?? (rev: d5b5a7f)
Running breadth-first search Model-Checking with fp 48 and seed 37 with 1 worker on 2 cores.
Starting... (2026-11-21 04:58:34)
Computing initial states...
Finished computing initial states: 1 distinct state generated at 2026-11-21 04:58:35.
"""

COMPLETE = """Progress(15) at 2026-11-21 04:58:38: 8,016 states generated (8,016 s/min), \
2,769 distinct states found (2,769 ds/min), 682 states left on queue.
Model checking completed. No error has been found.
  Estimates of the probability that TLC did not check all reachable states
  because two distinct states had the same fingerprint:
  calculated (optimistic):  val = 1.8E-9
430959 states generated, 102959 distinct states found, 0 states left on queue.
The depth of the complete state graph search is 33.
Finished in 01min 02s at (2026-11-21 04:59:36)
"""

SURGE = """Error: Invariant SurgeOK is violated.
Error: The behavior up to this point is:
State 1: <Initial predicate>
/\\ crashes = 0

385 states generated, 210 distinct states found, 98 states left on queue.
The depth of the complete state graph search is 16.
Finished in 813ms at (2026-11-21 04:58:36)
"""

STUCK = """Checking temporal properties for the complete state space with 85 total distinct states
Error: Temporal properties were violated.
Error: The following behavior constitutes a counter-example:
State 1: <Initial predicate>
State 11: Stuttering
Finished checking temporal properties in 00s at 2026-11-21 05:17:23
136 states generated, 85 distinct states found, 0 states left on queue.
Finished in 01s at (2026-11-21 05:17:23)
"""

CONFUSED = """Error: TLC threw an unexpected exception.
The exception was a tlc2.tool.ConfigFileException
: File not found.
Finished in 00s at (2026-11-21 05:14:10)
"""


def test_what_tlc_prints() -> None:
    """States, depth and seconds are read from TLC's output, as are the violations."""
    assert tlc.parse(STARTED + COMPLETE) == tlc.Outcome(
        complete=True, generated=430959, distinct=102959, depth=33, seconds=62
    )
    assert tlc.parse(STARTED + SURGE) == tlc.Outcome(
        complete=False,
        generated=385,
        distinct=210,
        depth=None,
        seconds=0.813,
        violated=("SurgeOK",),
    )
    assert tlc.parse(STARTED + STUCK) == tlc.Outcome(
        complete=False, generated=136, distinct=85, depth=None, seconds=1, violated=("Converges",)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STARTED + CONFUSED, "ConfigFileException : File not found."),
        (STARTED, "did not finish: Finished computing initial states"),
        (STARTED + COMPLETE.partition("Finished")[0], "did not finish: The depth"),
        ("", "it printed nothing"),
    ],
)
def test_no_result_is_an_error(text: str, message: str) -> None:
    """Output without a result is never taken for one."""
    with pytest.raises(tlc.TlcError, match=re.escape(message)):
        tlc.parse(text)


def test_configurations_of_tlc() -> None:
    """Every constant of the module gets its value; symmetry and convergence exclude each other."""
    module = tlc.MODULE.read_text("utf-8")
    declared = module.partition("CONSTANTS")[2].partition("VARIABLES")[0]
    constants = set(re.findall(r"\b[A-Z]\w*\b(?=[ ,\n])", re.sub(r"\\\*.*", "", declared)))
    texts = {mode: tlc.configuration(kuberollout.LEVELS["L2-renew"], mode) for mode in tlc.Mode}
    for text in texts.values():
        assert set(re.findall(r"^  (\w+) = ", text, re.MULTILINE)) == constants
        assert "  Pods = {p1, p2, p3, p4}\n" in text
        assert "  Renew = TRUE\n" in text
    assert "SYMMETRY SymPN" in texts[tlc.Mode.SYMMETRY]
    assert "PROPERTY CalmConverges" in texts[tlc.Mode.LIVENESS]
    assert "SYMMETRY" not in texts[tlc.Mode.LIVENESS]
    assert {"SymPN", "FairSpec", "CalmConverges", "SurgeOK"} <= set(re.findall(r"\w+", module))


def test_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The script prints one line with all that is asked of it."""
    kuberollout.main(["--params", "1,2,1,0,2,1,0,3", "--engine", "plain", "--repeat", "2"])
    line = json.loads(capsys.readouterr().out)
    counts = ("states", "concrete_states", "depth", "terminal", "violations", "exhaustive")
    assert [line[key] for key in counts] == [13, 85, 10, 1, {"Converges": 10}, True]
    assert len(line["seconds_of_each_run"]) == 2
    assert {"transitions", "seconds", "compile_seconds", "peak_memory_bytes", "model_calls"} <= {
        *line
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--params", "1,2,3"), "is not eight integers"),
        (("--level", "L0", "--repeat", "0"), "no integer of at least 1"),
        (("--level", "L0", "--engine", "plain", "--workers", "2"), "the plain one has a single"),
        (("--level", "L0", "--max-memory", "much"), "--max-memory"),
    ],
)
def test_mistakes(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    """Wrong options are told."""
    with pytest.raises(SystemExit) as ended:
        kuberollout.main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
