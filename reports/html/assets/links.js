// On what steps rest: for each of them the earlier steps that wrote what it read, and those that it
// did not see. Steps are named by their position, which is one more than their place in the run.

class Links {
  constructor(run) {
    this.run = run;
    const positions = new Map(run.steps.map((step, at) => [step.index, at + 1]));
    this.into = run.steps.map((step, at) => this.ofStep(step, at + 1, positions));
    this.all = this.into.flat();
    this.stale = new Set(run.steps.flatMap((step, at) => (step.missed?.length ? [at + 1] : [])));
  }

  ofStep(step, to, positions) {
    const found = new Map();
    const put = (index, words, stale) => {
      const from = positions.get(index);
      if (!from || from >= to) return;
      const link = found.get(from) ?? { from, to, words: [], stale: false };
      link.words.push(words);
      link.stale ||= stale;
      found.set(from, link);
    };
    for (const fact of step.facts ?? []) put(fact.since, `${fact.name}: ${fact.value}`, false);
    if (!found.has(positions.get(step.follows))) put(step.follows, "made it possible", false);
    for (const one of step.missed ?? []) put(one.step, one.words, true);
    return [...found.values()].sort((a, b) => a.from - b.from);
  }

  title(link) {
    const { from, to } = link;
    const read = link.words.join("; ");
    if (link.stale) return `Step ${to} goes by an older state: it did not see step ${from}. ${read}`;
    return `Step ${to} rests on step ${from}. ${read}`;
  }

  // What the arrows at a step say, in one sentence.
  sentence(position) {
    const links = position ? this.into[position - 1] : [];
    const steps = (stale) => links.filter((link) => link.stale === stale).map((link) => link.from);
    const [rests, unseen] = [steps(false), steps(true)];
    const parts = [];
    if (rests.length) parts.push(`rests on ${stepsNamed(rests)}`);
    if (unseen.length) parts.push(`did not see ${stepsNamed(unseen)}`);
    return parts.length ? `Step ${position} ${parts.join(", and ")}.` : "";
  }
}

const stepsNamed = (steps) => `step${steps.length === 1 ? "" : "s"} ${steps.join(", ")}`;
