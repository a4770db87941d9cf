"""The usual questions as options choose them, and what cannot be asked together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Kubelemma: TypeAlias = Callable[..., Any]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--thorough", "--event", "rollout"), "--thorough asks products of the usual questions"),
        (("--thorough", "--event", "none"), "and --event says what happens instead"),
        (("--question", "drain", "--event", "rollout"), "--question chooses among the usual"),
        (("-q", "-o", "json"), "-q is for text: -o json is data, and has no summary line"),
        (("-q", "-o", "html"), "-q is for text: -o html is data"),
        (("--question", "drian"), "'drian' is not one of 'rollout', 'bad-version'"),
        (("--fail-on", "hihg"), "'hihg' is not one of 'low', 'medium', 'high', 'critical'"),
        (("--severity", "DEP-2=hihg"), "SEVERITY being low, medium, high or critical"),
    ],
)
def test_what_cannot_be_asked(
    kubelemma: Kubelemma, repaired: str, options: tuple[str, ...], message: str
) -> None:
    """Options that contradict each other, or name nothing, are told in a sentence."""
    run = kubelemma("check", repaired, *options)
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert len(run.err.splitlines()) == 4


def test_what_a_file_says_is_blamed(
    kubelemma: Kubelemma, repaired: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a contradiction is not all on the command line, each part says where it stands."""
    Path("kubelemma.toml").write_text('thorough = true\noutput = "json"\n', "utf-8")
    run = kubelemma("check", repaired, "--event", "rollout")
    assert run.code == 2
    assert "--thorough (kubelemma.toml:1) asks products" in run.err
    assert "-o json (kubelemma.toml:2) is data" in kubelemma("check", repaired, "-q").err
    monkeypatch.setenv("KUBELEMMA_EVENT", "rollout")
    assert "--event (KUBELEMMA_EVENT) says what happens" in kubelemma("check", repaired).err


def test_one_question(kubelemma: Kubelemma, repaired: str) -> None:
    """What is named is asked, and nothing else; quiet is one line, of whatever kind of text."""
    asked = ("check", repaired, "--question", "rollout", "--no-save")
    run = kubelemma(*asked)
    assert run.out.splitlines()[0].split() == ["WORKLOAD", "ROLLOUT"]
    last = run.out.splitlines()[-1]
    assert last.startswith("PASSED: 1 check of 1 workload, every state (")
    assert kubelemma(*asked, "-q") == (0, f"{last}\n", "")
    assert kubelemma(*asked, "-q", "-o", "wide") == (0, f"{last}\n", "")


def test_a_scenario_says_what_happens(kubelemma: Kubelemma, sound: str) -> None:
    """Where nothing of what was chosen is asked, a warning says so."""
    for options in (("--thorough",), ("--question", "drain")):
        run = kubelemma("check", sound, *options, "--no-save")
        assert run.code == 0
        assert run.err == (
            "warning: --question and --thorough change nothing: what happens is said by scenarios\n"
        )
