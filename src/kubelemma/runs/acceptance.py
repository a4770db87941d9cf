"""Whether the model could have behaved like a recorded run, write by write.

The set of states that the model may be in is closed under steps that nobody can see, and then takes
one visible step to what is observed after the write. What users do and what fails are inputs,
applied to all states. A write that the model could not have done there is refused, and then forced,
so that the rest of the run can be judged.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from kubelemma.model.manifests.problems import Position, Problem
from kubelemma.reports.conformance import JudgedRun, Outside, Refusal

from .cluster import KINDS, Cluster
from .format import Driver, Kubelet, Line, Recording, Snapshot, Write, read
from .machines import Machines
from .observation import Lens
from .processes import Memory, Processes
from .recorded import observed
from .refusal import Earlier, in_hand, nearest, possible_at
from .roster import Roster, roster_of
from .seen import Seen, changes
from .steps import States, Steps, TooMany
from .words import told
from .world import build, setting_of
from .writers import (
    INPUTS,
    KUBELET,
    Role,
    ends_alone,
    role_of,
    turns_unready,
    what_of,
    writer_of,
)

KEPT = 40
"""How many earlier closures are kept, to tell what was read too early from what was never true."""

GROUND = ("Node", "Namespace")
"""The kinds whose objects may be there before anything is judged."""


class _Moment(NamedTuple):
    """A line of the run, and the objects before and after it."""

    number: int
    line: Line
    before: Cluster
    after: Cluster


def judge_file(path: Path) -> JudgedRun:
    """Read and judge one file."""
    return judge(read(path))


def judge(recording: Recording) -> JudgedRun:
    """Judge a run as far as it can be read."""
    begun = time.perf_counter()
    moments, problem = _moments(recording)
    roster = roster_of(moment.after for moment in moments)
    count = _Count()
    complete = True
    try:
        _follow(moments, roster, recording.header.leader_elect, count)
    except TooMany:
        complete = False
    outside = ((*key, number) for key, number in sorted(count.outside.items()))
    return JudgedRun(
        file=recording.file,
        scenario=recording.header.scenario,
        deployments=len(roster.members),
        writes=count.writes,
        inputs=count.inputs,
        refusals=tuple(count.refusals),
        outside=tuple(Outside(*found) for found in outside),
        states=count.most,
        seconds=time.perf_counter() - begun,
        complete=complete,
        problem=problem,
    )


def _moments(recording: Recording) -> tuple[list[_Moment], Problem | None]:
    """The lines with their objects, up to one whose object has not the shape of its kind."""
    found: list[_Moment] = []
    cluster = Cluster()
    for number, line in recording.lines:
        before = cluster
        try:
            if isinstance(line, Write | Snapshot):
                cluster = cluster.after(line)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            position = Position(recording.file, number)
            return found, Problem(position, f"object{path.rstrip('`')}", message)
        found.append(_Moment(number, line, before, cluster))
    return found, recording.problem


@dataclass(slots=True)
class _Count:
    """What is found out on the way."""

    refusals: list[Refusal] = field(default_factory=list)
    outside: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: int = 0
    inputs: int = 0
    most: int = 0

    def beyond(self, line: Write, before: Cluster, how: str = "") -> None:
        """Count a write of what is not modelled."""
        what = f"{what_of(line, before)}{how}"
        self.outside[writer_of(line) or "unknown", what] += 1


def _follow(moments: list[_Moment], roster: Roster, elects: bool, count: _Count) -> None:  # noqa: FBT001
    """Follow the run from where there is more than nodes and namespaces.

    Raises:
        TooMany: there are more states than are followed.
    """
    processes, machines = Processes(elects=elects), Machines()
    follower: _Follower | None = None
    revision = 0
    for moment in moments:
        line = moment.line
        if follower is None and _begins(line):
            kinds = {k: objects for k, objects in moment.before.kinds.items() if k in GROUND}
            follower = _Follower(roster, machines, count, Cluster(kinds))
        if isinstance(line, Driver):
            memory = processes.take(line, revision)
            if follower is not None:
                follower.forget(memory)
            if follower is not None and processes.is_outage(line):
                follower.lag()
        elif isinstance(line, Kubelet):
            if machines.take(line) and follower is not None:
                follower.power(line.node, up=line.node not in machines.down)
        elif isinstance(line, Snapshot) and follower is not None:
            follower.show(moment.after)
        elif isinstance(line, Write):
            if follower is not None and line.kind in KINDS:
                follower.take(moment, processes, revision)
            revision = line.rv


def _begins(line: Line) -> bool:
    return isinstance(line, Write | Snapshot) and line.kind in KINDS and line.kind not in GROUND


class _Follower:
    """The states that the model may be in beside the run."""

    def __init__(self, roster: Roster, machines: Machines, count: _Count, ground: Cluster) -> None:
        self._roster = roster
        self._machines = machines
        self._count = count
        self._known: dict[bytes, Steps] = {}
        self._earlier: deque[Earlier] = deque(maxlen=KEPT)
        self._steps = self._steps_for(ground)
        lens = self._steps.lens
        self._seen = lens.kept(observed(ground, roster))
        self._states: States = frozenset(
            self._with_machines(lens, state) for state in lens.fitted(lens.blank(), self._seen)
        )

    def _with_machines(self, lens: Lens, state: tuple[object, ...]) -> tuple[object, ...]:
        for node in self._machines.down:
            state = lens.powered(state, node, up=False)
        return state

    def _steps_for(self, cluster: Cluster) -> Steps:
        setting = setting_of(cluster, self._roster, self._machines.rooms)
        if setting.identity not in self._known:
            lens = Lens(build(setting, self._roster), self._roster)
            self._known[setting.identity] = Steps(lens)
        return self._known[setting.identity]

    # What is no write

    def show(self, cluster: Cluster) -> None:
        """Take objects as they are."""
        self._change_over(cluster)
        self._force(self._closure(), self._steps.lens.kept(observed(cluster, self._roster)))

    def forget(self, memory: Memory) -> None:
        """What the controller manager keeps in memory is lost, or may be."""
        if memory is not Memory.KEPT:
            lost = frozenset(map(self._steps.lens.restarted, self._closure()))
            self._states = lost if memory is Memory.LOST else lost | self._states

    def lag(self) -> None:
        """Nobody can reach the API server: what its clients have read may be old from now on."""
        self._states = frozenset(map(self._steps.lens.outdated, self._closure()))

    def power(self, node: str, *, up: bool) -> None:
        """A machine stops, or works again."""
        lens = self._steps.lens
        self._states = frozenset(lens.powered(state, node, up=up) for state in self._closure())

    # One write

    def take(self, moment: _Moment, processes: Processes, revision: int) -> None:
        """Go on by one write; ``revision`` is the one before it.

        Raises:
            TooMany: there are more states than are followed.
        """
        line = moment.line
        if not isinstance(line, Write):
            return
        role = role_of(line, moment.before, self._roster)
        if self._change_over(moment.after) and role is Role.OUTSIDE:
            self._count.beyond(line, moment.before)
            role = Role.NOTED
        wanted = self._steps.lens.kept(observed(moment.after, self._roster))
        if wanted == self._seen:
            return
        states = self._closure()
        self._earlier.append(Earlier(revision, self._steps, states))
        if role is Role.CONTROL:
            self._judge(moment, line, states, wanted, processes)
        elif role is Role.INPUT:
            self._input(states, wanted, INPUTS)
        else:
            if role is Role.OUTSIDE:
                self._count.beyond(line, moment.before)
            self._force(states, wanted)
        self._seen = wanted

    def _closure(self) -> States:
        states = self._steps.closure(self._states)
        self._count.most = max(self._count.most, len(states))
        return states

    def _change_over(self, cluster: Cluster) -> bool:
        """Go over to the system that the objects ask for now; gives whether it is another."""
        before, after = self._steps, self._steps_for(cluster)
        if after is before:
            return False
        self._states = frozenset(before.lens.carried(s, after.lens) for s in self._closure())
        self._steps = after
        self._seen = after.lens.seen(next(iter(self._states)))
        return True

    def _input(self, states: States, wanted: Seen, actions: frozenset[str]) -> None:
        """Apply what a user did or what failed: by the model's own event where it has one."""
        self._count.inputs += 1
        after = self._steps.by_events(states, actions, wanted)
        if after:
            self._states = after
        else:
            self._force(states, wanted)

    def _force(self, states: States, wanted: Seen) -> None:
        lens = self._steps.lens
        self._states = frozenset(after for state in states for after in lens.fitted(state, wanted))

    def _judge(
        self, moment: _Moment, line: Write, states: States, wanted: Seen, processes: Processes
    ) -> None:
        actor = writer_of(line)
        after = self._steps.towards(states, actor, wanted)
        if not after and actor == KUBELET:
            if self._happens(moment, line, states, wanted):
                return
            after = self._on_its_way(line, states, wanted)
        if after:
            self._count.writes += 1
            self._states = after
        else:
            self._refuse(moment, line, wanted, processes)

    def _happens(self, moment: _Moment, line: Write, states: States, wanted: Seen) -> bool:
        """Whether a kubelet reports what befell its pods, which is an input then."""
        found = changes(self._seen, wanted)
        if ends_alone(found):
            self._count.beyond(line, moment.before, " that ends by itself")
            self._force(states, wanted)
            return True
        if turns_unready(found) or self._machines.is_told(line):
            self._input(states, wanted, frozenset({"probe-failure"}))
            return True
        return False

    def _on_its_way(self, line: Write, states: States, wanted: Seen) -> States:
        """The states after what a kubelet had sent before its machine stopped."""
        if not self._machines.sent_before(line):
            return frozenset()
        lens, node = self._steps.lens, line.object.get("spec", {}).get("nodeName", line.name)
        running = frozenset(lens.powered(state, node, up=True) for state in states)
        after = self._steps.towards(running, KUBELET, wanted)
        return frozenset(lens.powered(state, node, up=False) for state in after)

    def _refuse(self, moment: _Moment, line: Write, wanted: Seen, processes: Processes) -> None:
        actor, now = writer_of(line), self._earlier[-1]
        done = changes(self._seen, wanted)
        read_at = possible_at(reversed(self._earlier), actor, done)
        excuse = processes.excuse(actor, read_at)
        if excuse:
            self._count.beyond(line, moment.before, f", {excuse}")
        else:
            self._count.writes += 1
            refusal = Refusal(
                line=moment.number,
                revision=line.rv,
                time=line.t,
                actor=actor or "",
                what=what_of(line, moment.before),
                object=f"{line.namespace}/{line.name}" if line.namespace else line.name,
                changes=tuple(told(change, self._roster) for change in done),
                nearest=nearest(now, self._seen, actor, done, self._roster),
                in_hand=in_hand(now, actor),
                read_at=read_at,
            )
            self._count.refusals.append(refusal)
        self._force(now.states, wanted)
        # What its actor has in hand is not known after a write that should not have been.
        self._states |= frozenset(map(self._steps.lens.restarted, self._states))
