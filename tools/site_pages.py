"""What ``make site`` adds to docs/: hooks of mkdocs, which mkdocs.yml names.

Pages of the repository link to each other wherever they lie. On the site, README.md is the first
page, each folder of examples/ is a page with its files, and schemas are files to download; links
are changed accordingly.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ON_TOP = {
    "README.md": "index.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
}
"""Pages that lie outside of docs/, and what they are called on the site."""
DOWNLOADS = {"LICENSE": "LICENSE.txt"} | {
    path.relative_to(ROOT).as_posix(): path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "reports" / "schema").glob("*.json"))
}
STYLE = {"tools/site.css": "site.css"}
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
_LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".py": "python", ".json": "json", ".md": "markdown"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the properties and the examples into the contents."""
    nav: list[Any] = list(config.nav or ())
    ids = sorted(path.stem for path in (ROOT / "docs" / "properties").glob("*-*.md"))
    pages = [{name: f"properties/{name}.md"} for name in (*ids, "STUCK")]
    nav.insert(3, {"Properties": ["properties/README.md", *pages]})
    nav.insert(4, {"Examples": [{name: f"examples/{name}.md"} for name in examples()]})
    config.nav = nav
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside of docs/."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - tests need none of it

    for path, uri in (ON_TOP | DOWNLOADS | STYLE).items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
    for name in examples():
        files.append(File.generated(config, f"examples/{name}.md", content=example_page(name)))
    return files


def on_page_markdown(markdown: str, page: Page, **_others: object) -> str:
    """Let links lead to where things are on the site."""
    return relinked(markdown, page.file.src_uri)


def examples() -> tuple[str, ...]:
    """The folders of examples/."""
    return tuple(sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir()))


def example_page(name: str) -> str:
    """The page of an example: how it is run, and its files."""
    folder = ROOT / "examples" / name
    command = "place" if name.startswith("placement-") else "check"
    loaded = "".join(f" --load examples/{name}/{path.name}" for path in sorted(folder.glob("*.py")))
    blocks = [f"# {name}", f"```\nkubelemma {command} examples/{name}/{loaded}\n```"]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if "__pycache__" in path.parts or path.parts[-1].startswith("."):
            continue
        inner = path.relative_to(folder).as_posix()
        text = path.read_text("utf-8").rstrip("\n")
        blocks += [
            f"## {inner} {{ #{anchor(inner)} }}",
            f"````{_LANGUAGES.get(path.suffix, '')}\n{text}\n````",
        ]
    return "\n\n".join(blocks) + "\n"


def anchor(path: str) -> str:
    """What a file of an example is called in its page."""
    return re.sub(r"[^a-z0-9]+", "-", path.lower())


def relinked(markdown: str, uri: str) -> str:
    """The text of the page at ``uri``, with links as they are on the site."""
    home = next((path for path, called in ON_TOP.items() if called == uri), f"docs/{uri}")
    here = posixpath.dirname(uri)

    def replaced(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(home), link[1]))
        found, place = located(path)
        if not found:
            return link[0]
        return f"]({posixpath.relpath(found, here or '.')}{link[2] or place})"

    return _LINK.sub(replaced, markdown)


def located(path: str) -> tuple[str, str]:
    """Where a file or folder of the repository is on the site, and in which part of a page.

    Empty for what is not there, which mkdocs complains about.
    """
    first, _, rest = path.partition("/")
    if path in ON_TOP | DOWNLOADS:
        return (ON_TOP | DOWNLOADS)[path], ""
    if first == "docs" and rest:
        return (f"{rest}/README.md" if (ROOT / path).is_dir() else rest), ""
    if first == "examples" and (ROOT / path).exists():
        name, _, inner = rest.partition("/")
        return (f"examples/{name}.md", f"#{anchor(inner)}" if inner else "") if name else ("", "")
    return "", ""
