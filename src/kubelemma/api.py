"""The whole way from a question to its answers, as functions that can be used as a library.

::

    asked = ask(Question(paths=("deploy/",)))
    found = [explore(case) for case in asked.cases]
    print(kubelemma.reports.text.render(report(found)))
"""

from __future__ import annotations
