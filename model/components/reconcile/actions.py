"""What loaded controllers do; events are called by their own names. All bring a sentence along."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kubelemma.model.system import Action

DOES = "does"
"""The argument of an outcome that has the sentence to tell it by."""

SYNC = Action("sync", DOES)
CREATE = Action("create", DOES)
UPDATE = Action("update", DOES)
PATCH = Action("patch", DOES)
DELETE = Action("delete", DOES)
GET = Action("get", DOES)
RESTART = Action("restart", DOES)
WATCH = Action("watch", DOES)

VERBS: Mapping[str, Action] = MappingProxyType(
    {str(verb): verb for verb in (CREATE, UPDATE, PATCH, DELETE, GET)}
)
"""What a controller does by sending a request, by its verb."""

ACTIONS = (SYNC, *VERBS.values(), RESTART, WATCH)
