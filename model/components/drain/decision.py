"""``kubectl drain``: what becomes of each pod of a node, and what follows each answer.

A drain cordons its node first, then lists the pods there, once: a pod that appears later is not
seen. If a single pod may not be removed, none is, and the node stays cordoned. Otherwise all pods
are evicted at the same time, each by itself: one whose eviction fails ends in an error, and the
drain goes on with the others. With ``--disable-eviction`` they are deleted one after the other,
and the first failure ends everything.

A drain ends when it has seen every pod gone, and so it waits for ever for one that a budget
protects, unless it has a timeout. The node stays cordoned in any case.

Source: staging/src/k8s.io/kubectl/pkg/drain/drain.go, filters.go beside it, and
staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple

EVICT_RETRY_SECONDS = 5
"""Between an eviction that is refused for now and the next (``EvictErrorRetryDelay``)."""
WAIT_SECONDS = 1
"""Between two looks at a pod that is to go."""


class Options(NamedTuple):
    """The options of the command.

    ``timeout`` and ``skip_wait_for_delete_timeout`` are in seconds; 0 is none at all.
    """

    force: bool = False
    ignore_daemonsets: bool = False
    delete_emptydir_data: bool = False
    disable_eviction: bool = False
    timeout: int = 0
    skip_wait_for_delete_timeout: int = 0

    def __str__(self) -> str:
        """As they are given to the command."""
        given = (
            ("--force", self.force),
            ("--ignore-daemonsets", self.ignore_daemonsets),
            ("--delete-emptydir-data", self.delete_emptydir_data),
            ("--disable-eviction", self.disable_eviction),
            (f"--timeout {self.timeout}s", self.timeout),
            (
                f"--skip-wait-for-delete-timeout {self.skip_wait_for_delete_timeout}",
                self.skip_wait_for_delete_timeout,
            ),
        )
        return " ".join(option for option, is_given in given if is_given) or "no options"


USUAL = Options(ignore_daemonsets=True, delete_emptydir_data=True)
"""What those who drain nodes pass as a rule."""


class Controller(Enum):
    """What controls a pod, as far as a drain tells it apart."""

    NONE = "none"
    DAEMON_SET = "DaemonSet"
    MISSING_DAEMON_SET = "a DaemonSet that is not there"
    OTHER = "other"


class ListedPod(NamedTuple):
    """A pod of the list.

    Attributes:
        controller: what controls it; only whether a DaemonSet is there is looked up.
        over: whether it has ended, Succeeded or Failed.
        mirror: whether it shows a static pod of the kubelet.
        empty_dir: whether it has an emptyDir.
        overdue: seconds since its deletionTimestamp; None where it does not terminate.
    """

    controller: Controller
    over: bool = False
    mirror: bool = False
    empty_dir: bool = False
    overdue: int | None = None


class Fate(Enum):
    """What becomes of a pod of the list."""

    REMOVED = "removed"
    LEFT = "left"
    REFUSED = "refused"


class Verdict(NamedTuple):
    """The fate of a pod, and what kubectl says of it, if anything."""

    fate: Fate
    message: str = ""


DAEMON_SET_FATAL = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
DAEMON_SET_WARNING = "ignoring DaemonSet-managed Pods"
DAEMON_SET_MISSING = "daemonsets.apps not found"
LOCAL_STORAGE_FATAL = "Pods with local storage (use --delete-emptydir-data to override)"
UNMANAGED_FATAL = "cannot delete Pods that declare no controller (use --force to override)"
UNMANAGED_WARNING = "deleting Pods that declare no controller"


def verdict(pod: ListedPod, options: Options) -> Verdict:
    """What becomes of a pod: the filters in their order, until one does not let it go.

    Of several warnings about a pod that goes, the last filter's is kept, even if that has none.

    Source: ``makeFilters``.
    """
    if is_overdue(pod.overdue, options):
        return Verdict(Fate.LEFT)
    if pod.over:
        return Verdict(Fate.LEFT if pod.mirror else Fate.REMOVED)
    daemon = _of_daemon_set(pod, options)
    if daemon is not None:
        return daemon
    if pod.mirror:
        return Verdict(Fate.LEFT)
    if pod.empty_dir and not options.delete_emptydir_data:
        return Verdict(Fate.REFUSED, LOCAL_STORAGE_FATAL)
    if pod.controller is Controller.NONE:
        if options.force:
            return Verdict(Fate.REMOVED, UNMANAGED_WARNING)
        return Verdict(Fate.REFUSED, UNMANAGED_FATAL)
    return Verdict(Fate.REMOVED)


def _of_daemon_set(pod: ListedPod, options: Options) -> Verdict | None:
    """Whether a DaemonSet keeps a pod from going; it would put another one in its place.

    A DaemonSet that is not there does so only without ``--force``.
    """
    if pod.controller is Controller.DAEMON_SET:
        if options.ignore_daemonsets:
            return Verdict(Fate.LEFT, DAEMON_SET_WARNING)
        return Verdict(Fate.REFUSED, DAEMON_SET_FATAL)
    if pod.controller is Controller.MISSING_DAEMON_SET and not options.force:
        return Verdict(Fate.REFUSED, DAEMON_SET_MISSING)
    return None


def is_overdue(overdue: int | None, options: Options) -> bool:
    """Whether a pod should have gone so long ago that nobody waits for it (``shouldSkipPod``)."""
    limit = options.skip_wait_for_delete_timeout
    return limit > 0 and overdue is not None and overdue > limit


def removes(verdicts: Iterable[Verdict]) -> bool:
    """Whether a drain removes anything: not if it may not remove one of the pods."""
    return all(found.fate is not Fate.REFUSED for found in verdicts)


class Then(Enum):
    """What a drain does about a pod after an answer.

    ``RETRY`` is to read the pod again by its name after `EVICT_RETRY_SECONDS`, and to evict what is
    there then, be it another pod of that name on another node. The timeout is looked at before each
    attempt, and while pods are waited for.
    """

    WAIT = "look until it is gone"
    DONE = "it is gone"
    RETRY = "evict it again later"
    FAIL = "it stays, and the drain fails in the end"
    ABORT = "the drain fails at once"


def after_eviction(
    code: int, *, namespace_terminating: bool = False, terminating: bool = False
) -> Then:
    """What follows an eviction that is answered so.

    Only 429 is tried again. So two budgets that match one pod fail it, as does a conflict that the
    API server could not resolve; and a budget that was deleted meanwhile is answered with 404, as
    if the pod were gone. A connection that dies is an error like any other, since the client
    repeats only requests that read (staging/src/k8s.io/client-go/rest/request.go).

    Args:
        code: the HTTP status.
        namespace_terminating: whether 403 is for the sake of a namespace that terminates.
        terminating: whether the pod did, when it was last read.

    Source: ``evictPods``.
    """
    if code < HTTPStatus.BAD_REQUEST:
        return Then.WAIT
    if code == HTTPStatus.NOT_FOUND:
        return Then.DONE
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return Then.RETRY
    if code == HTTPStatus.FORBIDDEN and namespace_terminating:
        return Then.WAIT if terminating else Then.RETRY
    return Then.FAIL


def after_deletion(code: int) -> Then:
    """What follows a DELETE of ``--disable-eviction`` that is answered so (``deletePods``).

    Nobody waits for any pod before all of them are deleted.
    """
    gone = code < HTTPStatus.BAD_REQUEST or code == HTTPStatus.NOT_FOUND
    return Then.WAIT if gone else Then.ABORT


def is_gone(*, found: bool, same: bool, overdue: int | None, options: Options) -> bool:
    """Whether a drain waits no longer for a pod (``waitForDelete``).

    Args:
        found: whether there is a pod of its name.
        same: whether that is the pod itself, by its UID.
        overdue: seconds since that one's deletionTimestamp, if it has any.
        options: those of the drain.
    """
    return not found or not same or is_overdue(overdue, options)
