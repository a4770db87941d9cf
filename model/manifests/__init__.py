"""From manifests to typed objects, with errors that say where, what and why.

``intake`` reads files, directories and texts, and takes apart what are alternatives; ``load`` is
for what has none. ``parse_nodes`` and ``parse_events`` read the flags of the command line. Whatever
is wrong is raised at once as ``InvalidInput``.
"""

from kubelemma.model.findings import FieldPath, Finding, did_you_mean, read_path, show
from kubelemma.model.kinds.notes import Severity
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.objects.meta import ApiObject

from .applying import Applied, change_of
from .beside import advice_beside
from .check import (
    Apply,
    Check,
    CheckSpec,
    DeletePod,
    Event,
    EventEntry,
    OfWorkload,
    Pause,
    ProbeFailure,
    Relabel,
    Resume,
    Rollback,
    Rollout,
    Scale,
)
from .coverage import NotModelled
from .documents import Document
from .flags import NO_EVENTS, parse_event, parse_events, parse_nodes, refuse_without_cloud
from .groups import Cluster, NodeGroup, nodes_of
from .loading import Intake, intake, load
from .machines import (
    Cordon,
    Drain,
    NodeCrash,
    NodeReturn,
    Uncordon,
)
from .options import Bounds, Faults, SchedulerOptions
from .problems import InvalidInput, Position, Problem
from .purposes import CHECK, PLACE, Purpose
from .reading import CheckManifest, Manifest, Manifests
from .sources import Source
from .variants import Variant, choose

__all__ = [
    "CHECK",
    "NO_EVENTS",
    "PLACE",
    "ApiObject",
    "Applied",
    "Apply",
    "Bounds",
    "Check",
    "CheckManifest",
    "CheckSpec",
    "Cluster",
    "Cordon",
    "DeletePod",
    "Document",
    "Drain",
    "Event",
    "EventEntry",
    "Faults",
    "FieldPath",
    "Finding",
    "Intake",
    "InvalidInput",
    "Manifest",
    "Manifests",
    "NodeCrash",
    "NodeGroup",
    "NodeReturn",
    "NotModelled",
    "OfWorkload",
    "Pause",
    "Position",
    "ProbeFailure",
    "Problem",
    "Purpose",
    "Relabel",
    "Resume",
    "Rollback",
    "Rollout",
    "Scale",
    "SchedulerOptions",
    "Severity",
    "Source",
    "Uncordon",
    "Variant",
    "advice_beside",
    "change_of",
    "choose",
    "did_you_mean",
    "intake",
    "load",
    "nodes_of",
    "parse_event",
    "parse_events",
    "parse_nodes",
    "read_path",
    "refuse_without_cloud",
    "show",
    "with_defaults",
]
