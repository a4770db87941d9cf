# ruff: noqa: PLR0913, PLR0917 - a bundle costs machine code more than many arguments
"""Which states are known: the table of states, and how a batch of candidates gets into it.

A batch passes three gates, each of which several workers pass at once. To *expand* it, whoever is
free takes the next part of its states, finds candidates and deals them out by shards of the table
(`deal`); then each shard is somebody's, who looks up what was dealt to it (`sift`), and each part
again: `settle` numbers what is new, in the order of the states that it was found from. So the
result is the same whatever the number of workers, and whoever does what. When all is found and it
is to be known where steps lead, batches are expanded once more, and `follow` notes that.
"""

from __future__ import annotations

import numpy as np

from kubelemma.solver.space import TASK_BITS

from .arrays import (
    REGIONS,
    SPARE,
    Bytes,
    Candidates,
    Followed,
    Long,
    States,
)
from .jit import entry, inlined, prefetch

_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xBF58476D1CE4E5B9)
_LAST = np.uint64(0x94D049BB133111EB)
_REGION, _32, _33 = np.uint64(6), np.uint64(32), np.uint64(33)
_LOW = 0xFFFFFFFF
_FAR, _NEAR = 24, 12
"""How many candidates ahead the slot, and then the state that stands there, is asked to be near."""


@inlined
def hash_of_state(words: Long, state: int) -> np.uint64:
    """The hash of a packed state: its lowest bits say the region, the highest are kept as a tag."""
    h = np.uint64(words.shape[1])
    for w in range(words.shape[1]):
        h = (h ^ np.uint64(words[state, w])) * _ODD
        h ^= h >> _32
    h *= _OTHER
    h ^= h >> _33
    h *= _LAST
    return h ^ (h >> _32)


@inlined
def _region_of(h: np.uint64) -> int:
    return int(np.int64(h) & (REGIONS - 1))


@inlined
def _is_in(h: np.uint64, shard: int, shards: int) -> bool:
    return bool(shards == 1 or _region_of(h) % shards == shard)


@inlined
def _place_of(room: int, h: np.uint64) -> int:
    """The slot where a state with this hash should be, where a region has so much room."""
    return int(_region_of(h) * room + (np.int64(h >> _REGION) & (room - SPARE - 1)))


@entry
def deal(candidates: Candidates, begin: int, end: int, part: int, shards: int, start: int) -> None:
    """Deal out what these states of the batch lead to, which are a part of it, by shard.

    There is room from ``start`` on.
    """
    hashes, dealt, shares = candidates.hashes, candidates.dealt, candidates.shares
    candidates.starts[part] = start
    for shard in range(shards):
        shares[part, shard] = 0
    for source in range(begin, end):
        for c in range(candidates.spans[source, 0], candidates.spans[source, 1]):
            shard = _region_of(np.uint64(hashes[c])) % shards
            dealt[shard, start + shares[part, shard]] = c
            shares[part, shard] += 1


@entry
def sift(states: States, candidates: Candidates, parts: int, shard: int, count: int) -> bool:
    """Look up the candidates of a shard, in the order of parts; False if a region is too full.

    ``count`` states are known.
    """
    slots, words, hashes, mine = states.slots, states.words, candidates.hashes, candidates.dealt
    width, room = words.shape[1], slots.shape[0] // REGIONS
    for part in range(parts):
        new, first = 0, candidates.starts[part]
        end = first + candidates.shares[part, shard]
        for i in range(first, end):
            prefetch(slots, _place_of(room, np.uint64(hashes[mine[shard, min(i + _FAR, end - 1)]])))
            near = np.uint64(hashes[mine[shard, min(i + _NEAR, end - 1)]])
            state = slots[_place_of(room, near)] & _LOW
            if 0 < state <= count:
                prefetch(words, (state - 1) * width)
            c = mine[shard, i]
            h = np.uint64(hashes[c])
            at, known = _find(states, candidates, h, c, count)
            if at < 0:
                return False
            if known < 0:
                known = count + c
                slots[at] = (np.int64(h >> _33) << 32) | (known + 1)
                candidates.places[c] = at
                new += 1
            candidates.ids[c] = known
        candidates.news[shard, part] = new
    return True


@inlined
def _find(
    states: States, candidates: Candidates, h: np.uint64, candidate: int, count: int
) -> tuple[int, int]:
    """The slot of a candidate and its number, -1 if it is new; -1 for both if there is no room."""
    slots = states.slots
    room = slots.shape[0] // REGIONS
    at, stop, tag = _place_of(room, h), (_region_of(h) + 1) * room, np.int64(h >> _33)
    while at < stop and slots[at] != 0:
        state = (slots[at] & _LOW) - 1
        if slots[at] >> 32 == tag and _is_same(
            states.words, candidates.words, state, count, candidate
        ):
            return at, int(state)
        at += 1
    return (-1 if at == stop else at), -1


@inlined
def _is_same(words: Long, others: Long, state: int, count: int, candidate: int) -> bool:
    """Whether a candidate is this state, or the candidate that stands for it."""
    w, width = 0, words.shape[1]
    if state < count:
        while w < width and words[state, w] == others[candidate, w]:
            w += 1
    else:
        while w < width and others[state - count, w] == others[candidate, w]:
            w += 1
    return bool(w == width)


@entry
def settle(
    states: States, candidates: Candidates, fired: Long, begin: int, end: int, count: int, at: int
) -> int:
    """Number the new states that these states of the batch lead to; gives the next number."""
    for source in range(begin, end):
        for c in range(candidates.spans[source, 0], candidates.spans[source, 1]):
            fired[candidates.moves[c]] += 1
            if candidates.ids[c] != count + c:
                continue
            for w in range(states.words.shape[1]):
                states.words[at, w] = candidates.words[c, w]
            states.parents[at] = candidates.sources[c]
            states.moves[at] = candidates.moves[c]
            tag = np.int64(np.uint64(candidates.hashes[c]) >> _33)
            states.slots[candidates.places[c]] = (tag << 32) | (at + 1)
            candidates.fresh[c] = at
            at += 1
    return at


NEITHER, EDGE, FAULT = range(3)
"""What is kept of the steps of a move when they are followed."""


@entry
def count_kept(candidates: Candidates, kinds: Bytes, begin: int, end: int, kind: int) -> int:
    """How many steps from these states of the batch are of this kind, by their moves."""
    found = 0
    for source in range(begin, end):
        for c in range(candidates.spans[source, 0], candidates.spans[source, 1]):
            found += kinds[candidates.moves[c]] == kind
    return found


@entry
def follow(
    states: States,
    candidates: Candidates,
    followed: Followed,
    first: int,
    begin: int,
    end: int,
    count: int,
    edge: int,
    fault: int,
) -> bool:
    """Note the steps from these states of the batch, of which the first is the state ``first``.

    ``edge`` is the first free place, ``fault`` that among the edges of the environment. False if a
    step leads to none of the ``count`` states.
    """
    kinds, tasks, enabled = followed.kinds, followed.tasks, followed.enabled
    for source in range(begin, end):
        state = first + source
        for c in range(candidates.spans[source, 0], candidates.spans[source, 1]):
            move = candidates.moves[c]
            task = tasks[move]
            if task >= 0:
                enabled[state, task // TASK_BITS] |= np.int64(1) << (task % TASK_BITS)
            if kinds[move] == NEITHER:
                continue
            target = _state_of(states, candidates, c, count)
            if target < 0:
                return False
            if kinds[move] == EDGE:
                followed.targets[edge], followed.moves[edge] = target, move
                edge += 1
            else:
                followed.fault_targets[fault], followed.fault_moves[fault] = target, move
                fault += 1
        followed.offsets[state + 1] = edge
        followed.fault_offsets[state + 1] = fault
    return True


@inlined
def _state_of(states: States, candidates: Candidates, candidate: int, count: int) -> int:
    """The number of a known state; what an unfinished batch left in the table is passed over."""
    slots, h = states.slots, np.uint64(candidates.hashes[candidate])
    room = slots.shape[0] // REGIONS
    at, stop, tag = _place_of(room, h), (_region_of(h) + 1) * room, np.int64(h >> _33)
    while at < stop and slots[at] != 0:
        state = (slots[at] & _LOW) - 1
        if (
            state < count
            and slots[at] >> 32 == tag
            and _is_same(states.words, candidates.words, state, count, candidate)
        ):
            return int(state)
        at += 1
    return -1


@entry
def rehash(words: Long, slots: Long, count: int, shard: int, shards: int) -> int:
    """Fill the empty slots of a shard's regions; gives -1 if one of them is too small."""
    room = slots.shape[0] // REGIONS
    for state in range(count):
        far = hash_of_state(words, min(state + _FAR, count - 1))
        if _is_in(far, shard, shards):
            prefetch(slots, _place_of(room, far))
        h = hash_of_state(words, state)
        if not _is_in(h, shard, shards):
            continue
        at, stop = _place_of(room, h), (_region_of(h) + 1) * room
        while at < stop and slots[at] != 0:
            at += 1
        if at == stop:
            return -1
        slots[at] = (np.int64(h >> _33) << 32) | (state + 1)
    return count
