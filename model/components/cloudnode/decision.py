"""Which Nodes the cloud node controller initialises.

Source: staging/src/k8s.io/cloud-provider/controllers/node/node_controller.go (``syncNode``).
"""

from __future__ import annotations


def initializes(*, tainted: bool, known: bool) -> bool:
    """Whether a Node is initialised: it has the taint of new ones, and the cloud has its machine.

    Provider id, addresses, labels and the taint that goes are one write. Whether it is Ready does
    not matter. Where the cloud has no such machine nothing is written, and it is tried again.
    """
    return tainted and known
