"""Options from configuration files and from the environment."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import click
import pytest

from kubelemma.cli.commands import cli
from kubelemma.cli.keys import commands_of, keys_of, shared_options

Kubelemma: TypeAlias = Callable[..., Any]

COMMANDS = dict(commands_of(cli))
ROOT = Path(__file__).resolve().parents[2]


def configure(text: str, name: str = "kubelemma.toml") -> None:
    """Write a configuration into the working directory."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, "utf-8")


def effect(kubelemma: Kubelemma, *arguments: str) -> dict[str, tuple[str, str]]:
    """What ``config`` shows: each option with its value, and where that comes from."""
    run = kubelemma("config", *arguments)
    assert (run.code, run.err) == (0, "")
    rows = (re.split(r"  +", line) for line in run.out.splitlines()[3:])
    return {option: (value, where) for option, value, where in rows}


# What counts


def test_order(kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line comes before the environment, that before the file, that before defaults."""
    asked = ("check", stuck, "--no-save", "-o", "wide")
    assert "of 3 properties" not in kubelemma(*asked).out
    configure('property = ["DEP-6", "DEP-1", "RS-1"]')
    assert "of 3 properties" in kubelemma(*asked).out
    monkeypatch.setenv("KUBELEMMA_PROPERTY", "DEP-6 DEP-1")
    assert "of 2 properties" in kubelemma(*asked).out
    assert "of 1 property" in kubelemma(*asked, "--property", "DEP-6").out


@pytest.mark.parametrize("name", ["kubelemma.toml", "pyproject.toml"])
def test_files(kubelemma: Kubelemma, name: str) -> None:
    """Both files say the same, and both can be left aside."""
    table = "[tool.kubelemma]\n" if name == "pyproject.toml" else ""
    configure(f'{table}fail-on = "high"', name)
    line = 2 if table else 1
    assert effect(kubelemma)["--fail-on"] == ("high", f"{name}:{line}")
    assert effect(kubelemma, "--no-config")["--fail-on"] == ("<none>", "default")


def test_another_file(kubelemma: Kubelemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is named counts, and no other."""
    configure('fail-on = "high"')
    configure('output = "json"', "ci/strict.toml")
    found = effect(kubelemma, "--config", "ci/strict.toml")
    assert found["--output"] == ("json", "ci/strict.toml:1")
    assert found["--fail-on"] == ("<none>", "default")
    monkeypatch.setenv("KUBELEMMA_CONFIG", "ci/strict.toml")
    assert effect(kubelemma)["--output"] == ("json", "ci/strict.toml:1")


def test_paths_are_seen_from_the_file(
    kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder below, the configuration means the same files."""
    configure(f'filename = ["{stuck}", "-"]\nreport = ["json=out/r=1.json"]\nproperty = ["DEP-6"]')
    for folder in ("below", "out"):
        Path(folder).mkdir()
    monkeypatch.chdir("below")
    found = effect(kubelemma)
    assert found["--filename"] == ("../stuck.yaml, -", "../kubelemma.toml:1")
    assert found["--report"][0] == "json=../out/r=1.json"
    configure(f'filename = ["{stuck}"]\nreport = ["json=out/r=1.json"]', "../kubelemma.toml")
    assert kubelemma("check", "--property", "DEP-6", "--no-save").code == 0
    assert Path("../out/r=1.json").is_file()


def test_files_of_the_configuration_are_defaults(kubelemma: Kubelemma, stuck: str) -> None:
    """Where the command line names something to check, only that is checked."""
    configure('filename = ["absent.yaml"]')
    assert kubelemma("check", stuck, "--property", "DEP-6", "--no-save").code == 0
    assert kubelemma("check", "-f", stuck, "--property", "DEP-6", "--no-save").code == 0
    assert "absent.yaml: no such file" in kubelemma("check").err


def test_tables_of_commands(kubelemma: Kubelemma) -> None:
    """Each command has its own table; it heeds the rest where the option means the same."""
    configure('time-limit = "5m"\nnamespace = "shop"\n[place]\ntime-limit = "1m"\n')
    assert effect(kubelemma)["--time-limit"] == ("5m", "kubelemma.toml:1")
    placing = effect(kubelemma, "place")
    assert placing["--time-limit"] == ("1m", "kubelemma.toml:4")
    assert placing["--namespace"] == ("shop", "kubelemma.toml:2")
    configure('time-limit = "5m"\n[check]\ntime-limit = "1m"\n')
    assert effect(kubelemma)["--time-limit"] == ("1m", "kubelemma.toml:3")
    assert effect(kubelemma, "place")["--time-limit"] == ("<none>", "default")


def test_variables_of_commands(kubelemma: Kubelemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are called as keys are, with the command where it is not check."""
    monkeypatch.setenv("KUBELEMMA_TIME_LIMIT", "5m")
    monkeypatch.setenv("KUBELEMMA_PLACE_TIME_LIMIT", "1m")
    assert effect(kubelemma)["--time-limit"] == ("5m", "KUBELEMMA_TIME_LIMIT")
    assert effect(kubelemma, "place")["--time-limit"] == ("1m", "KUBELEMMA_PLACE_TIME_LIMIT")


def test_severities_are_a_table(kubelemma: Kubelemma, stuck: str) -> None:
    """Pairs may be written as a table."""
    configure('fail-on = "high"\n[severity]\nDEP-4 = "medium"\n')
    assert effect(kubelemma)["--severity"] == ("DEP-4=medium", "kubelemma.toml:2")
    assert kubelemma("check", stuck, "--property", "DEP-4", "--no-save").code == 0


def test_sessions_heed_the_file(kubelemma: Kubelemma) -> None:
    """Options that every command has can be set for all of them."""
    configure('color = "always"')
    assert "\x1b[" in kubelemma("properties", "list").out
    assert "\x1b[" not in kubelemma("properties", "list", "--color", "never").out


# What is wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('fail_on = "high"', 'kubelemma.toml:1: fail_on: unknown key (did you mean "fail-on"?)'),
        ("\n[plase]", 'kubelemma.toml:2: plase: unknown key (did you mean "place"?)'),
        ('[place]\nby = "x"', "kubelemma.toml:2: place.by: 'x' is not one of"),
        ('[place]\nfail-on = "low"', "kubelemma.toml:2: place.fail-on: unknown key"),
        ("drain = []", "kubelemma.toml:1: drain: is no option of check: write it under [place]"),
        ('fail-on = "hihg"', "kubelemma.toml:1: fail-on: 'hihg' is not one of"),
        ('question = ["drian"]', "kubelemma.toml:1: question: 'drian' is not one of 'rollout',"),
        ('question = "drain"', "question: expected a list of strings, found the string"),
        ('thorough = "yes"', "thorough: expected true or false, found the string"),
        ("max-states = 0", "kubelemma.toml:1: max-states: 0 is not in the range"),
        ("max-states = true", "max-states: expected a whole number, found true"),
        ('max-states = "9"', 'max-states: expected a whole number, found the string "9"'),
        ("time-limit = 90", "time-limit: expected a string, found 90 (write it in quotes)"),
        ('time-limit = "soon"', 'kubelemma.toml:1: time-limit: "soon" is no duration'),
        ('event = "rollout=web"', "event: expected a list of strings, found the string"),
        ("event = [1]", "event: expected a list of strings, found a list"),
        ('no-kustomize = "yes"', "no-kustomize: expected true or false, found the string"),
        ("severity = {DEP-2 = true}", "severity: expected a string or number for each key"),
        ("severity = 1", "severity: expected a list of strings or a table, found 1"),
        ('severity = {DEP-2 = "lo"}', 'kubelemma.toml:1: severity: "DEP-2=lo" is not ID=SEVERITY'),
        ('severity = {DEP-22 = "low"}', 'toml:1: severity: there is no property "DEP-22" (did'),
        ('config = "x"', "config: unknown key"),
        ("[check]\nfail-on = ", "kubelemma.toml:2: is no TOML: Invalid value"),
    ],
)
def test_wrong_files(kubelemma: Kubelemma, stuck: str, text: str, message: str) -> None:
    """Every mistake is one sentence with its file, line and key, and 2."""
    configure(text)
    run = kubelemma("check", stuck, "--no-save")
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert "Traceback" not in run.err


def test_all_mistakes_at_once(kubelemma: Kubelemma) -> None:
    """Whatever command runs, all that is wrong with names and types is told."""
    configure("a = 1\nworkers = 0\n[place]\nby = 1\n")
    run = kubelemma("properties", "list")
    assert run.code == 2
    assert [line.split(": ")[:2] for line in run.err.splitlines()] == [
        ["kubelemma.toml:1", "a"],
        ["kubelemma.toml:2", "workers"],
        ["kubelemma.toml:4", "place.by"],
    ]


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("KUBELEMMA_FAIL_ON=hihg", "KUBELEMMA_FAIL_ON: 'hihg' is not one of"),
        ("KUBELEMMA_TIME_LIMIT=soon", 'KUBELEMMA_TIME_LIMIT: "soon" is no duration'),
        ("KUBELEMMA_CHECK_MAX_STATES=x", "KUBELEMMA_CHECK_MAX_STATES: 'x' is not a valid"),
    ],
)
def test_wrong_variables(
    kubelemma: Kubelemma, monkeypatch: pytest.MonkeyPatch, variable: str, message: str
) -> None:
    """A mistake in the environment names the variable."""
    monkeypatch.setenv(*variable.split("="))
    run = kubelemma("check", "web.yaml")
    assert run.code == 2
    assert run.err.startswith(message)


def test_contradictions(kubelemma: Kubelemma) -> None:
    """Nobody can name a file and want none; what is named must be there."""
    configure("")
    both = ("--no-config", "--config=kubelemma.toml")
    for options in (both, both[::-1]):
        assert "contradict each other" in kubelemma("check", *options).err
    assert kubelemma("check", "--config", "absent.toml").err == (
        "absent.toml: No such file or directory\n"
    )
    assert 'no command "chekc" (did you mean "check"?)' in kubelemma("config", "chekc").err


# What options there are


def test_help_needs_no_configuration(kubelemma: Kubelemma) -> None:
    """Whatever is wrong with a file, help is to be had."""
    configure("x")
    assert kubelemma("check", "--help").code == 0
    assert kubelemma("check", "--no-config").err.startswith("Usage")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_can_be_set(name: str) -> None:
    """Each option has a key of its own, and variables that no other option has."""
    keys = keys_of(COMMANDS[name])
    options = [p for p in COMMANDS[name].params if isinstance(p, click.Option)]
    unset = [o for o in options if o not in keys.values()]
    assert {o.name for o in unset} <= {"config", "no_config"}
    names = [variable for option in options for variable in option.envvar or ()]
    assert len(names) == len(set(names)) >= len(options)
    assert all(re.fullmatch("KUBELEMMA_[A-Z_]+", variable) for variable in names)


PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")


def test_the_documented_file(kubelemma: Kubelemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the documentation shows is valid, and has the effect that it shows."""
    configure(PAGE.partition("```toml\n")[2].partition("```")[0])
    monkeypatch.setenv("KUBELEMMA_FAIL_ON", "low")
    shown = PAGE.partition("$ kubelemma config\n")[2].partition("\n...")[0].splitlines()
    printed = kubelemma("config").out.splitlines()
    assert len(shown) > 5
    assert {" ".join(line.split()) for line in shown} <= {" ".join(p.split()) for p in printed}


def test_shared_options_are_documented() -> None:
    """The page names the keys that other commands heed, command by command."""
    for name in ("place", "graph", "simulate"):
        shared = set(shared_options(COMMANDS["check"], COMMANDS[name]))
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
        assert set(re.findall(r"`([a-z-]+)`", row)) - {name} == shared
