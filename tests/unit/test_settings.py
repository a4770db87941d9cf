"""Configuration files: which one counts, and in which line its keys stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.manifests.problems import InvalidInput
from kubelemma.settings import Settings, find_above, find_settings, load_settings

Write = Callable[[str, str], Path]

PROJECT = """\
[project]
name = "x"

[tool.kubelemma]
# how severe
fail-on = "high"
nodes = [
  "count=3",
]
severity.DEP-2 = "low"

[tool.kubelemma.place]
time-limit = "5m"
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the test's folder."""

    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return to_file


def lines_of(settings: Settings) -> dict[str, int]:
    """The line of each key."""
    keys = [("fail-on",), ("nodes",), ("severity", "DEP-2"), ("place",), ("place", "time-limit")]
    return {".".join(key): settings.position(key).line for key in keys}


def test_keys_know_their_lines(write: Write) -> None:
    """A key stands where it begins, whatever comments and long values are around it."""
    settings = load_settings(write("pyproject.toml", PROJECT))
    assert settings.values["place"] == {"time-limit": "5m"}
    assert lines_of(settings) == {
        "fail-on": 6,
        "nodes": 7,
        "severity.DEP-2": 10,
        "place": 12,
        "place.time-limit": 13,
    }
    assert settings.table("place") == "tool.kubelemma.place"
    assert str(settings.problem(("nodes",), "is wrong")).endswith(
        "pyproject.toml:7: nodes: is wrong"
    )


KEYS = st.lists(st.from_regex("[a-z]{1,5}", fullmatch=True), unique=True, max_size=6)
FILLERS = st.lists(st.sampled_from(["", "# key = 1", "  # [table]"]), max_size=3)
VALUES = st.sampled_from(['"x"', "[\n  1,\n  2\n]", '"""\na = 1\n"""', "{ inner = true }"])


@given(KEYS, st.data())
def test_lines_of_any_keys(keys: list[str], data: st.DataObject) -> None:
    """Each key is found in the line that begins with it."""
    text = ""
    for key in keys:
        filler = "".join(f"{line}\n" for line in data.draw(FILLERS))
        text += f"{filler}{key} = {data.draw(VALUES)}\n"
    settings = Settings(Path("kubelemma.toml"), {}, text)
    for key in keys:
        line = text.splitlines()[settings.position((key,)).line - 1]
        assert line.startswith(f"{key} = ")


def test_the_nearest_file_counts(write: Write, tmp_path: Path) -> None:
    """What is in the folder itself comes before what is above, up to the repository's root."""
    write("kubelemma.toml", 'output = "json"')
    write("repo/.git/config", "")
    inner = write("repo/app/kubelemma.toml", 'output = "yaml"').parent
    found = find_settings(inner)
    assert found is not None
    assert (str(found.path), found.values) == ("kubelemma.toml", {"output": "yaml"})
    assert find_settings(tmp_path / "repo") is None
    above = find_settings(write("other/deep/x", "").parent)
    assert above is not None
    assert str(above.path) == "../../kubelemma.toml"


def test_nothing_is_looked_for_above_home(write: Write, tmp_path: Path) -> None:
    """The home folder is the last that is looked into."""
    write("kubelemma.toml", "")
    folder = write("home/me/x", "").parent
    assert find_settings(folder, home=tmp_path / "home") is None
    assert find_above("kubelemma.toml", folder, home=tmp_path) == tmp_path / "kubelemma.toml"


def test_byte_order_mark(write: Write) -> None:
    """What an editor of Windows puts before the text is no part of it."""
    path = write("kubelemma.toml", "\ufeffworkers = 2\r\n")
    assert load_settings(path).values == {"workers": 2}


def test_of_two_files_the_own_one_counts(write: Write) -> None:
    """kubelemma.toml comes before pyproject.toml."""
    write("pyproject.toml", "[tool.kubelemma]\noutput = 'json'")
    folder = write("kubelemma.toml", "output = 'yaml'").parent
    found = find_settings(folder)
    assert found is not None
    assert found.values == {"output": "yaml"}


def test_other_projects_files_are_passed_over(write: Write) -> None:
    """A pyproject.toml that says nothing about kubelemma is as if it were not there."""
    write("kubelemma.toml", "output = 'yaml'")
    folder = write("app/pyproject.toml", "[tool.other]\nx = 1").parent
    found = find_settings(folder)
    assert found is not None
    assert found.values == {"output": "yaml"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("kubelemma.toml", "a = 1\nb = \n", r"kubelemma.toml:2: is no TOML: Invalid value"),
        ("kubelemma.toml", "a = 1\nb = [1,", r"kubelemma.toml:2: is no TOML: "),
        ("kubelemma.toml", "a = 1\na = 2\n", r"kubelemma.toml:2: is no TOML: Cannot overwrite"),
        ("pyproject.toml", "[tool]\nkubelemma = 1", r"there is no table \[tool.kubelemma\]"),
    ],
)
def test_broken_files(write: Write, name: str, text: str, message: str) -> None:
    """A file that cannot be read is refused with its line."""
    with pytest.raises(InvalidInput, match=message):
        load_settings(write(name, text))


def test_unreadable_files(tmp_path: Path) -> None:
    """What is not there, and what is no text, is said."""
    with pytest.raises(InvalidInput, match="No such file"):
        load_settings(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    with pytest.raises(InvalidInput, match="is not UTF-8 text"):
        load_settings(tmp_path / "binary.toml")
