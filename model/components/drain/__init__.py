"""Whoever drains nodes with ``kubectl drain``."""
