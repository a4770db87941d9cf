"""Runs drawn by Hypothesis, for systems that are too large to search: they refute, never prove."""

from __future__ import annotations

ENGINE = "stateful"
