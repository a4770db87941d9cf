"""What of the input is printed: nothing in it is invisible, ends a line, or speaks to a reader.

A terminal obeys escape sequences, a CI server lines that begin with ``::``, and both show text
backwards where a bidirectional mark says so. So whatever comes from outside is printed by way of
`visible`, which shows such characters as YAML and Python write them.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, format characters such as bidirectional marks, surrogates, ends of lines."""
_JOINERS = frozenset({"\u200c", "\u200d"})
"""Format characters without which Persian, Hindi and many emoji are written wrongly."""
_COMMAND = re.compile(r"^(\s*):(?=:)|#(#)(?=\w*\[)")


def is_invisible(character: str) -> bool:
    """Whether a character is not shown as it is."""
    return unicodedata.category(character) in _CATEGORIES and character not in _JOINERS


def visible(text: str) -> str:
    r"""Text on one line that shows what it holds: ``web\n`` for a name with a line break.

    A second time changes nothing; text that shows all that it holds is given back as it is.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(c) if is_invisible(c) else c for c in text)


def visible_lines(text: str) -> str:
    """The same for text of several lines, which it keeps: only a line feed ends one."""
    return "\n".join(map(visible, text.split("\n")))


def spoken(line: str) -> str:
    r"""A line for a log, in which no CI server finds a command: ``::error`` is ``\x3a:error``.

    GitHub takes a line for one that begins with two colons, Azure and TeamCity what stands behind
    two number signs.
    """
    return _COMMAND.sub(lambda m: "#\\x23" if m[2] else f"{m[1]}\\x3a", line)


def command_line(words: Iterable[str]) -> str:
    """A command as bash and zsh read it, on one line, in which all is to be seen."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    r"""In quotes that know escapes, where there is something invisible: ``$'a\x0ab'``."""
    if visible(word) == word:
        return shlex.quote(word)
    told = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{''.join(_bytes(c) if is_invisible(c) else c for c in told)}'"


def _bytes(character: str) -> str:
    """What a file's name has there: half of a surrogate pair is how Python reads other bytes."""
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def _escaped(character: str) -> str:
    number = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if number <= 0xFF:  # noqa: PLR2004 - two digits
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - four
