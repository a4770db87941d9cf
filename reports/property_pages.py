"""What is known about a property as Markdown: its page in the documentation, and SARIF's help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubelemma.properties.statement import KUBERNETES, Kind, Statement

from .markdown import code, escape
from .story import Story
from .story_text import conclusion_lines, run_lines
from .style import painter

SITE = ""
"""Where what ``make site`` builds is published, such as ``https://example.org/kubelemma/``; empty:
nowhere."""

FOLDER = "docs/properties"
"""Where the pages lie in the project."""

_WIDTH = 96
_SOURCE = f"https://github.com/kubernetes/kubernetes/blob/{KUBERNETES}.0/"
_NOTICE = "<!-- Written by `make pages`. Change properties/ or examples/, and write it again. -->"
_ASKED: Mapping[Kind, str] = {
    Kind.SAFETY: (
        "It is an invariant: it is asked of every reachable state of the scenario. A "
        "counterexample is a shortest way to a state in which it is broken."
    ),
    Kind.STEP: (
        "It is a property of steps: it is asked of every step that leads from a reachable state "
        "to the next. A counterexample is a shortest way to a step that breaks it."
    ),
    Kind.LIVENESS: (
        "It is about whole runs: users and faults may act as often as the scenario allows and "
        "then stop, and everybody else who could always act does so in the end (weak fairness). "
        "A counterexample ends in a standstill, or in a loop."
    ),
}
_BOUNDS = (
    "A verdict is about one scenario: these nodes, these events and each at most so often, and a "
    "bound on the pods of a workload. Reports name all of it as *what was assumed*. Within it "
    "nothing is sampled: *holds* means every order of every reachable state, and a search that "
    "hits a limit is *inconclusive*."
)
ONLY_NAMED = (
    "No manifest breaks it, nor a machine that fails: only a defect of Kubernetes would. So it is "
    "asked where somebody names it (or all), where a scenario has faults, and where controllers "
    "are loaded."
)
"""When a promise is asked that users can do nothing about."""
_INTRODUCTION = (
    f"What Kubernetes {KUBERNETES} promises, and kubelemma checks. Each page has the promise, why "
    "it matters, the smallest counterexample, and the repair. `kubelemma explain ID` tells the "
    "same at a terminal, without the counterexample."
)
_UNBROKEN = (
    "Promises that only a broken model breaks are invariants of Kubernetes' components: no "
    "manifest is known to violate them. They are checked all the same, since a scenario that "
    "violates one would be a finding about Kubernetes itself."
)


@dataclass(frozen=True, slots=True)
class Repair:
    """An example in which the property holds; ``found`` says so, with what was explored."""

    example: str
    found: str


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A story that breaks a property, and where it comes from.

    Attributes:
        story: what happens, without commands.
        example: the folder of ``examples/`` that shows it; empty where only a broken model does.
        broken: what was broken in the model, as sentences; empty for an example.
        function: the function of the model that was replaced for that.
        repairs: variants of the example in which the property holds.
        others: further examples that violate it.
    """

    story: Story
    example: str = ""
    broken: str = ""
    function: str = ""
    repairs: tuple[Repair, ...] = ()
    others: tuple[str, ...] = ()


def page_url(identifier: str) -> str | None:
    """The address of a property's page; None where the pages are not published."""
    return f"{SITE}properties/{identifier}.html" if SITE else None


def page_path(identifier: str) -> str:
    """Where the page lies in the project."""
    return f"{FOLDER}/{identifier}.md"


def help_text(statement: Statement) -> str:
    """All that is known about a property, as Markdown paragraphs."""
    parts = (
        ("", statement.statement),
        ("Why it matters: ", statement.why),
        ("Conditions: ", statement.conditions),
        ("What to do about a violation: ", statement.remediation),
    )
    told = [f"{_strong(label)}{escape(text)}" for label, text in parts if text]
    return "\n\n".join([*told, f"{_strong('Written in: ')}{_references(statement)}"])


def _strong(label: str) -> str:
    return f"**{label.strip()}** " if label else ""


def page(statement: Statement, shown: Counterexample) -> str:
    """The documentation page of a property; ends in a line break."""
    blocks = [_NOTICE, f"# {statement.id}: {escape(statement.title)}", escape(statement.statement)]
    for heading, body in (
        ("Why it matters", [escape(statement.why)]),
        ("How it is checked", _checked(statement)),
        ("The smallest counterexample", _counterexample(statement, shown)),
        ("What to do about a violation", _repair(statement, shown)),
        ("Where it is written", _written(statement)),
    ):
        blocks += [f"## {heading}", *body]
    return "\n\n".join(blocks) + "\n"


def index(shown: Mapping[str, Counterexample], statements: Iterable[Statement]) -> str:
    """The page that leads to all others; ends in a line break."""
    rows = ["| property | kind | severity | promise | broken by |", "|---" * 5 + "|"]
    for s in statements:
        cells = (f"[{s.id}]({s.id}.md)", s.kind, s.severity, escape(s.title), _origin(shown[s.id]))
        rows.append(f"| {' | '.join(cells)} |")
    blocks = (_NOTICE, "# Properties", _INTRODUCTION, "\n".join(rows), _UNBROKEN)
    return "\n\n".join(blocks) + "\n"


def _origin(shown: Counterexample) -> str:
    if shown.example:
        return _example_link(shown.example)
    return "a broken model only"


def _example_link(name: str) -> str:
    return f"[{name}](../gallery.md#{name})"


def _checked(statement: Statement) -> Iterator[str]:
    yield _ASKED[statement.kind]
    yield f"Conditions: {escape(statement.conditions)}"
    if statement.defect_only:
        yield ONLY_NAMED
    yield _BOUNDS


def _counterexample(statement: Statement, shown: Counterexample) -> Iterator[str]:
    if shown.example:
        folder = f"examples/{shown.example}/"
        yield f"[{folder}](../../{folder}) has the manifests."
        yield _fenced([f"kubelemma check {folder} --property {statement.id}"])
    else:
        yield (
            "No manifest is known that violates it. To show that the check can fail, a test breaks "
            f"the model on purpose. Here, in {code(shown.function)}: *{escape(shown.broken)}*"
        )
    paint = painter(colour=False)
    ending = conclusion_lines(shown.story, paint, _WIDTH)
    lines = [*run_lines(shown.story, paint, _WIDTH), "", *ending]
    yield _fenced((line.rstrip() for line in lines), "text")


def _fenced(lines: Iterable[str], language: str = "") -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _repair(statement: Statement, shown: Counterexample) -> Iterator[str]:
    yield escape(statement.remediation)
    if shown.repairs:
        commands = [
            f"kubelemma check examples/{repair.example}/ --property {statement.id}"
            for repair in shown.repairs
        ]
        yield _fenced(commands)
        yield "\n".join(f"- {repair.example}: {escape(repair.found)}" for repair in shown.repairs)
    if any(repair.example.endswith("-control") for repair in shown.repairs):
        yield "A *control* is no repair: it is the same case without the disturbance."
    if shown.example:
        yield f"The gallery tells more about {_example_link(shown.example)}."
    if shown.others:
        yield f"Others that violate it: {', '.join(map(_example_link, shown.others))}."


def _written(statement: Statement) -> Iterator[str]:
    yield f"Kubernetes {KUBERNETES}; kept by: {escape(', '.join(statement.components))}."
    yield "\n".join(f"- {_reference(part)}" for part in statement.references())


def _references(statement: Statement) -> str:
    return f"{', '.join(map(_reference, statement.references()))} (Kubernetes {KUBERNETES})"


def _reference(part: str) -> str:
    """A page of the documentation, or a path in Kubernetes' source."""
    return f"<{part}>" if part.startswith("https://") else f"[{part}]({_SOURCE}{part})"
