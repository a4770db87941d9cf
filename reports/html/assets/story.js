// The stepper: one story, step by step, as a list, as lanes, as a picture and as text.

const named = (text, name) => {
  // Whether a name stands in a sentence as a whole word.
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const edges = (text[at - 1] ?? " ") + (text[at + name.length] ?? " ");
    if (!/[\w.-]/.test(edges[0]) && !/[\w-]/.test(edges[1])) return true;
  }
  return false;
};

const objectsOf = (run) => {
  const found = new Set(run.steps.flatMap((step) => step.changes.map((change) => change.object)));
  return [...found].sort(naturally);
};

class StoryView {
  constructor(element, run) {
    this.run = run;
    this.anchor = element.dataset.anchor;
    this.last = run.steps.length;
    this.position = -1;
    this.filter = { actor: "", object: "" };
    this.pictures = new Pictures(run);
    const go = (position) => this.go(position);
    const decides = run.steps.findIndex((step) => step.index === Number(element.dataset.decisive));
    this.decisive = decides + 1;
    this.links = new Links(run);
    this.list = new StepList(run, this.anchor, this.decisive, go);
    this.lanes = new Lanes(run, this.anchor, this.decisive, this.links, go);
    this.cluster = new Cluster(this.pictures);
    this.element = element;
    this.state = new StateText(this.pictures);
    this.reasons = new Reasons(run, go);
    this.build();
    element.addEventListener("keydown", (event) => this.key(event));
    this.choose();
    this.go(this.decisive, { quiet: true });
  }

  build() {
    this.where = make("output", { class: "where" });
    this.slider = make("input", {
      type: "range",
      min: 0,
      max: this.last,
      "aria-label": "Step",
      input: () => this.go(Number(this.slider.value)),
    });
    this.count = make("span", { class: "quiet" });
    this.card = make("div", { class: "card", "aria-live": "polite" });
    this.element.replaceChildren(
      this.toolbar(),
      this.lanes.element,
      make("div", { class: "at-hand" }, this.card, this.pictures.there ? this.cluster.element : null),
      make(
        "div",
        { class: "aside" },
        this.filters(),
        make("div", { class: "told" }, this.list.element, make("p", { class: "end" }, this.end())),
        this.reasons.there ? this.reasons.element : null,
      ),
      this.pictures.there ? this.state.element : "",
    );
  }

  toolbar() {
    const link = button("Link", "Copy a link to this step", () => {
      copy(location.href.split("#")[0] + this.hash(), link);
    });
    return make(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "Steps" },
      button("|◀", "To the start (Home)", () => this.go(0)),
      button("◀", "One step back (←)", () => this.move(-1)),
      button("▶", "One step on (→)", () => this.move(1)),
      button("▶|", "To the end (End)", () => this.go(this.last)),
      this.decisive ? button("★", "To the step that decides (*)", () => this.go(this.decisive)) : null,
      this.where,
      this.slider,
      link,
    );
  }

  filters() {
    const actors = [...new Set(this.run.steps.map((step) => step.actor))];
    return make(
      "div",
      { class: "filters" },
      this.choice("Actor", "actor", actors),
      this.choice("Object", "object", objectsOf(this.run)),
      this.count,
    );
  }

  choice(label, key, names) {
    const options = names.map((name) => make("option", { value: name }, name));
    const select = make("select", {}, make("option", { value: "" }, "all"), ...options);
    select.addEventListener("change", () => {
      this.filter[key] = select.value;
      this.choose();
      this.refresh();
    });
    return make("label", {}, `${label} `, select);
  }

  // Which positions the filters let through; the start is always there.
  choose() {
    const fits = (step) =>
      (!this.filter.actor || step.actor === this.filter.actor) &&
      (!this.filter.object || this.touches(step, this.filter.object));
    this.positions = [0];
    this.run.steps.forEach((step, at) => fits(step) && this.positions.push(at + 1));
    this.filtered = Boolean(this.filter.actor || this.filter.object);
    this.count.textContent = this.filtered
      ? `${this.positions.length - 1} of ${plural(this.last, "step")}`
      : plural(this.last, "step");
  }

  touches(step, object) {
    const name = object.slice(object.indexOf(" ") + 1);
    return step.changes.some((change) => change.object === object) || named(step.summary, name);
  }

  end() {
    if (this.run.loopStart) return `↻ and again from step ${this.run.loopStart}, for ever`;
    return this.run.standstill ? "■ From here on nobody acts any more." : "";
  }

  // One step on or back among those that are shown; after the last of a loop comes its first.
  move(by) {
    const { positions, position } = this;
    const further = by > 0 ? positions.find((p) => p > position) : positions.findLast((p) => p < position);
    if (further !== undefined) this.go(further);
    else if (by > 0 && this.run.loopStart) this.go(positions.find((p) => p >= this.run.loopStart) ?? position);
  }

  key(event) {
    if (event.target.matches("select, input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {
      ArrowRight: () => this.move(1),
      ArrowDown: () => this.move(1),
      ArrowLeft: () => this.move(-1),
      ArrowUp: () => this.move(-1),
      PageDown: () => this.go(this.position + 10),
      PageUp: () => this.go(this.position - 10),
      Home: () => this.go(0),
      End: () => this.go(this.last),
      "*": () => this.go(this.decisive || this.position),
    };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key]();
  }

  hash() {
    return `#${this.anchor}/${this.position}`;
  }

  go(position, { quiet = false } = {}) {
    const wanted = Math.max(0, Math.min(this.last, position));
    if (wanted === this.position) return;
    this.position = wanted;
    this.refresh();
    if (!quiet) {
      try {
        history.replaceState(null, "", this.hash());
      } catch {
        // A sandboxed page has no history; the link button still works.
      }
    }
  }

  refresh() {
    const { position } = this;
    this.where.textContent = position ? `Step ${position} of ${this.last}` : `Start of ${plural(this.last, "step")}`;
    this.slider.value = position;
    this.slider.setAttribute("aria-valuetext", this.where.textContent);
    this.list.show(this.positions, position);
    this.lanes.show(position, this.filtered ? new Set(this.positions) : null);
    this.card.replaceChildren(...this.described(position));
    this.reasons.show(position);
    if (this.pictures.there) {
      this.cluster.show(position);
      this.state.show(position);
    }
  }

  described(position) {
    if (!position) return [make("p", {}, "The start: what the scenario begins with.")];
    const step = this.run.steps[position - 1];
    const role = step.environment ? "environment" : "actor";
    const loop = this.run.loopStart && step.index >= this.run.loopStart;
    return [
      make("p", { class: "deed" }, make("b", { class: role }, step.actor), ` ${step.summary}`),
      step.why ? make("p", { class: "quiet" }, `because ${step.why}`) : null,
      position === this.decisive ? make("p", { class: "again" }, "★ This is the step that decides.") : null,
      ...this.unseen(step),
      loop ? make("p", { class: "again" }, "↻ This step happens again and again, for ever.") : null,
      this.changes(step),
      position === this.last && this.end() ? make("p", { class: "again" }, this.end()) : null,
    ].filter(Boolean);
  }

  // What it did not see; and where it goes by what it had read before, what has become of that.
  unseen(step) {
    const seen = step.unseen ?? [];
    const older = (step.missed ?? []).map((one) => one.words).filter((words) => !seen.includes(words));
    return [
      ...seen.map((text) => make("p", { class: "unseen" }, `It did not see: ${text}.`)),
      ...older.map((text) => make("p", { class: "unseen" }, `It goes by an older state: ${text}.`)),
    ];
  }

  changes(step) {
    if (!step.changes.length) return make("p", { class: "quiet" }, "Nothing changes in the API.");
    const items = step.changes.map((change) =>
      make(
        "li",
        {},
        `${change.object} ${change.field} `,
        make("del", {}, change.before || "<none>"),
        " → ",
        make("ins", {}, change.after || "<none>"),
      ),
    );
    return make("ul", { class: "changes" }, ...items);
  }
}
