"""Options that several commands share, and the kinds of values that they take."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import click
from click.core import ParameterSource

from . import completion

if TYPE_CHECKING:
    from kubelemma.question import Question

Function = TypeVar("Function", bound=Callable[..., Any])

FORMATS = ("text", "wide", "json", "yaml", "markdown", "junit", "sarif", "github", "html")
QUESTIONS = ("rollout", "bad-version", "node-lost", "drain")
SEVERITIES = ("low", "medium", "high", "critical")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def duration(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> float | None:
    """Read a time such as ``90``, ``90s``, ``5m`` or ``1h``; gives seconds."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", value)
    if match is None or not float(match[1]):
        raise click.BadParameter(f'"{value}" is no duration such as 90s, 5m or 1h')
    return float(match[1]) * _SECONDS[match[2]]


def memory(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """Read an amount of memory such as ``2Gi``; gives bytes."""
    from kubelemma.model.objects.quantity import Quantity

    if value is None:
        return None
    try:
        amount = Quantity.parse(value).value()
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if amount <= 0:
        raise click.BadParameter(f'"{value}" is no memory')
    return amount


class Format(click.Choice[str]):
    """The format of standard output; whoever names a file with it means ``--report``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """One of the formats."""
        if str(value).partition("=")[0] in self.choices and "=" in str(value):
            self.fail(
                f'"{value}" names a file, and this is the format of standard output: '
                f"for a file, say --report {value}",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


class Target(NamedTuple):
    """A report to write: its format, and its file."""

    format: str
    path: Path


Targets: TypeAlias = Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[Target, ...]]


def targets_of(formats: tuple[str, ...]) -> Targets:
    """A callback that reads ``FORMAT=PATH`` pairs of these formats.

    Their folders must be there before anything is computed.
    """

    def read(
        _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
    ) -> tuple[Target, ...]:
        found = tuple(_target(value, formats) for value in values)
        for index, target in enumerate(found):
            if target.path in {other.path for other in found[:index]}:
                raise click.BadParameter(f'two reports would be written to "{target.path}"')
        return found

    return read


def _target(value: str, formats: tuple[str, ...]) -> Target:
    kind, _, path = value.partition("=")
    if kind not in formats or not path:
        raise click.BadParameter(f'"{value}" is not FORMAT=PATH, FORMAT being {either(formats)}')
    return Target(kind, to_write(Path(path)))


def version(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """A callback that reads a version of Kubernetes, which must be one that is modelled."""
    from kubelemma.model.versions import version_problem

    problem = version_problem(value) if value else None
    if problem:
        raise click.BadParameter(problem)
    return value


def to_write(path: Path) -> Path:
    """The path of a file to write, if there may be one.

    Raises:
        BadParameter: it is a folder, or lies in none.
    """
    try:
        if path.is_dir():
            raise click.BadParameter(f'"{path}" is a folder, where a file is to be written')
        if not path.absolute().parent.is_dir():
            raise click.BadParameter(f'there is no folder "{path.parent}"')
    except OSError as error:
        raise click.BadParameter(f'"{path}" is no file to write: {error.strerror}') from error
    return path


def unless_named(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """The files that a configuration names, only where the command line names none."""
    source = context.get_parameter_source(parameter.name or "")
    named = source is not ParameterSource.COMMANDLINE and context.params.get("paths")
    return () if named else values


def either(names: tuple[str, ...]) -> str:
    """``a, b or c``."""
    return f"{', '.join(names[:-1])} or {names[-1]}"


LOAD = click.option(
    "--load",
    multiple=True,
    metavar="FILE",
    shell_complete=completion.files,
    help="Run this Python file, and check the controllers and properties of your own that it "
    "declares. Repeatable.",
)


NO_KUSTOMIZE = click.option(
    "--no-kustomize",
    is_flag=True,
    help="Read the files of a directory even where it has a kustomization.yaml.",
)
STRICT = click.option(
    "--strict",
    is_flag=True,
    help="Refuse files in a directory that are no Kubernetes objects, instead of skipping them.",
)
VARIANT = click.option(
    "--variant",
    default="",
    metavar="NAME",
    help="Where folders define the same objects, take this one, such as prod.",
)

_INPUT: tuple[Callable[[Any], Any], ...] = (
    click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completion.files),
    click.option(
        "-f",
        "--filename",
        "files",
        multiple=True,
        callback=unless_named,
        shell_complete=completion.files,
        metavar="FILE|DIR|-",
        help="Manifests, scenarios (kind: Check), or a directory of them; - is standard input.",
    ),
    LOAD,
    click.option(
        "--nodes",
        multiple=True,
        metavar="SPEC",
        help="Nodes of the cluster, such as count=3,cpu=4,memory=16Gi. Repeatable.",
    ),
    click.option(
        "--event",
        "events",
        multiple=True,
        metavar="SPEC",
        help="What may happen, such as rollout=web, scale=web:5 or node-crash; nothing does with "
        "none. Repeatable.",
    ),
    click.option(
        "--together",
        metavar="A,B",
        default="",
        help="Workloads to check as one system; others are checked one by one.",
    ),
    click.option(
        "--workload",
        "workloads",
        multiple=True,
        metavar="NAME",
        help="Check only this workload. Repeatable.",
    ),
    click.option(
        "--namespace",
        "-n",
        default="",
        metavar="NAME",
        help="The namespace of objects that name none.",
    ),
    click.option(
        "--scoring/--no-scoring",
        default=None,
        help="Let the scheduler choose among the best nodes only, or among all that fit.",
    ),
    click.option(
        "--kubernetes",
        default="",
        metavar="VERSION",
        callback=version,
        help="The version of Kubernetes, such as 1.35 (the newest that is modelled where nobody "
        "says).",
    ),
    NO_KUSTOMIZE,
    STRICT,
    VARIANT,
)


def input_options(command: Function) -> Function:
    """Add the options that say what is asked about; ``question`` puts them together."""
    for option in reversed(_INPUT):
        command = option(command)
    return command


def question(**given: Any) -> Question:
    """What is asked, from the values of ``input_options`` and those of single commands.

    Raises:
        UsageError: no input is named.
        InvalidInput: the value of an option cannot be read.
    """
    from kubelemma.question import STDIN, Question

    paths = (*given.pop("paths"), *given.pop("files"))
    if not paths:
        raise click.UsageError("nothing to check: name files or directories, or - for input")
    stdin = sys.stdin.buffer.read() if STDIN in paths else b""
    together = tuple(filter(None, given.pop("together").split(",")))
    kustomize = not given.pop("no_kustomize")
    return Question(paths=paths, stdin=stdin, together=together, kustomize=kustomize, **given)
