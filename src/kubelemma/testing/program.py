"""A failing run as a program that needs nothing but kubelemma."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from kubelemma import api
from kubelemma.model.visible import visible
from kubelemma.properties.statement import Property
from kubelemma.recording import Recording
from kubelemma.reports.narrate import narrate_steps
from kubelemma.reports.plain import as_yaml
from kubelemma.solver.result import Trace, TraceStep

from .run import Run, recorded

_QUOTES = '"""'


@dataclass(frozen=True, slots=True)
class Call:
    """A rule of a user's machine that was called, and with what."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def code(self) -> str:
        """The call as it is written."""
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.arguments.items())})"


class Driven(Protocol):
    """A machine of a user's: its run, and what was done to it by whom."""

    case: ClassVar[api.Case]
    run: Run
    log: list[TraceStep | Call]


def program_of_run(case: api.Case, prop: Property, trace: Trace) -> str:
    """The program whose run refutes a property: its last line fails with the story."""
    title = f"{prop.id} is violated for {prop.subject}: {prop.statement.title}."
    recording = recorded(case, trace)
    loop = "" if trace.loop_start is None else f", loop_start={trace.loop_start}"
    lines = (
        "import yaml",
        "",
        "from kubelemma.testing import Run",
        "",
        *_scenario(recording),
        f"run = Run({_arguments(recording, case, trace)})",
        *_told(case, trace, "run"),
        f"run.assert_keeps({prop.id!r}, {prop.subject!r}{loop})",
    )
    return _program(title, lines)


def program_of_machine(machine: Driven, error: Exception) -> str:
    """The program that calls what the machine called, and in the end what failed."""
    cls = type(machine)
    summary = f"{type(error).__name__}: {error}".splitlines()[0]
    failed = failing_call(machine, error)
    log = machine.log
    recording = recorded(machine.case, machine.run.trace)
    if failed is not None and log and isinstance(log[-1], Call) and log[-1].name == failed.name:
        failed = None  # the rule that failed is the last of the log
    lines = (
        "from runpy import run_path",
        "",
        "import yaml",
        "",
        f"{cls.__name__} = run_path({_file_of(cls)!r})[{cls.__qualname__!r}]",
        "",
        *_scenario(recording),
        f"machine = {cls.__name__}.on({_arguments(recording, machine.case, machine.run.trace)})",
        *_logged(machine),
        *([f"machine.{failed.code()}"] if failed else []),
    )
    return _program(summary, lines)


def failing_call(machine: Driven, error: Exception) -> Call | None:
    """The method of the user's class in which an error arose: a rule, or an invariant.

    None where it arose in none.
    """
    at = error.__traceback__
    while at is not None:
        frame = at.tb_frame
        code = frame.f_code
        function = getattr(type(machine), code.co_name, None)
        if getattr(inspect.unwrap(function), "__code__", None) is code if function else False:
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            own = {name: frame.f_locals[name] for name in names[1:] if name in frame.f_locals}
            if not _is_ours(function):
                return Call(code.co_name, own)
        at = at.tb_next
    return None


def _is_ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith(("kubelemma.", "hypothesis."))


def _file_of(cls: type) -> str:
    """The file of a class, as seen from the working directory where it is below."""
    file = inspect.getsourcefile(cls) or "unknown.py"
    return os.path.relpath(file) if Path(file).is_relative_to(Path.cwd()) else file


def _program(title: str, lines: tuple[str, ...]) -> str:
    text = visible(title).replace("\\", "\\\\").replace('"""', "'''")
    return "\n".join((f'"""{text}"""', "", *lines)) + "\n"


def _scenario(recording: Recording) -> Iterator[str]:
    """The documents of the scenario, as they were."""
    documents = [recording.check, *(source.document for source in recording.sources)]
    text = as_yaml(documents)
    quoted = repr(text) if _QUOTES in text else f"r{_QUOTES}\n{text}{_QUOTES}"
    yield f"SCENARIO = {quoted}"
    yield ""


def _arguments(recording: Recording, case: api.Case, trace: Trace) -> str:
    """What a run of the scenario is made from."""
    files = [code.file for code in recording.loaded]
    start = case.scenario.system.starts.index(trace.initial)
    load = f", load={files!r}" if files else ""
    return f"*yaml.safe_load_all(SCENARIO){load}{f', start={start}' if start else ''}"


def _told(case: api.Case, trace: Trace, name: str) -> Iterator[str]:
    told = narrate_steps(case.scenario, trace)
    for step, sentence in zip(trace.steps, told, strict=True):
        yield visible(f"# {sentence.actor}: {sentence.summary}")
        yield f"{name}.{_act(step)}"


def _act(step: TraceStep) -> str:
    at = ", ".join(map(str, step.positions))
    at = f"({at},)" if len(step.positions) == 1 else f"({at})"
    return f"act({step.outcome.action!r}, rule={step.rule!r}, at={at})"


def _logged(machine: Driven) -> Iterator[str]:
    told = narrate_steps(machine.case.scenario, machine.run.trace)
    sentences = {
        id(step): f"{t.actor}: {t.summary}" for step, t in zip(machine.run.taken, told, strict=True)
    }
    for entry in machine.log:
        if isinstance(entry, Call):
            yield f"machine.{entry.code()}"
        else:
            yield visible(f"# {sentences[id(entry)]}")
            yield f"machine.{_act(entry)}"
