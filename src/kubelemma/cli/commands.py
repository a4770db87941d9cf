"""The ``kubelemma`` command and what stands under it."""

from __future__ import annotations

import click

from kubelemma import __version__

from .check import check
from .completion import completion
from .config import config
from .conform import conform
from .graph import graph
from .helping import Group
from .keys import name_variables
from .place import place
from .properties import explain, properties
from .replay import replay
from .report import report
from .simulate import simulate


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes:
    0  everything holds, is feasible, accepted, or came out as expected
    1  something is violated, infeasible, refused, or did not come out as expected
    2  wrong options, invalid input, or nothing to check
    3  something was not decided: a limit was hit, or it is not modelled
   70  internal error
  130  interrupted

\b
Options are also taken from kubelemma.toml, from [tool.kubelemma] in pyproject.toml, and from
variables such as KUBELEMMA_FAIL_ON; kubelemma config shows what is in effect.""",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Check what a Kubernetes control plane may do with your manifests, before it does it.

    kubelemma explores every order in which controllers, scheduler, nodes, users and faults may act
    on a small cluster, and tells whether the cluster's promises hold in all of them. Where one does
    not, it tells the shortest story that breaks it.
    """


for _command in (
    check,
    place,
    replay,
    report,
    simulate,
    graph,
    conform,
    explain,
    properties,
    config,
    completion,
):
    cli.add_command(_command)
name_variables(cli)
