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
from kubelemma.reports.conformance import JudgedRun, Outside, Possible, Refusal

from .cluster import KINDS, Cluster
from .format import Driver, Kubelet, Line, Recording, Request, Snapshot, Write, read
from .machines import Machines
from .observation import Lens
from .processes import Memory, Processes
from .recorded import observed
from .refusal import Earlier, in_hand, nearest, possible_at
from .roster import Roster, roster_of
from .seen import Seen, changes
from .steps import States, Steps, TooMany
from .views import Verdict, Views
from .words import told
from .world import build, setting_of
from .writers import (
    INPUTS,
    KUBELET,
    UNANSWERED,
    Role,
    creator_of,
    ends_alone,
    is_refused_creation,
    node_of,
    paid_for,
    role_of,
    turns_unready,
    what_of,
    writer_of,
)

KEPT = 200
"""How many earlier closures are kept, to tell what was read too early from what was never true."""

GROUND = ("Node", "Namespace", "ConfigMap", "Secret")
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
        _follow(moments, roster, count, Processes(elects=recording.header.leader_elect))
    except TooMany:
        complete = False
    outside = ((*key, number) for key, number in sorted(count.outside.items()))
    return JudgedRun(
        file=recording.file,
        scenario=recording.header.scenario,
        deployments=len(roster.owners),
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

    def of_view(self, verdict: Verdict, number: int, line: Write) -> None:
        """Count a write by somebody who says of pods what is true of them, sooner or later."""
        self.writes += 1
        if not verdict.accepted:
            why = "the pods of the Service were like this since its last write"
            nearest = Possible("write", why, verdict.nearest)
            self.refusals.append(
                _refusal(line, number, verdict.changes, nearest=nearest, read_at=verdict.read_at)
            )

    def beyond(self, line: Write, how: str = "") -> None:
        """Count a write of what is not modelled."""
        what = f"{what_of(line)}{how}"
        self.outside[writer_of(line) or "unknown", what] += 1


def _follow(moments: list[_Moment], roster: Roster, count: _Count, processes: Processes) -> None:
    """Follow the run from where there is more than nodes and namespaces.

    Raises:
        TooMany: there are more states than are followed.
    """
    machines, views = Machines(), Views()
    follower: _Follower | None = None
    revision = 0
    for moment in moments:
        line = moment.line
        verdict = views.take(line, moment.after) if isinstance(line, Write | Snapshot) else None
        if verdict is not None and isinstance(line, Write):
            count.of_view(verdict, moment.number, line)
        memory = processes.take(line, revision) if isinstance(line, Driver) else Memory.KEPT
        switched = isinstance(line, Kubelet) and machines.take(line)
        if follower is None and _begins(line):
            ground = {kind: of for kind, of in moment.before.kinds.items() if kind in GROUND}
            follower = _Follower(roster, machines, count, Cluster(ground))
        if follower is not None:
            follower.forget(memory)
            if switched and isinstance(line, Kubelet):
                follower.power(line.node, up=line.node not in machines.down)
            follower.take(moment, processes, revision)
        revision = line.rv if isinstance(line, Write) else revision


def _refusal(
    line: Write,
    number: int,
    changes: tuple[str, ...],
    *,
    nearest: Possible | None,
    in_hand: tuple[str, ...] = (),
    read_at: int | None,
) -> Refusal:
    """What is told of a refused write, which stands in the line of this number."""
    return Refusal(
        line=number,
        revision=line.rv,
        time=line.t,
        actor=writer_of(line) or "",
        what=what_of(line),
        object=f"{line.namespace}/{line.name}" if line.namespace else line.name,
        changes=changes,
        nearest=nearest,
        in_hand=in_hand,
        read_at=read_at,
    )


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

    def _show(self, cluster: Cluster) -> None:
        """Take objects as they are."""
        self._change_over(cluster)
        self._force(self._closure(), self._steps.lens.kept(observed(cluster, self._roster)))

    def forget(self, memory: Memory) -> None:
        """What the controller manager keeps in memory is lost, or may be."""
        if memory is not Memory.KEPT:
            lost = frozenset(map(self._steps.lens.restarted, self._closure()))
            self._states = lost if memory is Memory.LOST else lost | self._states

    def _lag(self) -> None:
        """Nobody can reach the API server: what its clients have read may be old from now on."""
        self._states = frozenset(map(self._steps.lens.outdated, self._closure()))

    def power(self, node: str, *, up: bool) -> None:
        """A machine stops, or works again; it is some time until its first heartbeat arrives."""
        before = self._closure()
        after = self._powered(before, node, up=up)
        self._states = after | before if up else after

    def _powered(self, states: States, node: str, *, up: bool) -> States:
        lens = self._steps.lens
        return frozenset(lens.powered(state, node, up=up) for state in states)

    def _refuse_creation(self, moment: _Moment, line: Request) -> None:
        """The API server refuses to store a pod, for a reason that is not modelled."""
        pod_class = self._roster.class_made_by(moment.before, creator_of(line))
        if pod_class is None:
            return
        self._count.outside["API server", f"refuses create Pod ({line.code})"] += 1
        lens, before = self._steps.lens, self._closure()
        after = frozenset(s for state in before for s in lens.refused(state, pod_class))
        # Of a request that was not answered it is not known whether it was granted.
        self._states = after | before if line.code == UNANSWERED or not after else after

    # One line

    def take(self, moment: _Moment, processes: Processes, revision: int) -> None:
        """Go on by one line; ``revision`` is the one before it.

        Raises:
            TooMany: there are more states than are followed.
        """
        line = moment.line
        if isinstance(line, Driver) and processes.is_outage(line):
            self._lag()
        if isinstance(line, Request) and is_refused_creation(line):
            self._refuse_creation(moment, line)
        if isinstance(line, Snapshot):
            self._show(moment.after)
        if isinstance(line, Write) and line.kind in KINDS:
            self._write(moment, line, processes, revision)

    def _write(self, moment: _Moment, line: Write, processes: Processes, revision: int) -> None:
        role = role_of(line, moment.before, self._roster)
        if self._change_over(moment.after) and role is Role.OUTSIDE:
            self._count.beyond(line)
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
                self._count.beyond(line)
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
        if actor == KUBELET and node_of(line) not in self._machines.down:
            states = self._powered(states, node_of(line), up=True)
        after = self._steps.towards(states, actor, wanted)
        paid = paid_for(line, moment.before, self._roster)
        if paid is not None:
            granted = self._steps.lens.granted
            after = frozenset(state for state in after if granted(state, *paid))
        if not after and actor == KUBELET:
            if self._happens(line, states, wanted):
                return
            after = self._on_its_way(line, states, wanted) or self._admitted(moment, states, wanted)
        if after:
            self._count.writes += 1
            self._states = after
        else:
            self._refuse(moment, line, wanted, processes)

    def _happens(self, line: Write, states: States, wanted: Seen) -> bool:
        """Whether a kubelet reports what befell its pods, which is an input then."""
        found = changes(self._seen, wanted)
        if ends_alone(found):
            self._count.beyond(line, " that ends by itself")
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
        node = node_of(line)
        running = self._powered(states, node, up=True)
        return self._powered(self._steps.towards(running, KUBELET, wanted), node, up=False)

    def _admitted(self, moment: _Moment, states: States, wanted: Seen) -> States:
        """The states after what a kubelet did that counts pods which do not run yet as admitted."""
        lens, roster = self._steps.lens, self._roster
        before, after = (
            lens.kept(observed(cluster, roster, admitted=True))
            for cluster in (moment.before, moment.after)
        )
        if before == self._seen:
            return frozenset()
        counted = frozenset(s for state in states for s in lens.fitted(state, before))
        found = self._steps.towards(counted, KUBELET, after)
        return frozenset(s for state in found for s in lens.fitted(state, wanted))

    def _refuse(self, moment: _Moment, line: Write, wanted: Seen, processes: Processes) -> None:
        actor, now = writer_of(line), self._earlier[-1]
        done = changes(self._seen, wanted)
        read_at = possible_at(reversed(self._earlier), actor, done)
        excuse = processes.excuse(actor, read_at)
        if excuse:
            self._count.beyond(line, f", {excuse}")
        else:
            self._count.writes += 1
            refusal = _refusal(
                line,
                moment.number,
                tuple(told(change, self._roster) for change in done),
                nearest=nearest(now, self._seen, actor, done, self._roster),
                in_hand=in_hand(now, actor),
                read_at=read_at,
            )
            self._count.refusals.append(refusal)
        self._force(now.states, wanted)
        # What its actor has in hand is not known after a write that should not have been.
        self._states |= frozenset(map(self._steps.lens.restarted, self._states))
