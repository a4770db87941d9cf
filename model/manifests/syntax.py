"""What the YAML parser complains about, in plain words and with the likely cause."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from kubelemma.model.findings import RENDER_FIRST

from .problems import Position, Problem

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_TEMPLATE = re.compile(r"\{\{")


class _Complaint(NamedTuple):
    """A parser's complaint (a part of its text) and ours; ``at_start`` points to what was open."""

    text: str
    context: str
    message: str
    at_start: bool = False


_UNCLOSED = "is opened here and never closed"
_COMPLAINTS = (
    _Complaint("tab character", "", "a tab: YAML is indented with blanks only"),
    _Complaint("end of stream", "quoted scalar", f"a quotation mark {_UNCLOSED}", at_start=True),
    _Complaint(
        "document indicator", "quoted scalar", f"a quotation mark {_UNCLOSED}", at_start=True
    ),
    _Complaint("',' or ']'", "", f'a "[" {_UNCLOSED}, or a comma is missing', at_start=True),
    _Complaint("',' or '}'", "", f'a "{{" {_UNCLOSED}, or a comma is missing', at_start=True),
    _Complaint(
        "could not find expected ':'",
        "",
        'a line without a colon: expected "key: value"',
        at_start=True,
    ),
    _Complaint(
        "mapping values are not allowed",
        "",
        'a colon where none can be: quote a value that holds ": ", or mend the indentation',
    ),
    _Complaint(
        "block sequence entries are not allowed",
        "",
        'a "- " where none can be: a list begins on a line of its own',
    ),
    _Complaint("expected '-' indicator", "", 'wrong indentation: expected the next "- " of a list'),
    _Complaint(
        "did not find expected key",
        "",
        "expected a key: wrong indentation, or something left over after a closed value",
    ),
    _Complaint("expected <document start>", "", "something left over: a new document needs ---"),
    _Complaint("unknown escape character", "", 'an unknown "\\" sequence in double quotes'),
    _Complaint("Unicode character escape", "", 'a "\\u" sequence that stands for no character'),
    _Complaint("alphabetic or numeric", "alias", "a value that begins with * must be quoted"),
    _Complaint("alphabetic or numeric", "anchor", "a value that begins with & must be quoted"),
    _Complaint(
        "comment or line break", "block scalar", "a text after | or > begins on the next line"
    ),
    _Complaint("", "scanning a directive", "a line that begins with % must be quoted"),
    _Complaint("unexpected ':'", "plain scalar", "quote a value that holds a colon"),
    _Complaint("undefined tag handle", "", "a value that begins with ! must be quoted"),
    _Complaint("expected node content", "", 'expected a value, or a "]" or "}" is missing'),
)


def forbidden_character(file: str, text: str) -> Problem | None:
    """The first character that no YAML text may hold, if there is one."""
    match = _FORBIDDEN.search(text)
    if match is None:
        return None
    before = text[: match.start()]
    position = Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    code = ord(match.group())
    if code == 0:
        return Problem(position, "", "a NUL byte: a binary file, not YAML or JSON")
    return Problem(position, "", f"the character U+{code:04X} is not allowed in YAML")


def template_problem(file: str, text: str, lines_before: int, line: int) -> Problem | None:
    """That this is a template, if the text holds ``{{`` in this line (counted from 0).

    To be asked only where the text is no YAML: inside a string ``{{`` is as good as anything.
    """
    column = _lines(text)[line].find("{{")
    if column < 0:
        return None
    position = Position(file, lines_before + line + 1, column + 1)
    return Problem(position, "", f'"{{{{": a template, not YAML ({RENDER_FIRST})')


def syntax_problem(file: str, text: str, lines_before: int, error: yaml.YAMLError) -> Problem:
    """The parser's error in plain words; a template is called a template."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem(Position(file, lines_before + 1, 1), "", f"not YAML: {error}")
    complaint = _complaint(error.problem or "", error.context or "")
    mark = error.problem_mark
    if complaint is not None and complaint.at_start and error.context_mark is not None:
        mark = error.context_mark
    line = min(mark.line, len(_lines(text.rstrip())) - 1)
    template = template_problem(file, text, lines_before, line)
    if template is not None:
        return template
    message = complaint.message if complaint else _unexplained(error, _lines(text)[line])
    message += _template_elsewhere(text, lines_before)
    return Problem(Position(file, lines_before + line + 1, mark.column + 1), "", message)


def _lines(text: str) -> list[str]:
    """The lines as the parser counts them."""
    return _LINE_END.split(text)


def _template_elsewhere(text: str, lines_before: int) -> str:
    match = _TEMPLATE.search(text)
    if match is None:
        return ""
    line = lines_before + text.count("\n", 0, match.start()) + 1
    return f' (line {line} holds "{{{{": if this is a template, {RENDER_FIRST})'


def _complaint(problem: str, context: str) -> _Complaint | None:
    matching = (c for c in _COMPLAINTS if c.text in problem and c.context in context)
    return next(matching, None)


def _unexplained(error: yaml.MarkedYAMLError, line: str) -> str:
    """Complaints about one character, which is shown, and those that speak for themselves."""
    mark = error.problem_mark
    if mark is not None and "cannot start any token" in (error.problem or ""):
        character = line[mark.column : mark.column + 1]
        if character == "\t":
            return "a tab: YAML is indented with blanks only"
        return f'a value cannot begin with "{character}": quote it'
    return f"not YAML: {error.context or 'in this document'}: {error.problem}"
