"""``python -m kubelemma``, the ``kubelemma`` command, and kubectl's plugin ``kubectl lemma``."""

from __future__ import annotations

import signal
import sys

from kubelemma.cli.run import complete_for_kubectl, run


def main() -> None:
    """Run the command line and leave with its exit code."""
    _end_with_the_reader()
    sys.exit(run(sys.argv[1:]))


def plugin() -> None:
    """As `main`, called by kubectl as ``kubectl lemma``."""
    _end_with_the_reader()
    sys.exit(run(sys.argv[1:], "kubectl lemma"))


def complete_plugin() -> None:
    """Tell kubectl how a line that begins with ``kubectl lemma`` may go on."""
    _end_with_the_reader()
    sys.exit(complete_for_kubectl(sys.argv[1:]))


def _end_with_the_reader() -> None:
    """A reader such as head that goes away early must end us quietly, as it ends cat."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


if __name__ == "__main__":
    main()
