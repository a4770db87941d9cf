"""Reductions: smaller systems whose answers are those of the system that was asked about."""
