"""Explanation as data, and its renderers."""
