"""One sentence for each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .cast import Move
from .scene import Scene
from .tellers import TELLERS, together

SENTENCES = together(lambda teller: teller.sentences)
WORDS = together(lambda teller: teller.words)
OWN_WORDS = frozenset({"pod", "where", "node"})
_SPOKEN = frozenset(teller.spoken for teller in TELLERS) - {""}


def summary(scene: Scene) -> str:
    """What the step did, to whom; the actor is not named again.

    Raises:
        LookupError: nobody tells of such steps.
    """
    brought = [str(value) for name, value in scene.step.outcome.arguments if name in _SPOKEN]
    if brought:
        return brought[0]
    if scene.action not in SENTENCES:
        raise LookupError(f'no teller has a sentence for the action "{scene.action}"')
    return SENTENCES[scene.action].format_map(_Words(scene))


def arguments(scene: Scene) -> Iterator[tuple[str, str]]:
    """The arguments of a step that are data."""
    for name, value in scene.step.outcome.arguments:
        if name not in _SPOKEN:
            yield name, str(value)


class _Words(Mapping[str, str]):
    """The words of a step; only those are worked out that its sentence has."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def __getitem__(self, name: str) -> str:
        match name:
            case "pod":
                return ", ".join(move.pod for move in self._scene.moves) or "a pod"
            case "where":
                return _where(self._scene.moves)
            case "node":
                return next(iter(self._scene.node_names), "a node")
            case _:
                return WORDS[name](self._scene)

    def __iter__(self) -> Iterator[str]:
        return iter((*OWN_WORDS, *WORDS))

    def __len__(self) -> int:
        return len(OWN_WORDS) + len(WORDS)


def _where(moves: tuple[Move, ...]) -> str:
    """Where the pods were before the step."""
    places = {move.before.node for move in moves if move.before}
    return "".join(f" on {node}" if node else ", which has no node" for node in sorted(places))
