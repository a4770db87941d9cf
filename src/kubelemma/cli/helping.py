"""Help that a person reads to the end: options stand under headings, and examples come last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeAlias

import click

Examples: TypeAlias = tuple[tuple[str, str], ...]
"""Command lines without the name of the program, each after what it is for."""

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "Input": ("filename", "load", "namespace", "variant", "strict", "no-kustomize"),
    "What is asked": (
        *("question", "thorough", "event", "from", "prune"),
        *("property", "workload", "together", "scenario"),
    ),
    "Cluster": ("nodes", "add", "machines", "scoring", "kubernetes"),
    "What if": ("drain", "cordon", "lose", "lose-reading", "scale", "surge"),
    "Other questions": (
        *("survive", "survive-zone", "how-many", "fewest-nodes", "why"),
        *("reachable", "any-order", "reschedule", "no-preemption"),
    ),
    "What counts": (
        *("fail-on", "severity", "baseline", "write-baseline"),
        *("suppressions", "no-suppressions", "today"),
    ),
    "Limits": ("time-limit", "max-states", "max-memory"),
    "How to search": (*("engine", "workers", "no-reduction", "fail-fast", "checkpoint", "resume"),),
    "Runs at random": ("seed", "runs", "steps", "examples"),
    "What is printed": (
        *("output", "format", "report", "by", "summary"),
        *("quiet", "verbose", "color"),
    ),
    "What is kept": ("save", "cache", "cache-dir"),
    "Else": ("config", "no-config", "version", "help"),
}
"""The options of all commands by their long names, what is wanted most often first."""

_PLACES = {
    key: (heading, place) for heading, keys in HEADINGS.items() for place, key in enumerate(keys)
}
_FIRST_COLUMN = 26


class Command(click.Command):
    """A command whose help has headings and examples."""

    def __init__(self, *args: Any, examples: Examples = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, heading by heading."""
        found: dict[str, list[tuple[int, tuple[str, str]]]] = defaultdict(list)
        for param in self.get_params(ctx):
            row = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if row is not None:
                heading, place = place_of(param)
                found[heading].append((place, row))
        for heading in (h for h in HEADINGS if h in found):
            rows = [row for _, row in sorted(found[heading], key=lambda each: each[0])]
            with formatter.section(heading):
                formatter.write_dl(rows, col_max=_FIRST_COLUMN)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, and then what else there is to say."""
        if self.examples:
            program = ctx.find_root().info_name or "kubelemma"
            with formatter.section("Examples"):
                for purpose, line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}# {purpose}\n")
                    formatter.write(f"{'':{formatter.current_indent}}{_line(program, line)}\n")
        super().format_epilog(ctx, formatter)


class Group(click.Group):
    """A group of such commands, in the order in which they were added."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of the commands."""
        return list(self.commands)


def place_of(param: click.Parameter) -> tuple[str, int]:
    """The heading that an option stands under, and its place there."""
    name = max(param.opts, key=len).lstrip("-")
    return _PLACES[name]


def _line(program: str, line: str) -> str:
    """A command line; of one that begins with another program's, ours comes after the pipe."""
    before, pipe, own = line.rpartition("| ")
    return f"{before}{pipe}{program} {own}"
