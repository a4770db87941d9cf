"""Documents of kubelemma's own: what they are called, and which of them may lie among manifests."""

from __future__ import annotations

from collections.abc import Mapping

from kubelemma.model.kinds.notes import Note, irrelevant

CHECK_VERSION = "kubelemma.dev/v1alpha1"
CHECK_KIND = "Check"

OWN: Mapping[str, Note] = {
    **irrelevant("is what kubelemma wrote", "CheckReport", "PlacementReport", "Baseline"),
    **irrelevant("is read where place --machines names it", "Machines"),
}
"""Those that may lie among manifests, without being such."""
