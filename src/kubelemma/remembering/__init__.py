"""What earlier runs found out: verdicts that still hold, and counterexamples to try first."""

from .memory import CACHE, Memory, with_earlier
from .saying import Saying

__all__ = ["CACHE", "Memory", "Saying", "with_earlier"]
