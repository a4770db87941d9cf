"""Plain data as JSON and YAML that shows what it holds, and loses nothing of it.

Both have escapes of their own, so that the data stay what they are while nobody who looks at the
document sees less than there is. Only half of a surrogate pair, which is no text, is written as it
is shown elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from kubelemma.model.visible import is_invisible, visible

_SURROGATE = re.compile("[\ud800-\udfff]")
_ENDLESS = 2**31 - 1
"""Lines as long as may be: where one is broken, the next could begin with what is no data."""


def as_json(data: Any) -> str:
    """The data as a JSON document that ends in a line break."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return "\n".join(map(_visible_json, text.split("\n"))) + "\n"


def as_yaml(documents: Iterable[Any], *, explicit_start: bool = False) -> str:
    """The data as YAML documents."""
    text: str = yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_ENDLESS,
        explicit_start=explicit_start,
    )
    return "\n".join(map(_visible_yaml, text.split("\n")))


def _visible_json(line: str) -> str:
    """What is invisible stands within strings: JSON allows it nowhere else."""
    if line.isprintable():
        return line
    return "".join(_json_escape(c) if is_invisible(c) else c for c in line)


def _json_escape(character: str) -> str:
    if _SURROGATE.match(character):
        return json.dumps(visible(character))[1:-1]
    return json.dumps(character)[1:-1]


def _visible_yaml(line: str) -> str:
    """What is invisible stands in double quotes, as the dumper below sees to."""
    if line.isprintable():
        return line
    return "".join(visible(c) if is_invisible(c) else c for c in line)


class _Dumper(yaml.CSafeDumper):
    """Writes every value where it stands, and never a reference to an equal one before."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """In double quotes what is not all visible, and what a CI server would take for a command."""
    told = _SURROGATE.sub(lambda found: visible(found[0]), text)
    plain = text.isprintable() or not any(map(is_invisible, text))
    style = None if plain and not text.startswith("::") else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", told, style)


_Dumper.add_representer(str, _text)
