"""Whether the model could have behaved like a recorded run, write by write.

The set of states that the model may be in is closed under steps that nobody can see, and then takes
one visible step to what is observed after the write. What users do and what fails are inputs,
applied to all states. A write that the model could not have done there is refused, and then forced,
so that the rest of the run can be judged.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from kubelemma.model.manifests.problems import Position, Problem
from kubelemma.reports.conformance import JudgedRun, Outside, Possible, Refusal

from .cluster import KINDS, Cluster
from .format import Driver, Kubelet, Line, Recording, Snapshot, Write
from .observation import Lens
from .processes import Processes
from .recorded import observed
from .roster import Roster, roster_of
from .seen import Change, Seen, changes, distance, same
from .steps import States, Steps, TooMany
from .words import told
from .world import build, setting_of
from .writers import INPUTS, Role, role_of, turns_unready, what_of, writer_of

KEPT = 40
"""How many earlier closures are kept, to tell what was read too early from what was never true."""


class _Earlier(NamedTuple):
    """The states before a write, and the revision as of which they are."""

    revision: int
    steps: Steps
    states: States


class _Moment(NamedTuple):
    """A line of the run and the objects after it."""

    number: int
    line: Line
    cluster: Cluster


def judge(recording: Recording, progress: Callable[[int, int], None] | None = None) -> JudgedRun:
    """Judge a run as far as it can be read; ``progress`` is told of lines done and of all."""
    begun = time.perf_counter()
    moments, problem = _moments(recording)
    roster = roster_of(moment.cluster for moment in moments)
    follower = _Follower(roster)
    complete = True
    try:
        for done, moment in enumerate(moments):
            follower.take(moment)
            if progress is not None:
                progress(done + 1, len(moments))
    except TooMany:
        complete = False
    outside = ((*key, number) for key, number in sorted(follower.outside.items()))
    return JudgedRun(
        file=recording.file,
        scenario=recording.header.scenario,
        deployments=len(roster.members),
        writes=follower.writes,
        inputs=follower.inputs,
        refusals=tuple(follower.refusals),
        outside=tuple(Outside(*found) for found in outside),
        states=follower.most,
        seconds=time.perf_counter() - begun,
        complete=complete,
        problem=problem,
    )


def _moments(recording: Recording) -> tuple[list[_Moment], Problem | None]:
    """The lines with the objects after each, up to one whose object is not of its kind's shape."""
    found: list[_Moment] = []
    cluster = Cluster()
    for number, line in recording.lines:
        try:
            if isinstance(line, Write | Snapshot):
                cluster = cluster.after(line)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            field_path = f"object{path.rstrip('`')}"
            return found, Problem(Position(recording.file, number), field_path, message)
        found.append(_Moment(number, line, cluster))
    return found, recording.problem


@dataclass(slots=True)
class _Follower:
    """The model beside the run."""

    roster: Roster
    refusals: list[Refusal] = field(default_factory=list)
    outside: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: int = 0
    inputs: int = 0
    most: int = 0
    _steps: Steps | None = None
    _identity: bytes = b""
    _states: States = frozenset()
    _seen: Seen = field(default_factory=dict)
    _cluster: Cluster = field(default_factory=Cluster)
    _revision: int = 0
    _earlier: deque[_Earlier] = field(default_factory=lambda: deque(maxlen=KEPT))
    _processes: Processes = field(default_factory=Processes)
    _down: set[str] = field(default_factory=set)
    _lenses: dict[bytes, Steps] = field(default_factory=dict)

    def take(self, moment: _Moment) -> None:
        """Go on by one line.

        Raises:
            TooMany: there are more states than are followed.
        """
        line = moment.line
        if isinstance(line, Driver):
            self._signal(line)
        elif isinstance(line, Kubelet):
            self._machine(line)
        elif isinstance(line, Write | Snapshot) and line.kind in KINDS:
            before, self._cluster = self._cluster, moment.cluster
            if self._steps is None:
                self._begin(line)
            elif isinstance(line, Write):
                self._follow(moment.number, line, before)
        if isinstance(line, Write):
            self._revision = line.rv

    # Beginning, and going over to another system

    def _begin(self, line: Write | Snapshot) -> None:
        """Nothing is judged before there is anything but nodes and namespaces."""
        if line.kind in ("Node", "Namespace"):
            return
        # A Deployment that is added is an input like others: the run begins before it.
        kinds = {kind: of for kind, of in self._cluster.kinds.items() if kind in ("Node", "Namespace")}
        empty = Cluster(kinds)
        steps = self._steps_for(empty)
        self._steps = steps
        seen = steps.lens.kept(observed(empty, self.roster))
        states = steps.lens.fitted(steps.lens.blank(), seen)
        self._states = frozenset(self._powered(steps.lens, state) for state in states)
        self._seen = seen
        if isinstance(line, Write):
            self._follow(0, line, empty)
        else:
            self._force(steps.lens.kept(observed(self._cluster, self.roster)))

    def _powered(self, lens: Lens, state: tuple[object, ...]) -> tuple[object, ...]:
        for node in self._down:
            state = lens.powered(state, node, up=False)
        return state

    def _steps_for(self, cluster: Cluster) -> Steps:
        setting = setting_of(cluster, self.roster)
        self._identity = setting.identity
        if setting.identity not in self._lenses:
            self._lenses[setting.identity] = Steps(Lens(build(setting, self.roster), self.roster))
        return self._lenses[setting.identity]

    def _change_over(self) -> bool:
        """Go over to the system that the objects ask for now; gives whether it is another."""
        assert self._steps is not None
        before = self._steps
        after = self._steps_for(self._cluster)
        if after is before:
            return False
        states = before.closure(self._states)
        self._states = frozenset(before.lens.carried(state, after.lens) for state in states)
        self._steps = after
        some = after.lens.seen(next(iter(self._states)))
        self._seen = some
        return True

    # One write

    def _follow(self, number: int, line: Write, before: Cluster) -> None:
        role = role_of(line, before, self.roster)
        if self._change_over() and role is Role.OUTSIDE:
            self.outside[writer_of(line) or "unknown", what_of(line, before)] += 1
            role = Role.NOTED
        assert self._steps is not None
        wanted = self._steps.lens.kept(observed(self._cluster, self.roster))
        if wanted == self._seen:
            return
        if role is Role.CONTROL:
            self._judge(number, line, wanted)
        elif role is Role.INPUT:
            self.inputs += 1
            self._input(wanted, INPUTS)
        else:
            if role is Role.OUTSIDE:
                self.outside[writer_of(line) or "unknown", what_of(line, before)] += 1
            self._force(wanted)
        self._seen = wanted

    def _input(self, wanted: Seen, actions: frozenset[str]) -> None:
        """Apply what a user did or what failed: by the model's own event where it has one."""
        assert self._steps is not None
        states = self._steps.closure(self._states)
        after = self._steps.by_events(states, actions, wanted)
        if after:
            self._states = after
        else:
            self._force(wanted)

    def _force(self, wanted: Seen) -> None:
        assert self._steps is not None
        lens = self._steps.lens
        states = self._steps.closure(self._states)
        self._states = frozenset(after for state in states for after in lens.fitted(state, wanted))

    def _judge(self, number: int, line: Write, wanted: Seen) -> None:
        assert self._steps is not None
        steps, actor = self._steps, writer_of(line)
        states = steps.closure(self._states)
        self.most = max(self.most, len(states))
        after = steps.towards(states, actor, wanted)
        if not after and actor == "kubelet" and turns_unready(changes(self._seen, wanted)):
            self.inputs += 1
            self._input(wanted, frozenset({"probe-failure"}))
            return
        self.writes += 1
        if after:
            self._states = after
        else:
            self._refuse(number, line, states, wanted)
        self._earlier.append(_Earlier(self._revision, steps, states))

    # Refusals

    def _refuse(self, number: int, line: Write, states: States, wanted: Seen) -> None:
        assert self._steps is not None
        actor = writer_of(line)
        done = changes(self._seen, wanted)
        read_at = self._possible_at(actor, done)
        excuse = self._processes.excuse(actor, read_at)
        if excuse:
            self.writes -= 1
            self.outside[actor or "unknown", f"{what_of(line, self._cluster)}, {excuse}"] += 1
        else:
            self.refusals.append(self._refusal(number, line, states, done, read_at))
        lens = self._steps.lens
        forced = {after for state in states for after in lens.fitted(state, wanted)}
        # What its actor has in hand is not known after a write that should not have been.
        self._states = frozenset(forced | {lens.restarted(state) for state in forced})

    def _refusal(
        self,
        number: int,
        line: Write,
        states: States,
        done: tuple[Change, ...],
        read_at: int | None,
    ) -> Refusal:
        assert self._steps is not None
        lens, actor = self._steps.lens, writer_of(line)
        hands = {lens.in_hand(state, actor) for state in states}
        return Refusal(
            line=number,
            revision=line.rv,
            time=line.t,
            actor=actor or "",
            what=what_of(line, self._cluster),
            object=f"{line.namespace}/{line.name}" if line.namespace else line.name,
            changes=tuple(told(change, self.roster) for change in done),
            nearest=self._nearest(states, actor, done),
            in_hand=tuple(sorted({"; ".join(hand) or "nothing" for hand in hands})),
            read_at=read_at,
        )

    def _nearest(
        self, states: States, actor: str | None, done: tuple[Change, ...]
    ) -> Possible | None:
        """The step of the actor that changes what is most like what was changed."""
        assert self._steps is not None
        best: tuple[int, str] | None = None
        result: Possible | None = None
        for state in states:
            for step in self._steps.visible(state, actor):
                made = changes(self._seen, step.seen)
                shown = tuple(told(change, self.roster) for change in made)
                key = (distance(made, done), repr(shown))
                if best is None or key < best:
                    best = key
                    outcome = step.transition.outcome
                    result = Possible(outcome.action, outcome.why, shown)
        return result

    def _possible_at(self, actor: str | None, done: tuple[Change, ...]) -> int | None:
        """The latest revision as of which the actor could have written the same."""
        for earlier in reversed(self._earlier):
            seen = _some_seen(earlier)
            for state in earlier.states:
                for step in earlier.steps.visible(state, actor):
                    if same(changes(seen, step.seen), done):
                        return earlier.revision
        return None

    # Processes and machines

    def _signal(self, line: Driver) -> None:
        self._processes.take(line, self._revision)
        if self._steps is not None and self._processes.forgets(line):
            restarted = {self._steps.lens.restarted(s) for s in self._steps.closure(self._states)}
            # A request that was on its way may still arrive.
            kept = frozenset() if line.op == "start" else self._states
            self._states = frozenset(restarted) | kept

    def _machine(self, line: Kubelet) -> None:
        if line.op not in ("node-down", "node-up"):
            return
        up = line.op == "node-up"
        (self._down.discard if up else self._down.add)(line.node)
        if self._steps is not None:
            lens = self._steps.lens
            states = self._steps.closure(self._states)
            self._states = frozenset(lens.powered(state, line.node, up=up) for state in states)


def _some_seen(earlier: _Earlier) -> Seen:
    """What all of the states show."""
    return earlier.steps.lens.seen(next(iter(earlier.states)))


def judge_all(
    recordings: Iterable[Recording], progress: Callable[[int, int], None] | None = None
) -> Iterator[JudgedRun]:
    """Judge runs one after the other."""
    for recording in recordings:
        yield judge(recording, progress)
