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
  constructor(run) {
    this.run = run;
    this.there = run.steps.some((step) => step.facts || step.nodes || step.location);
    this.element = make("div", { class: "reasons" });
  }

  show(position) {
    const step = position ? this.run.steps[position - 1] : {};
    const heading = make("h5", {}, "What the step rests on");
    const parts = [...this.nodes(step.nodes ?? []), ...this.facts(step.facts ?? []), ...this.origin(step)];
    const nothing = position ? "Nothing: users and faults act as they please." : "What was assumed, see below.";
    const empty = make("p", { class: "quiet" }, step.environment === false ? "Nothing more." : nothing);
    this.element.replaceChildren(heading, ...(parts.length ? parts : [empty]));
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
      make("dd", {}, fact.value, " ", placed(fact.location)),
    ]);
    return [make("dl", { class: "facts" }, ...rows)];
  }

  origin(step) {
    if (!step.location || !step.environment) return [];
    return [make("p", { class: "quiet" }, "Allowed in ", placed(step.location))];
  }
}
