// The cluster after each step: a report has the first picture whole, and then only what changes.

const KINDS = [
  "workloads",
  "replicaSets",
  "nodes",
  "pods",
  "services",
  "budgets",
  "volumes",
  "objects",
  "workers",
  "caches",
];
const KEPT_EVERY = 50;

const byName = (a, b) => naturally(a.name, b.name);

const mapped = (boxes = []) => new Map(boxes.map((box) => [box.name, box]));

const changedBy = (before, change) => {
  const after = { ...before };
  for (const kind of KINDS) {
    const boxes = change.changed[kind] ?? [];
    const gone = change.removed[kind] ?? [];
    if (!boxes.length && !gone.length) continue;
    after[kind] = new Map(before[kind]);
    for (const box of boxes) after[kind].set(box.name, box);
    for (const name of gone) after[kind].delete(name);
  }
  return after;
};

class Pictures {
  constructor(run) {
    this.steps = run.steps;
    const first = run.picture ?? {};
    this.there = KINDS.some((kind) => this.every(kind, first).length);
    this.first = first;
    this.kept = new Map([[0, Object.fromEntries(KINDS.map((kind) => [kind, mapped(first[kind])]))]]);
    this.versions = this.allVersions(first);
    this.namespaces = new Set(this.allNamespaces(first));
    this.everPending = this.every("pods", first).some((box) => !box.node);
    this.touched = new Set(run.steps.flatMap((step) => this.nodesOf(step)));
  }

  // The picture after so many steps; 0 is the start.
  at(position) {
    let known = position - (position % KEPT_EVERY);
    while (!this.kept.has(known)) known -= KEPT_EVERY;
    let picture = this.kept.get(known);
    for (let next = known + 1; next <= position; next++) {
      const change = this.steps[next - 1].picture;
      if (change) picture = changedBy(picture, change);
      if (next % KEPT_EVERY === 0) this.kept.set(next, picture);
    }
    return picture;
  }

  // Names without a namespace where all have the same; what stands before it or after it stays.
  short(name) {
    return this.namespaces.size > 1 ? name : name.replace(/[^ /]*\//, "");
  }

  // The name of an object without its kind.
  bare(name) {
    return this.short(name.slice(name.indexOf(" ") + 1));
  }

  // Whether there is anything of a kind at any time.
  ever(kind) {
    return this.every(kind, this.first).length > 0;
  }

  allNamespaces(first) {
    const objects = this.every("objects", first).map((box) => box.name.slice(box.name.indexOf(" ") + 1));
    const names = [...(first.workloads ?? []).map((box) => box.name), ...objects];
    return names.filter((name) => name.includes("/")).map((name) => name.split("/")[0]);
  }

  // Which of its colours a version of a workload has.
  colour(box) {
    return this.versions.indexOf(`${box.workload} ${box.version}`) % 6;
  }

  every(kind, first) {
    const later = this.steps.flatMap((step) => step.picture?.changed[kind] ?? []);
    return [...(first[kind] ?? []), ...later];
  }

  allVersions(first) {
    const boxes = [...this.every("replicaSets", first), ...this.every("pods", first)];
    return [...new Set(boxes.map((box) => `${box.workload} ${box.version}`))].sort();
  }

  nodesOf(step) {
    const change = step.picture?.changed ?? {};
    return [...(change.nodes ?? []).map((box) => box.name), ...(change.pods ?? []).map((box) => box.node)];
  }
}
