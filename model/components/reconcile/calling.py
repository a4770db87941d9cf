"""Calls of loaded code: its answers, checked, or what is wrong with it in a sentence.

The search remembers answers and repeats runs, so loaded functions must be pure. That is tested
here: each is called twice.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeVar

from kubelemma.model.manifests.problems import InvalidInput, Position, Problem

from .declarations import Code, Controller, CustomEvent
from .legal import refusal_of
from .objects import Cluster, NotJson, Object, Objects, UnknownName
from .requests import AlreadyExists, ApiError, Conflict, NotFound, Request, located

ResultT = TypeVar("ResultT")

MOST_REQUESTS = 100
"""More in one sync are a loop that never ends."""

_ERRORS: dict[str, type[ApiError]] = {
    error.__name__: error for error in (AlreadyExists, Conflict, NotFound)
}


class Refused(NamedTuple):
    """An answer of the API server that is an error, by the name of its class."""

    error: str
    message: str


Answer: TypeAlias = Object | Refused | None


class Sync(NamedTuple):
    """A sync under way: of which object, what it had read of each kind, and the answers so far."""

    key: tuple[str, str]
    read: tuple[Objects, ...]
    answers: tuple[Answer, ...] = ()


def refusal(error: ApiError) -> Refused:
    """The error as an answer that can be kept."""
    return Refused(type(error).__name__, str(error))


def next_request(controller: Controller, sync: Sync) -> Request | None:
    """What the controller sends next in this sync; None where the sync is over.

    Raises:
        InvalidInput: the controller's code fails, is not deterministic, or gives no request.
    """
    cluster = Cluster(dict(zip(controller.kinds, sync.read, strict=True)), sync.key[0])
    subject = cluster.get(controller.kind, sync.key[1])
    if subject is None or len(sync.answers) >= MOST_REQUESTS:
        return _endless(controller.code, subject) if subject else None
    seen = (subject, cluster)
    code = controller.code

    def once() -> Request | None:
        found = _driven(code, seen, sync.answers)
        return None if found is None else _request(found, controller, seen)

    return twice(code, seen, once)


def _endless(code: Code, subject: Object) -> NoReturn:
    message = (
        f"sends more than {MOST_REQUESTS} requests in one sync of {subject}: does it ever end?"
    )
    raise _problem(code, code.line, message)


def _driven(code: Code, seen: tuple[Any, ...], answers: tuple[Answer, ...]) -> object:
    """What the function gives after these answers; None where it has ended."""
    result = guarded(code, seen, code.function)
    if not isinstance(result, Generator):
        return None if answers else result
    try:
        return guarded(code, seen, lambda *_: _fed(result, answers))
    except (StopIteration, ApiError):
        return None
    finally:
        result.close()


def _fed(running: Generator[Any, Any, None], answers: tuple[Answer, ...]) -> Any:
    given = next(running)
    for answer in answers:
        if isinstance(answer, Refused):
            given = running.throw(_ERRORS[answer.error](answer.message))
        else:
            given = running.send(answer)
    return given


def possible(event: CustomEvent, *seen: Any) -> tuple[Request, ...]:
    """The requests of which users or faults may send one, about what the event is called for.

    Raises:
        InvalidInput: the event's code fails, is not deterministic, or gives no requests.
    """
    code = event.code

    def once() -> tuple[Request, ...]:
        given = guarded(code, seen, code.function)
        if given is None:
            return ()
        if isinstance(given, Request) or not isinstance(given, Iterable):
            given = (given,)
        requests = guarded(code, seen, lambda *_: tuple(given))
        return tuple(_request(request, event, seen) for request in requests)

    return twice(code, seen, once)


def judged(code: Code, *seen: Any) -> bool | None:
    """What a predicate says.

    Raises:
        InvalidInput: its code fails, is not deterministic, or gives something else.
    """

    def once() -> bool | None:
        result = guarded(code, seen, code.function)
        if result is not None and not isinstance(result, bool):
            message = f"gives {result!r}, where True, False or None is expected"
            raise _problem(code, code.line, f"{message}; {_called_with(seen)}")
        return result

    return twice(code, seen, once)


def _request(given: object, sender: Controller | CustomEvent, seen: tuple[Any, ...]) -> Request:
    """What the code gave, if it is a request that it may send."""
    code = sender.code
    if isinstance(given, Request):
        namespace = seen[0].namespace  # of the object in question, or of the cluster's view
        request = located(given, namespace, sender.cluster_scoped)
        wrong = refusal_of(request, sender.kinds, sender.cluster_scoped)
        if wrong:
            raise _problem(code, code.line, f"{wrong}; {_called_with(seen)}")
        return request
    hint = " (patch, update and delete make one of an object)" if isinstance(given, Object) else ""
    what = _described(given) if isinstance(given, Object) else repr(given)
    message = f"gives {what}, where a request such as create(...) is expected{hint}"
    raise _problem(code, code.line, f"{message}; {_called_with(seen)}")


def twice(code: Code, seen: tuple[Any, ...], once: Callable[[], ResultT]) -> ResultT:
    """The result, if it is the same at a second try."""
    first, second = once(), once()
    if first != second:
        message = (
            f"is not deterministic: called twice, it gives {_brief(first)} and then "
            f"{_brief(second)}; no clock, no random numbers, and nothing kept from one call to "
            f"the next; {_called_with(seen)}"
        )
        raise _problem(code, code.line, message)
    return first


def guarded(code: Code, seen: tuple[Any, ...], function: Callable[..., Any]) -> Any:
    """The function's result; what it raises becomes a sentence, but for the API's own errors."""
    try:
        return function(*seen)
    except (ApiError, StopIteration, InvalidInput):
        raise
    except Exception as error:
        line = _line(error, code)
        what = str(error) if isinstance(error, UnknownName | NotJson) else _raised(error)
        raise _problem(code, line, f"{what}; {_called_with(seen)}") from error


def _raised(error: Exception) -> str:
    return f"raises {type(error).__name__}: {error}".removesuffix(": ")


def _line(error: Exception, code: Code) -> int:
    """The last line of the loaded file that was on the way to the error."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == code.file]
    return (lines[-1] if lines else None) or code.line


def _problem(code: Code, line: int, message: str) -> InvalidInput:
    return InvalidInput([Problem(Position(code.file, line), code.name, message)])


def _called_with(seen: tuple[Any, ...]) -> str:
    return f"called with {', '.join(map(_described, seen))}"


def _described(argument: Any) -> str:
    if isinstance(argument, Object):
        return f"{argument} (spec {argument.spec!r}, status {argument.status!r})"
    if isinstance(argument, Cluster):
        found = [str(obj) for objects in argument.kinds.values() for obj in objects]
        return f"a cluster with {', '.join(found) or 'no objects'}"
    return repr(argument)


def _brief(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return "nothing" if value is None else str(value)
