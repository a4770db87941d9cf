// Why a step was taken: what the actor read, and what the scheduler made of the nodes.

const placeOf = (location) => {
  if (!location) return "";
  if (location.line) return `${location.file}:${location.line}`;
  return location.object ? `${location.file} (${location.object})` : location.file;
};

// The file by its last name only: the whole path is in the title, and at the top of the violation.
const placed = (location) => {
  if (!location) return null;
  const whole = placeOf(location);
  return make("code", { class: "place", title: whole }, whole.slice(whole.lastIndexOf("/") + 1));
};

const JUDGEMENTS = new Map([
  ["chosen", "✓ chosen"],
  ["feasible", "feasible too"],
  ["outscored", "feasible, scores lower"],
  ["filtered", "✕ filtered"],
]);

class Reasons {
  constructor(run, go) {
    this.run = run;
    this.go = go;
    this.positions = new Map(run.steps.map((step, at) => [step.index, at + 1]));
    this.there = run.steps.some((step) => step.facts || step.nodes || step.location || step.follows || step.missed);
    this.element = make("div", { class: "reasons" });
  }

  show(position) {
    const step = position ? this.run.steps[position - 1] : {};
    const heading = make("h5", {}, "What the step rests on");
    const parts = [
      ...this.before(step),
      ...this.nodes(step.nodes ?? []),
      ...this.facts(step.facts ?? []),
      ...this.origin(step),
    ];
    const nothing = position ? "Nothing: users and faults act as they please." : "What was assumed, see below.";
    const empty = make("p", { class: "quiet" }, step.environment === false ? "Nothing more." : nothing);
    this.element.replaceChildren(heading, ...(parts.length ? parts : [empty]));
  }

  // The steps without which it could not have been taken, or that it did not see.
  before(step) {
    const parts = [];
    const follows = this.step(step.follows);
    if (follows) parts.push(make("p", {}, "Possible since ", follows, "."));
    for (const one of step.missed ?? []) {
      const missed = this.step(one.step);
      if (missed) parts.push(make("p", { class: "stale" }, "⚠ Did not see ", missed, "."));
    }
    return parts;
  }

  since(index) {
    const step = this.step(index);
    return step && make("span", { class: "quiet" }, " since ", step);
  }

  // A step as something to press.
  step(index) {
    const position = this.positions.get(index);
    if (!position) return null;
    const { actor, summary } = this.run.steps[position - 1];
    const title = `${actor}: ${summary}`;
    return make("button", { type: "button", class: "to-step", title, click: () => this.go(position) }, `step ${position}`);
  }

  nodes(reviews) {
    if (!reviews.length) return [];
    const items = reviews.map((review) =>
      make(
        "li",
        { class: review.judgement },
        make("b", {}, review.nodes.join(", ")),
        ` ${JUDGEMENTS.get(review.judgement)}`,
        review.plugin ? ` by ${review.plugin}: ${review.reasons.join(", ")} ` : " ",
        review.detail ? `(${review.detail}) ` : null,
        review.score == null ? null : `(score ${review.score}) `,
        placed(review.location),
      ),
    );
    return [make("ul", { class: "reviews", "aria-label": "Nodes, as the scheduler sees them" }, ...items)];
  }

  facts(facts) {
    if (!facts.length) return [];
    const rows = facts.flatMap((fact) => [
      make("dt", {}, fact.name),
      make("dd", {}, fact.value, " ", placed(fact.location), this.since(fact.since)),
    ]);
    return [make("dl", { class: "facts" }, ...rows)];
  }

  origin(step) {
    if (!step.location || !step.environment) return [];
    return [make("p", { class: "quiet" }, "Allowed in ", placed(step.location))];
  }
}
