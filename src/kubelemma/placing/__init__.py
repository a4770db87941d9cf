"""Placement as people ask for it: manifests and options to a problem, and its answers."""
