"""What a kubelet decides: whom it admits, and whether containers can be started."""

from .admission import admit
from .configuration import (
    CONFIG_MAP,
    ROOT_CA,
    SECRET,
    Absent,
    Need,
    Source,
    lacking,
    needs,
)
from .probes import Judge, Outlook, StartTime, judges, strictest

__all__ = [
    "CONFIG_MAP",
    "ROOT_CA",
    "SECRET",
    "Absent",
    "Judge",
    "Need",
    "Outlook",
    "Source",
    "StartTime",
    "admit",
    "judges",
    "lacking",
    "needs",
    "strictest",
]
