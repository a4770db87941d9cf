"""Input that would speak to a terminal or to a CI server, on both streams of every command."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from kubelemma.cli import options, place
from kubelemma.cli.progress import progress_line
from kubelemma.cli.session import Session
from kubelemma.model.manifests import Bounds
from kubelemma.model.visible import is_invisible
from kubelemma.solver.events import Progress

Kubelemma: TypeAlias = Callable[..., Any]
Write: TypeAlias = Callable[..., str]

HOSTILE = "a\n::error file=deploy.yaml,line=1::pwn\n::stop-commands::zz\n\x1b]0;title\x07\u202eRED"
ODD = "##vso[task.setvariable variable=a]b"
TOLD = r"a\n::error file"
OURS = re.compile(r"::(error|warning|notice) (file=[^:]*,)?title=[^:]*::")


class Command(NamedTuple):
    """What is run, and whether it is told in its output."""

    words: tuple[str, ...]
    code: int
    told: bool = True


def raw(text: str) -> list[str]:
    """What a terminal or a server would take for its own."""
    return [line for line in text.split("\n") if speaks(line)]


def speaks(line: str) -> bool:
    """Whether a line is a command to somebody, or shows less than it holds."""
    command = line.lstrip().startswith("::") and not OURS.match(line)
    return command or any(map(is_invisible, line))


@pytest.fixture
def hostile(write: Write, documents: tuple[Any, Any]) -> str:
    """A Deployment whose annotations, images and unknown fields say all that may be said there."""
    web, scenario = documents
    web["metadata"]["annotations"] = {
        "note": HOSTILE,
        "kubelemma.dev/ignore": "DEP-2 -- \x1b[2J\u202eaccepted",
    }
    web["spec"]["template"]["spec"]["containers"][0]["image"] = HOSTILE
    web["spec"]["template"]["spec"]["containers"][0]["args"] = ["::error::x"]
    web["spec"]["template"]["spec"][HOSTILE] = 1
    web["spec"][ODD] = HOSTILE
    return write("hostile.yaml", web, scenario)


@pytest.mark.parametrize("form", options.FORMATS)
def test_every_report(kubelemma: Kubelemma, hostile: str, form: str) -> None:
    """No format of a check hands the input's commands on, and none hides that they are there."""
    run = kubelemma("check", hostile, "-o", form, "-v", "--report", f"{form}=report")
    assert run.code == 1
    assert raw(run.out) == raw(run.err) == raw(Path("report").read_text("utf-8")) == []
    if form in ("wide", "json", "yaml", "html"):
        assert r"\n::error file" in run.out


@pytest.mark.parametrize("form", place.FORMATS)
def test_every_placement(kubelemma: Kubelemma, hostile: str, form: str) -> None:
    """Nor does any of a placement."""
    run = kubelemma("place", hostile, "--nodes", "count=2,cpu=4,memory=4Gi", "-o", form)
    assert run.code in (0, 1)
    assert raw(run.out) == raw(run.err) == []


@pytest.mark.parametrize("form", options.FORMATS)
def test_a_name_with_line_breaks(
    kubelemma: Kubelemma, write: Write, documents: tuple[Any, Any], form: str
) -> None:
    """The API server has no such name: it is refused, and told in one line."""
    web, _ = documents
    web["metadata"]["name"] = HOSTILE
    run = kubelemma("check", write("name.yaml", web), "-o", form)
    assert (run.code, run.out, raw(run.err)) == (2, "", [])
    assert TOLD in run.err
    assert len(run.err.splitlines()) == 1


def test_the_line_of_progress(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is told at a terminal while a search goes on is one line, too."""
    monkeypatch.setattr(Session, "shows_progress", lambda _session: True)
    with progress_line(Session(), HOSTILE, Bounds()) as listen:
        listen(Progress(1, 2, 3, 4, 5.0, 6))
    told = capfd.readouterr().err
    assert TOLD in told
    assert raw(told.replace("\r\x1b[K", "")) == []


def commands() -> Iterator[Command]:
    """Commands with hostile words wherever they take any."""
    yield Command(("check", HOSTILE), 2)
    yield Command(("check", "::error::x"), 2, told=False)
    yield Command(("place", HOSTILE), 2)
    yield Command(("conform", HOSTILE), 2)
    yield Command(("replay", HOSTILE), 2)
    yield Command(("report", HOSTILE), 2)
    yield Command((HOSTILE,), 2)
    yield Command(("check", f"--{HOSTILE}"), 2)
    yield Command(("check", "stuck.yaml", "--fail-on", HOSTILE), 2, told=False)
    yield Command(("check", "stuck.yaml", "--property", HOSTILE), 2)
    yield Command(("check", "stuck.yaml", "--event", HOSTILE), 2)
    yield Command(("check", "stuck.yaml", "--nodes", f"count={HOSTILE}"), 2)
    yield Command(("check", "stuck.yaml", "--workload", HOSTILE), 2)
    yield Command(("check", "stuck.yaml", "--load", HOSTILE), 2)
    yield Command(("check", "stuck.yaml", "--report", f"json={HOSTILE}/a"), 2)
    yield Command(("check", "stuck.yaml", "--config", HOSTILE), 2)
    yield Command(("check", "stuck.yaml", "--suppressions", HOSTILE), 2)
    yield Command(("properties", "explain", HOSTILE), 2)
    yield Command(("explain", HOSTILE), 2)
    yield Command(("graph", "stuck.yaml", "--scenario", HOSTILE), 2)
    yield Command(("config", HOSTILE), 2)


@pytest.mark.parametrize("command", tuple(commands()))
@pytest.mark.usefixtures("stuck")
def test_words_of_the_command_line(kubelemma: Kubelemma, command: Command) -> None:
    """What is wrong with the command line is said in one visible line."""
    run = kubelemma(*command.words)
    assert run.code == command.code
    assert raw(run.out) == raw(run.err) == []
    assert run.err
    if command.told:
        assert TOLD in run.err


@pytest.mark.parametrize("name", [f"{HOSTILE}.yaml".replace("/", ""), "::error::x.yaml"])
def test_names_of_files(kubelemma: Kubelemma, stuck: str, name: str) -> None:
    """A file may be called so; what is told can be repeated all the same."""
    Path(name).write_text(Path(stuck).read_text("utf-8"), "utf-8")
    for form in ("text", "github"):
        run = kubelemma("check", name, "--no-save", "-o", form)
        assert run.code == 1
        assert raw(run.out) == raw(run.err) == []
    Path(name).write_text("kind: [", "utf-8")
    run = kubelemma("check", name)
    assert (run.code, run.out, raw(run.err)) == (2, "", [])


def test_names_that_are_no_text(kubelemma: Kubelemma, stuck: str) -> None:
    """Nor need the name of a file be UTF-8."""
    name = os.fsdecode(b"caf\xe9\x1b.yaml")
    Path(name).write_text(Path(stuck).read_text("utf-8"), "utf-8")
    run = kubelemma("check", name, "--no-save")
    assert run.code == 1
    assert raw(run.out) == raw(run.err) == []
    assert r"kubelemma check $'caf\xe9\x1b.yaml' --no-save" in run.out


def test_a_trace_from_somebody(kubelemma: Kubelemma, stuck: str) -> None:
    """What stands in a file that was sent is not obeyed either."""
    kubelemma("check", stuck)
    (path,) = Path(".kubelemma/traces").glob("*DEP-4.json")
    trace = json.loads(path.read_text("utf-8"))
    for key, value in (("name", HOSTILE), ("kubelemmaVersion", HOSTILE), ("subject", HOSTILE)):
        path.write_text(json.dumps({**trace, key: value}), "utf-8")
        run = kubelemma("replay", str(path))
        assert raw(run.out) == raw(run.err) == []
    steps = [{**step, "action": HOSTILE, "actor": HOSTILE} for step in trace["steps"]]
    path.write_text(json.dumps({**trace, "steps": steps}), "utf-8")
    run = kubelemma("replay", str(path), "-v")
    assert raw(run.out) == raw(run.err) == []
    assert TOLD in run.out + run.err


def test_configuration(kubelemma: Kubelemma, stuck: str) -> None:
    """Values, keys and complaints of a configuration file are shown as they are."""
    quoted = json.dumps(HOSTILE)
    Path("kubelemma.toml").write_text(f"workload = [{quoted}]\n", "utf-8")
    run = kubelemma("config")
    assert (run.code, raw(run.out), raw(run.err)) == (0, [], [])
    assert TOLD in run.out
    for line in (f"{quoted} = 1\n", f"fail-on = {quoted}\n", f"time-limit = {quoted}\n"):
        Path("kubelemma.toml").write_text(line, "utf-8")
        run = kubelemma("check", stuck)
        assert (run.code, run.out, raw(run.err)) == (2, "", [])


def test_loaded_code(kubelemma: Kubelemma, stuck: str) -> None:
    """Errors and promises of a file that is loaded are told in lines of ours, tracebacks too."""
    Path("own.py").write_text(f"raise ValueError({HOSTILE!r})\n", "utf-8")
    for words in ((), ("-v",)):
        run = kubelemma("check", stuck, "--load", "own.py", *words)
        assert (run.code, run.out, raw(run.err)) == (2, "", [])
