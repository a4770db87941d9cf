"""Counterexamples on file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from kubelemma import recording
from kubelemma.model.system import Action, Outcome
from kubelemma.recording import Recording, Source, Step
from kubelemma.solver.result import Trace, TraceStep

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SCALARS = st.integers(-(2**53), 2**53) | st.text()
ARGUMENTS = SCALARS | st.lists(SCALARS, max_size=3).map(tuple)
STEPS = st.builds(
    Step,
    rule=st.text(),
    actor=st.text(),
    action=st.text(),
    arguments=st.lists(st.tuples(st.text(), ARGUMENTS), max_size=2).map(tuple),
    positions=st.lists(st.integers(0, 99), max_size=3).map(tuple),
)
RECORDINGS = st.builds(
    Recording,
    name=st.just("case-DEP-4"),
    kubelemma_version=st.text(),
    scenario=st.text(),
    property_id=st.text(),
    subject=st.text(),
    steps=st.lists(STEPS, max_size=3).map(tuple),
    loop_start=st.none() | st.integers(0, 9),
    check=st.dictionaries(st.text(), JSON, max_size=3),
    sources=st.lists(st.builds(Source, file=st.text(), document=JSON), max_size=2).map(tuple),
)


@given(RECORDINGS)
def test_round_trip(written: Recording) -> None:
    """What was saved is found again and reads as it was written, arguments as tuples included."""
    with TemporaryDirectory() as folder:
        path = recording.save(written, Path(folder))
        read = recording.load(recording.find("case-DEP-4", Path(folder)))
        assert path == Path(folder) / recording.FOLDER / "case-DEP-4.json"
    assert read.recorded_steps() == written.recorded_steps()
    assert (read.check, read.sources, read.loop_start) == (
        written.check,
        written.sources,
        written.loop_start,
    )


@given(st.lists(st.text(min_size=1), min_size=1).map(tuple))
def test_file_names(parts: tuple[str, ...]) -> None:
    """A file name has only characters that every file system takes, whatever it is made of."""
    name = recording.file_name(*parts)
    assert name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_rules_called_as_their_action() -> None:
    """A rule may be called as its action is; on file both are plain text."""
    action = Action("node-return")
    taken = TraceStep(action, "node", True, (0,), Outcome(action, {}), (0,))
    trace = Trace((0,), (taken,))
    (step,) = recording.steps_of(trace)
    assert {type(value) for value in (step.rule, step.action)} == {str}
