"""Texts that are no YAML, or no manifests: what is said of each, to the letter."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from kubelemma.model.manifests import InvalidInput, Source, load

COLON = (
    'f.yaml:{}: a colon where none can be: quote a value that holds ": ", or mend the indentation'
)
BLANK = (
    'f.yaml:{}: spec.strategy.rollingUpdate.maxSurge: "25 %" is neither an integer nor a '
    "percentage (a blank before the percent sign?)"
)
WEB = (Path(__file__).parent / "bad_input" / "web.yaml").read_text("utf-8")


def said(text: str | bytes, name: str = "f.yaml") -> list[str]:
    """What is said of a text that cannot be used, line by line."""
    with pytest.raises(InvalidInput) as refused:
        load([Source(name, text)])
    assert str(refused.value) == "\n".join(map(str, refused.value.problems))
    return [str(problem) for problem in refused.value.problems]


class Case(NamedTuple):
    """A text, and everything that is said of it."""

    name: str
    text: str
    said: str


SYNTAX = [
    Case("tab", "a:\n\tb: 1\n", "f.yaml:2: a tab: YAML is indented with blanks only"),
    Case("tab-later", "a:\n  b: 1\n\tc: 2\n", "f.yaml:3: a tab: YAML is indented with blanks only"),
    Case(
        "double-quote",
        'a: 1\nb: "x\nc: y\n',
        "f.yaml:2: a quotation mark is opened here and never closed",
    ),
    Case(
        "single-quote",
        "a: 1\nb: 'x\nc: y\n",
        "f.yaml:2: a quotation mark is opened here and never closed",
    ),
    Case(
        "bracket",
        "a: [1, 2\nb: 3\n",
        'f.yaml:1: a "[" is opened here and never closed, or a comma is missing',
    ),
    Case(
        "brace",
        "a: {b: 1\nc: 3\n",
        'f.yaml:1: a "{" is opened here and never closed, or a comma is missing',
    ),
    Case("end", "a: [", 'f.yaml:1: expected a value, or a "]" or "}" is missing'),
    Case("no-colon", "a: 1\nb\n", 'f.yaml:2: a line without a colon: expected "key: value"'),
    Case(
        "two-colons",
        "a: b: c\n",
        COLON.format(1),
    ),
    Case(
        "indentation",
        "a:\n  b: 1\n c: 2\n",
        "f.yaml:3: expected a key: wrong indentation, or something left over after a closed value",
    ),
    Case(
        "list-indentation",
        "a:\n - b: 1\n   c: 2\n  d: 1\n",
        'f.yaml:4: wrong indentation: expected the next "- " of a list',
    ),
    Case(
        "dash",
        "a: - b\n",
        'f.yaml:1: a "- " where none can be: a list begins on a line of its own',
    ),
    Case("at", "a: @b\n", 'f.yaml:1: a value cannot begin with "@": quote it'),
    Case("star", "a: *\n", "f.yaml:1: a value that begins with * must be quoted"),
    Case("ampersand", "a: &\n", "f.yaml:1: a value that begins with & must be quoted"),
    Case("block", "a: | x\n", "f.yaml:1: a text after | or > begins on the next line"),
    Case("percent", "a: 1\n%b: c\n", "f.yaml:2: a line that begins with % must be quoted"),
    Case("bang", "a: !e!b c\n", "f.yaml:1: a value that begins with ! must be quoted"),
    Case("escape", 'a: "\\q"\n', 'f.yaml:1: an unknown "\\" sequence in double quotes'),
    Case(
        "left-over", '{"a": 1}{"b": 2}', "f.yaml:1: something left over: a new document needs ---"
    ),
    Case("control", "a: \x01\n", "f.yaml:1: the character U+0001 is not allowed in YAML"),
    Case("nul", "a: 1\nb: \0\n", "f.yaml:2: a NUL byte: a binary file, not YAML or JSON"),
    Case("alias", "a: *b\n", "f.yaml:1: a: *b refers to no anchor: there is no &b before it"),
    Case("cycle", "a: &x [*x]\n", "f.yaml:1: a[0]: *x stands inside &x itself"),
    Case(
        "merge",
        "apiVersion: &x v1\nkind: Lease\nb:\n  <<: *x\n",
        "f.yaml:4: b: << takes an alias of an object, or a list of them",
    ),
    Case("key", "? [a]\n: b\n", "f.yaml:1: a key must be a word, not a list or an object"),
    Case("alias-key", "a: &x b\n*x : c\n", "f.yaml:2: a key must be a word, not an alias"),
    Case(
        "null-key",
        "apiVersion: v1\nkind: Lease\n~: 2\n",
        "f.yaml:3: a key is missing before the colon",
    ),
    Case(
        "tag",
        "apiVersion: v1\nkind: Lease\na:\n- !Ref b\n",
        "f.yaml:4: a[0]: the tag !Ref has no meaning in a Kubernetes manifest",
    ),
    Case("depth", "a: " + "[" * 300 + "]" * 300, "f.yaml:1: nested more than 200 levels deep"),
    Case(
        "template",
        "a: 1\nb: {{ .Values.b }}\n",
        'f.yaml:2: "{{": a template, not YAML (render it first: helm template)',
    ),
    Case(
        "template-control",
        "{{- if .Values.b }}\na: 1\n{{- end }}\n",
        'f.yaml:1: "{{": a template, not YAML (render it first: helm template)',
    ),
    Case(
        "template-elsewhere",
        "a: |\n  {{ include 'b' . }}\nb: c: d\n",
        'f.yaml:3: a colon where none can be: quote a value that holds ": ", or mend the '
        'indentation (line 2 holds "{{": if this is a template, render it first: helm template)',
    ),
]

NO_MANIFESTS = [
    Case("empty", "", "f.yaml: holds no document: nothing to check"),
    Case("comments", "# nothing\n---\n# more\n", "f.yaml: holds no document: nothing to check"),
    Case("text", "just text\n", 'f.yaml:1: expected an object, found the string "just text"'),
    Case(
        "json-patch",
        "- {op: replace, path: /spec/replicas, value: 3}\n",
        "f.yaml:1: expected an object, found a list (a JSON patch of Kustomize?)",
    ),
    Case(
        "neither",
        "image: {tag: v1}\n",
        "f.yaml:1: apiVersion and kind are missing (a Helm values file, or a Kustomize patch?)",
    ),
    Case("no-kind", "apiVersion: v1\nmetadata: {name: a}\n", "f.yaml:1: kind is missing"),
    Case(
        "misspelt-kind",
        "apiVersion: v1\nKind: Pod\n",
        'f.yaml:1: kind is missing (is "Kind" a misspelling?)',
    ),
    Case(
        "compose",
        "services: {web: {image: a}}\n",
        "f.yaml:1: apiVersion and kind are missing (a Docker Compose file?)",
    ),
    Case(
        "number",
        "apiVersion: 1\nkind: Pod\n",
        "f.yaml:1: apiVersion: expected a string, found the number 1",
    ),
    Case(
        "kustomization",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n",
        "f.yaml:2: kind: a Kustomization is no API object: pass the directory that holds it, "
        "not the file",
    ),
    Case(
        "empty-list",
        "apiVersion: v1\nkind: List\nitems: []\n",
        "f.yaml:3: items: an empty list: nothing to check",
    ),
]


@pytest.mark.parametrize("case", [*SYNTAX, *NO_MANIFESTS], ids=lambda case: case.name)
def test_bad_texts(case: Case) -> None:
    """A bad text is refused with this very message."""
    assert said(case.text) == [case.said]


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        (
            "values.yaml",
            "replicas: 3\n",
            " (a Helm values file? render the chart first: helm template)",
        ),
        (
            "Chart.yaml",
            "apiVersion: v2\nname: a\nversion: 1.0.0\n",
            " (the description of a Helm chart? render the chart first: helm template)",
        ),
    ],
)
def test_files_of_a_chart(name: str, text: str, hint: str) -> None:
    """The files of a Helm chart are known by their names."""
    assert said(text, f"chart/{name}")[0].endswith(hint)


def test_every_document_is_looked_at() -> None:
    """A mistake in one document hides none in the others, and lines count from the file's top."""
    text = f"{WEB.replace('3', 'x')}---\na: b: c\n---\nkind: Pod\n---\n{WEB.replace('25%', '25 %')}"
    assert said(text) == [
        'f.yaml:6: spec.replicas: expected an integer, found the string "x"',
        COLON.format(27),
        "f.yaml:29: apiVersion is missing",
        BLANK.format(42),
    ]


def test_duplicate_keys() -> None:
    """A key that is given twice is named with its path and both lines, however often."""
    text = WEB.replace("  replicas: 3\n", "  replicas: 3\n  replicas: 4\n  paused: no\n")
    text = text.replace("{app: web}", "{app: web, app: wbe}", 1)
    assert said(text) == [
        "f.yaml:7: spec.replicas: given twice (first in line 6)",
        "f.yaml:10: spec.selector.matchLabels.app: given twice (first in line 10)",
    ]


def test_missing_separator() -> None:
    """Two documents without a line between them are known by their keys."""
    hint = "given twice (first in line 1) (is --- missing between two documents?)"
    text = "apiVersion: v1\nkind: Lease\napiVersion: v1\nkind: Lease\n"
    assert said(text) == [
        f"f.yaml:3: apiVersion: {hint}",
        "f.yaml:4: kind: given twice (first in line 2)",
    ]


def test_anchor_bomb() -> None:
    """A few lines that stand for a billion values are refused, and not expanded."""
    levels = "".join(f"{b}: &{b} [{', '.join(['*' + a] * 10)}]\n" for a, b in pairwise("abcdefghi"))
    (message,) = said("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + levels)
    assert message == "f.yaml:6: aliases stand for more than 1,000,000 values (an anchor bomb?)"


def test_merge_bomb() -> None:
    """Merged keys count as well."""
    levels = "".join(
        f"{b}: &{b}\n" + "".join(f"  {a}{i}: {{<<: *{a}}}\n" for i in range(20))
        for a, b in pairwise("abcdefg")
    )
    (message,) = said("a: &a {" + ", ".join(f"k{i}: v" for i in range(50)) + "}\n" + levels)
    assert message.endswith("aliases stand for more than 1,000,000 values (an anchor bomb?)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\0", "bin:1: not UTF-8 text (byte 0x89): a binary file?"),
        (b"a: 1\nb: \xe4\n", "bin:2: not UTF-8 text (byte 0xe4): a binary file?"),
        (b"\x7fELF\0\0", "bin:1: the character U+007F is not allowed in YAML"),
        (b"\x1f\x8b\x08", "bin: a gzip file: unpack it first"),
        ("a: 1\n".encode("utf-16"), "bin: UTF-16 text: save it as UTF-8"),
    ],
)
def test_bytes_that_are_no_text(content: bytes, message: str) -> None:
    """Binary files and other encodings are called what they are."""
    assert said(content, "bin") == [message]


def test_byte_order_mark() -> None:
    """A byte-order mark before UTF-8 is no part of the text."""
    (web,) = load([Source("f.yaml", b"\xef\xbb\xbf" + WEB.encode())]).objects
    assert str(web.document.at("kind")) == "f.yaml:2"


def test_too_large() -> None:
    """A text beyond the limit is refused before it is parsed."""
    message = "f.yaml: larger than 64 MiB: split it into several files"
    assert said(b"#" * (64 * 2**20 + 1)) == [message]
    assert said("#" * (64 * 2**20 + 1)) == [message]


def test_five_thousand_documents() -> None:
    """The number of documents is not limited, and all of them are found with their lines."""
    texts = [WEB.replace("name: web", f"name: web-{i}", 1) for i in range(5000)]
    manifests = load([Source("f.yaml", "---\n".join(texts))])
    assert [m.object.metadata.name for m in manifests.objects] == [f"web-{i}" for i in range(5000)]
    assert manifests.objects[4999].document.at("metadata.name").line == 4999 * 26 + 4
