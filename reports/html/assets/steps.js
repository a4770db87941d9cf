// The list of steps. Rows have one height, and only those in view exist, however long the run.

const ROW = 48;
const BEYOND = 6;

class StepList {
  constructor(run, anchor, decisive, go) {
    this.run = run;
    this.anchor = anchor;
    this.decisive = decisive;
    this.go = go;
    this.loop = run.loopStart ?? Infinity;
    this.positions = [];
    this.inner = make("div", { class: "rows", role: "presentation" });
    this.element = make(
      "div",
      { class: "steps", role: "listbox", tabindex: "0", "aria-label": "Steps" },
      this.inner,
    );
    const redraw = oncePerFrame(() => this.redraw());
    this.element.addEventListener("scroll", redraw);
    new ResizeObserver(redraw).observe(this.element);
  }

  // Show these positions, of which one is chosen.
  show(positions, position) {
    this.positions = positions;
    this.position = position;
    this.inner.style.height = `${ROW * positions.length}px`;
    const at = positions.indexOf(position);
    const { scrollTop, clientHeight } = this.element;
    if (at >= 0 && (at * ROW < scrollTop || (at + 1) * ROW > scrollTop + clientHeight)) {
      this.element.scrollTop = at * ROW - (clientHeight - ROW) / 2;
    }
    this.redraw();
  }

  redraw() {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const last = Math.min(this.positions.length, Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND);
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.row(at));
    this.inner.replaceChildren(...rows);
    const chosen = rows.find((row) => row.getAttribute("aria-selected") === "true");
    if (chosen) this.element.setAttribute("aria-activedescendant", chosen.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  row(at) {
    const position = this.positions[at];
    const step = this.run.steps[position - 1];
    const loop = step && step.index >= this.loop ? " loop" : "";
    const row = make(
      "div",
      {
        class: `row${loop}`,
        role: "option",
        id: `${this.anchor}--${position}`,
        "aria-selected": String(position === this.position),
        "aria-posinset": at + 1,
        "aria-setsize": this.positions.length,
        click: () => this.go(position),
      },
      make("span", { class: "number" }, `${this.sign(position, step)}${position}`),
      step ? this.sentence(step) : make("span", { class: "sentence" }, "The start, before any step"),
    );
    row.style.top = `${ROW * at}px`;
    return row;
  }

  sign(position, step) {
    const decides = position && position === this.decisive ? "★ " : "";
    return decides + (step?.missed?.length ? "⚠ " : "") + (step && step.index === this.loop ? "↻ " : "");
  }

  sentence(step) {
    const actor = make("b", { class: step.environment ? "environment" : "actor" }, step.actor);
    return make("span", { class: "sentence" }, actor, ` ${step.summary}`);
  }
}
