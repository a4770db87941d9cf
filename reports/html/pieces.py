"""The small pieces that pages are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubelemma.properties.statement import Severity
from kubelemma.reports.document import PropertyReport, Result

from .markup import Content, Markup, element


def masthead(name: str, verdict: Markup, *lines: Content) -> Markup:
    """The top of a page: what it is about, what came out, and the choice of colours."""
    chooser = element("button", "Theme: auto", type="button", id="theme", hidden=True)
    heading = element("h1", f"{name} ", verdict)
    return element("header", element("div", heading, chooser, class_="title"), *lines)


def badge(text: str, look: str) -> Markup:
    """A word in a frame; ``look`` is good, bad or unsure."""
    return element("span", text, class_=f"badge {look}")


def look_of(prop: PropertyReport, fail_on: Severity) -> str:
    """The look of a verdict: good and bad are what counts, all else is unsure."""
    if prop.finding == "holds" and prop.result(fail_on) is Result.PASSED:
        return "good"
    return "bad" if prop.result(fail_on) is Result.FAILED else "unsure"


def bullets(items: Iterable[str]) -> Markup:
    """A list."""
    return element("ul", *(element("li", item) for item in items))


def table(heads: Iterable[str], rows: Iterable[Markup]) -> Markup:
    """A table; on a narrow screen each of its rows becomes a list of labelled values."""
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    return element("table", element("thead", head), element("tbody", *rows))


def cell(label: str, *content: Content) -> Markup:
    """A cell of a table; ``label`` is the head of its column, for narrow screens."""
    return element("td", *content, data_label=label)


def folded(title: str, content: Iterable[Content], *, opened: bool = False) -> Iterator[Markup]:
    """Something that can be folded away; nothing where it is empty."""
    pieces = list(content)
    if pieces:
        yield element("details", element("summary", title), *pieces, open=opened)
