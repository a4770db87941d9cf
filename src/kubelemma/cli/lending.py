"""The options of ``check``, for who is called by another command line: the plugin of pytest.

An option has the value that the borrower hands over; else that which ``check`` would find in the
environment, in a configuration file, or as its default.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .check import check
from .commands import cli
from .configured import blamed
from .judging import Judging, policy_of
from .keys import options_of
from .options import question
from .searching import Means, means_of

if TYPE_CHECKING:
    from kubelemma.policy import Policy
    from kubelemma.question import Question

APART = frozenset(
    {
        *("filename", "output", "report", "write-baseline"),
        *("checkpoint", "resume", "fail-fast"),
        *("color", "quiet", "verbose"),
    }
)
"""Options that are about one run of the command line, its input and its output."""

_NOTHING: Mapping[str, Any] = {
    "paths": ("",),
    "files": (),
    "write_baseline": None,
    "checkpoint": None,
    "resume": False,
    "fail_fast": False,
}
"""What is said instead, by the names of the parameters."""


@dataclass(frozen=True, slots=True)
class Lent:
    """What the options say, in whatever folder. Of the question the paths are missing."""

    question: Question
    means: Means
    judging: Judging
    fail_on: str | None
    context: click.Context
    names: Mapping[str, str]

    def policy(self, known: Collection[str]) -> Policy:
        """What counts; ``known`` are the identifiers of properties.

        Raises:
            InvalidInput: something is wrong with the options, or a file that they name.
        """
        with _complaints(self.names), self.context.scope(cleanup=False):
            return policy_of(self.judging, known)


def lend(given: Mapping[str, Any], names: Mapping[str, str]) -> Lent:
    """The options of ``check``.

    Args:
        given: values by the options' long names.
        names: what the borrower calls these options.

    Raises:
        InvalidInput: something is wrong with them; the problem says where that is written.
    """
    with _complaints(names):
        context = _read(given)
        values = {**_NOTHING, **dict(_values(context))}
        means = means_of(**{name: values.pop(name) for name in Means._fields})
        judging = Judging(**{name: values.pop(name) for name in Judging._fields}).settled()
        fail_on = values.pop("fail_on")
        return Lent(question(**values), means, judging, fail_on, context, names)


def _read(given: Mapping[str, Any]) -> click.Context:
    """A context in which the options have been read, those for configuration files first."""
    context = click.Context(check, parent=click.Context(cli), info_name=check.name)
    options = options_of(check)
    handed = {options[key].name: value for key, value in given.items()}
    for key, option in sorted(options.items(), key=lambda item: not item[1].is_eager):
        if key not in APART:
            option.handle_parse_result(context, handed, [])
    return context


def _values(context: click.Context) -> Iterator[tuple[str, Any]]:
    """What was read, with paths that mean the same in every folder: tests go to others."""
    for name, value in context.params.items():
        if isinstance(value, Path):
            yield name, value.absolute()
        elif name == "load":
            yield name, tuple(map(os.path.abspath, value))
        else:
            # A member of an enumeration is click's word for what nobody has set.
            yield name, None if isinstance(value, Enum) else value


@contextmanager
def _complaints(names: Mapping[str, str]) -> Iterator[None]:
    """Let complaints about options be problems of the input."""
    from kubelemma.model.manifests.problems import InvalidInput, Position, Problem

    try:
        yield
    except click.UsageError as error:
        place, field = (*(blamed(error) or (_name(error, names),)), "")[:2]
        raise InvalidInput([Problem(Position(place), field, error.message)]) from error


def _name(error: click.UsageError, names: Mapping[str, str]) -> str:
    """What somebody who has handed over an option calls it."""
    param = error.param if isinstance(error, click.BadParameter) else None
    keys = (key for key, option in options_of(check).items() if option is param)
    return next((names.get(key, f"--{key}") for key in keys), "kubelemma")
