"""``python -m kubelemma`` and the ``kubelemma`` command."""

from __future__ import annotations

import signal
import sys

from kubelemma.cli.run import run


def main() -> None:
    """Run the command line and leave with its exit code."""
    if hasattr(signal, "SIGPIPE"):
        # A reader such as head that goes away early must end us quietly, as it ends cat.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
