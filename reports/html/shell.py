"""What every page is made of: its head, its style and script, and its data."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from kubelemma.reports.shown import shown

from .markup import Content, Markup, element


def page(
    title: str, header: Content, contents: Iterable[Content], data: Any, scripts: Iterable[str]
) -> str:
    """The whole page; it ends in a line break.

    Args:
        title: of the page.
        header: of the page.
        contents: its sections.
        data: what its scripts show, as JSON can hold it.
        scripts: names of assets, in the order in which they need one another.
    """
    style, script = _asset("report.css"), _script(scripts)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        header,
        element("main", *contents),
        element("script", Markup(_embedded(shown(data))), type="application/json", id="data"),
        element("script", Markup(script)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _embedded(data: Any) -> str:
    """The data as JSON in which no name can end the element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _policy(style: str, script: str) -> str:
    """Nothing but this page's own style and script; no request to anywhere."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _script(names: Iterable[str]) -> str:
    """All modules as one function, so that the page has no names of its own."""
    parts = "".join(map(_asset, names))
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text("utf-8")
