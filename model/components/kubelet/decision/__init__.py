"""What a kubelet decides: whom it admits, and whether containers can be started."""

from .admission import admit
from .configuration import (
    CONFIG_MAP,
    ROOT_CA,
    SECRET,
    Absent,
    Kept,
    Need,
    Source,
    lacking,
    needs,
)
from .images import NEVER, Image, Unreliable, can_be_had, images_of, listed, never_pulled
from .initialisation import InitWait, is_sidecar, may_fail_after_start, must_end
from .pressure import admits_under_pressure, candidate, next_to_evict
from .probes import Judge, Outlook, StartTime, Unasked, judges, never_ready, strictest, unasked
from .shutdown import next_to_end

__all__ = [
    "CONFIG_MAP",
    "NEVER",
    "ROOT_CA",
    "SECRET",
    "Absent",
    "Image",
    "InitWait",
    "Judge",
    "Kept",
    "Need",
    "Outlook",
    "Source",
    "StartTime",
    "Unasked",
    "Unreliable",
    "admit",
    "admits_under_pressure",
    "can_be_had",
    "candidate",
    "images_of",
    "is_sidecar",
    "judges",
    "lacking",
    "listed",
    "may_fail_after_start",
    "must_end",
    "needs",
    "never_pulled",
    "never_ready",
    "next_to_end",
    "next_to_evict",
    "strictest",
    "unasked",
]
