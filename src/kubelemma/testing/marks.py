"""What the plugin of pytest and those whose results it shows agree upon."""

from __future__ import annotations

FINDING = "kubelemma"
WHY = "kubelemma-why"
"""User properties of a report: what is to be known of a test that passed, and why it is so."""

PROGRAM = "kubelemma_program"
"""The attribute of an error that has the program that repeats it."""

PROGRAM_TITLE = "A program that repeats it"

SERVED: list[object] = []
"""The sessions of pytest that the plugin serves; one may run inside of another."""
