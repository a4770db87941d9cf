"""Completion at the shell's prompt: what may stand where, and the scripts that ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from .helping import Command
from .session import Session

PROGRAM = "kubelemma"
SHELLS = ("bash", "zsh", "fish")
REPORT_FILES = {
    "text": "report.txt",
    "wide": "report-wide.txt",
    "json": "report.json",
    "yaml": "report.yaml",
    "markdown": "report.md",
    "junit": "junit.xml",
    "sarif": "kubelemma.sarif",
    "github": "annotations.txt",
    "html": "report.html",
}
"""A name for the file of each format, so that what is offered can be taken as it is."""
PLACEMENT_FORMATS = ("text", "wide", "json", "yaml", "markdown", "junit", "sarif", "html")
"""Those of the formats in which a placement is told."""

Items: TypeAlias = list[CompletionItem]

_NO_FILES = 4
"""What keeps kubectl's shell from adding file names (cobra's ``ShellCompDirectiveNoFileComp``)."""


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Files and folders, which the shell knows best."""
    return [CompletionItem(incomplete, type="file")]


def property_ids(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """The identifiers of the catalogue, each with what it promises."""
    from kubelemma.properties.catalogue import STATEMENTS

    return _offered(((s.id, s.title) for s in STATEMENTS.values()), incomplete.upper())


def report_targets(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Formats with their files; a path that was begun is the shell's business."""
    return _offered(((f"{form}={name}", "") for form, name in REPORT_FILES.items()), incomplete)


def placement_targets(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> Items:
    """The same, of the formats in which a placement is told."""
    named = ((f"{form}={REPORT_FILES[form]}", "") for form in PLACEMENT_FORMATS)
    return _offered(named, incomplete)


def recordings(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The counterexamples that are kept below the working directory, or else files."""
    from kubelemma.recording import FOLDER

    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    kept = _offered(((name, "") for name in names), incomplete)
    return kept or files(context, parameter, incomplete)


def _offered(values: Iterable[tuple[str, str]], incomplete: str) -> Items:
    """Values with their help, of those that begin so and can be read at a prompt."""
    from kubelemma.model.visible import visible

    return [
        CompletionItem(value, help=text or None)
        for value, text in values
        if value.startswith(incomplete) and visible(value) == value
    ]


@click.command(
    cls=Command,
    epilog="""\b
To try it in the shell at hand:
  source <(kubelemma completion bash)
To have it in every shell:
  kubelemma completion bash > ~/.local/share/bash-completion/completions/kubelemma
  kubelemma completion zsh > "${fpath[1]}/_kubelemma"
  kubelemma completion fish > ~/.config/fish/completions/kubelemma.fish""",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_obj
def completion(session: Session, shell: str) -> None:
    """Print the script that completes lines at the prompt of SHELL.

    It completes commands, options and values.

    As a plugin (kubectl lemma) it needs none: kubectl's own completion asks it.
    """
    root = click.get_current_context().find_root().command
    of_shell = get_completion_class(shell)
    if of_shell is None:
        raise click.UsageError(f"this version of click has no completion for {shell}")
    session.print(of_shell(root, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())


class _Kubectl(ShellComplete):
    """What kubectl asks of a plugin: words as arguments, and a directive as the last line."""

    name = "kubectl"
    source_template = ""

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.value}\t{item.help}" if item.help else str(item.value)


def for_kubectl(command: click.Command, words: Sequence[str]) -> str:
    """The answer to kubectl's question how a line may go on; the last word is the incomplete one.

    See https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/ and cobra's
    ``shell_completions.md``.
    """
    *complete, incomplete = words or ("",)
    shell = _Kubectl(command, {}, "kubectl lemma", "")
    items = shell.get_completions(complete, incomplete)
    offered = [shell.format_completion(item) for item in items if item.type == "plain"]
    directive = 0 if any(item.type == "file" for item in items) else _NO_FILES
    return "\n".join([*offered, f":{directive}"]) + "\n"
