"""Counterexamples that earlier runs have recorded, tried on what there is now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kubelemma.model.manifests.problems import InvalidInput
from kubelemma.properties.statement import Property
from kubelemma.question import Case
from kubelemma.recording import FOLDER, Recording, load, name_of
from kubelemma.solver.replay import Repeat, RepeatStatus, replay_steps
from kubelemma.solver.result import PropertyResult, Verdict

from .saying import Saying

REASON = "by a counterexample of an earlier run, which still fails: there may be a shorter one"


def still_failing(case: Case, root: Path, saying: Saying) -> Iterator[PropertyResult]:
    """The properties that are violated by what is recorded for them below ``root``."""
    for prop in case.properties:
        recorded = _recorded(case, prop, root, saying)
        if recorded is None:
            continue
        steps, loop_start = recorded.recorded_steps(), recorded.loop_start
        again = replay_steps(case.scenario.system, prop.formula, steps, loop_start)
        saying.detail(f"{case.scenario.name}: the counterexample {recorded.name} {_became(again)}")
        if again.status is RepeatStatus.STILL_FAILS:
            yield PropertyResult(prop, Verdict.VIOLATED, trace=again.trace, reason=REASON)


def _became(again: Repeat) -> str:
    if again.status is RepeatStatus.STILL_FAILS:
        return f"of an earlier run still fails ({len(again.trace.steps)} steps)"
    return "of an earlier run does not fail any more"


def _recorded(case: Case, prop: Property, root: Path, saying: Saying) -> Recording | None:
    """The recording that is about this property of these workloads, if there is one."""
    path = root / FOLDER / f"{name_of(case.scenario.name, prop, case.properties)}.json"
    if not path.is_file():
        return None
    try:
        recorded = load(path)
    except InvalidInput as error:
        saying.detail(f"ignored: {error.problems[0]}")
        return None
    about = (recorded.scenario, recorded.property_id, recorded.subject)
    return recorded if about == (case.scenario.subject, prop.id, prop.subject) else None
