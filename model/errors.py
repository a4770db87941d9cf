"""Errors of models themselves: mistakes of whoever wrote a rule, not of a manifest."""

from __future__ import annotations


class ModelError(Exception):
    """A model contradicts its own declarations."""
