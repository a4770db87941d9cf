"""The compiled engine: the plain one's answers, from flat tables in a loop of machine code."""

from .engine import ENGINE, best, check

__all__ = ["ENGINE", "best", "check"]
