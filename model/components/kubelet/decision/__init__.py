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
from .images import Image, Unreliable, can_be_had, images_of
from .initialisation import InitWait, is_sidecar, may_fail_after_start, must_end
from .pressure import admits_under_pressure, candidate, next_to_evict
from .probes import Judge, Outlook, StartTime, judges, strictest
from .shutdown import next_to_end

__all__ = [
    "CONFIG_MAP",
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
    "Unreliable",
    "admit",
    "admits_under_pressure",
    "can_be_had",
    "candidate",
    "images_of",
    "is_sidecar",
    "judges",
    "lacking",
    "may_fail_after_start",
    "must_end",
    "needs",
    "next_to_end",
    "next_to_evict",
    "strictest",
]
