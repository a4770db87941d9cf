"""Explanation as data, and its renderers: text and JSON."""
