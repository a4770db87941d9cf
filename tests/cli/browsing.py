"""A real Chromium that opens reports, where there is one, and listens for what goes wrong.

``pip install --group browser`` and the browser of the distribution are enough.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubelemma.reports import html
from kubelemma.reports.document import Report
from kubelemma.reports.html import placement
from kubelemma.reports.placement import PlacementReport

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
unless_there_is_no_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on the PATH"
)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (pip install --group browser)"
    )
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


class Opened:
    """A report in a browser; it must cause no request, no message and no error."""

    def __init__(self, browser: Any, path: Path, text: str, **options: Any) -> None:
        path.write_text(text, "utf-8")
        self.url = path.as_uri()
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.noise: list[str] = []
        self.page.on("console", lambda message: self.noise.append(message.text))
        self.page.on("pageerror", lambda error: self.noise.append(str(error)))
        self.page.on("request", self._requested)
        self.page.goto(self.url)

    def _requested(self, request: Any) -> None:
        if request.url.partition("#")[0] != self.url:
            self.noise.append(request.url)

    def press(self, *keys: str) -> None:
        """Press keys in the list of steps."""
        self.page.locator(".steps").focus()
        for key in keys:
            self.page.keyboard.press(key)

    def where(self) -> str:
        """Which step is shown."""
        return str(self.page.locator(".where").inner_text())

    def chips(self) -> dict[str, list[str]]:
        """The pods in the picture, by the heading of the box that they are in."""
        found: dict[str, list[str]] = self.page.evaluate(
            """Object.fromEntries([...document.querySelectorAll(".node, .waiting")].map((box) => [
                 box.querySelector("h5").firstChild.textContent,
                 [...box.querySelectorAll(".pod:not(.gone) .name")].map((n) => n.textContent)]))"""
        )
        return found


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Open reports, and in the end see that none of them made a noise."""
    pages: list[Opened] = []

    def open_report(report: Report | PlacementReport, **options: Any) -> Opened:
        placed = isinstance(report, PlacementReport)
        text = placement.render(report) if placed else html.render(report)
        pages.append(Opened(browser, tmp_path / "a report.html", text, **options))
        return pages[-1]

    yield open_report
    assert [page.noise for page in pages] == [[]] * len(pages)
    for page in pages:
        page.context.close()
