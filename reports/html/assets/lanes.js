// Swim lanes: one for each actor, time from left to right. Only what is in view is drawn.

const COLUMN = 22;
const LANE = 26;
const TOP = 16;

class Lanes {
  constructor(run, go) {
    this.run = run;
    this.go = go;
    this.actors = [...new Set(run.steps.map((step) => step.actor))];
    this.loop = run.loopStart ? run.steps.findIndex((step) => step.index === run.loopStart) : -1;
    this.canvas = draw("svg", { height: TOP + LANE * this.actors.length, "aria-hidden": "true" });
    this.track = make("div", { class: "track" }, this.canvas);
    this.track.style.width = `${COLUMN * (run.steps.length + 1)}px`;
    this.window = make("div", { class: "window" }, this.track);
    this.element = make("div", { class: "lanes" }, this.names(), this.window);
    const redraw = oncePerFrame(() => this.redraw());
    this.window.addEventListener("scroll", redraw);
    this.window.addEventListener("click", (event) => this.pressed(event));
    new ResizeObserver(redraw).observe(this.window);
  }

  names() {
    const list = this.actors.map((actor) => {
      const user = this.run.steps.find((step) => step.actor === actor).environment;
      return make("li", { class: user ? "environment" : "", title: actor }, actor);
    });
    return make("ul", { "aria-label": "Actors" }, ...list);
  }

  show(position, kept) {
    this.position = position;
    this.kept = kept;
    const at = this.left(position);
    const { scrollLeft, clientWidth } = this.window;
    if (at < scrollLeft + COLUMN || at > scrollLeft + clientWidth - 2 * COLUMN) {
      this.window.scrollLeft = at - clientWidth / 2;
    }
    this.redraw();
  }

  left(position) {
    return COLUMN * (position - 1);
  }

  pressed(event) {
    const x = event.clientX - this.window.getBoundingClientRect().left + this.window.scrollLeft;
    const position = Math.floor(x / COLUMN) + 1;
    if (position >= 1 && position <= this.run.steps.length) this.go(position);
  }

  redraw() {
    const { scrollLeft, clientWidth } = this.window;
    if (!clientWidth) return;
    const first = Math.max(0, Math.floor(scrollLeft / COLUMN) - 1);
    const last = Math.min(this.run.steps.length, Math.ceil((scrollLeft + clientWidth) / COLUMN) + 1);
    const height = TOP + LANE * this.actors.length;
    this.canvas.setAttribute("width", clientWidth);
    this.canvas.style.left = `${scrollLeft}px`;
    const marks = [];
    for (let at = first; at < last; at++) marks.push(this.mark(at, scrollLeft));
    this.canvas.replaceChildren(
      ...this.loopBand(scrollLeft, height),
      this.band("now", this.left(this.position) - scrollLeft, COLUMN, height),
      ...this.actors.map((_, lane) => {
        const y = this.middle(lane);
        return draw("line", { class: "rail", x1: 0, x2: clientWidth, y1: y, y2: y });
      }),
      ...marks,
      ...this.loopLabel(scrollLeft),
    );
  }

  middle(lane) {
    return TOP + LANE * (lane + 0.5);
  }

  band(look, x, width, height) {
    return draw("rect", { class: look, x, y: 0, width, height });
  }

  loopBand(scrollLeft, height) {
    if (this.loop < 0) return [];
    const x = this.left(this.loop + 1) - scrollLeft;
    return [this.band("loop", x, COLUMN * (this.run.steps.length - this.loop), height)];
  }

  loopLabel(scrollLeft) {
    if (this.loop < 0) return [];
    const x = Math.max(this.left(this.loop + 1) - scrollLeft, 0) + 3;
    return [draw("text", { x, y: 12, class: "loop-label" }, "↻ for ever")];
  }

  mark(at, scrollLeft) {
    const step = this.run.steps[at];
    const x = this.left(at + 1) + COLUMN / 2 - scrollLeft;
    const y = this.middle(this.actors.indexOf(step.actor));
    const faint = this.kept && !this.kept.has(at + 1) ? " faint" : "";
    const look = `mark${step.environment ? " environment" : ""}${at + 1 === this.position ? " current" : ""}${faint}`;
    const title = draw("title", {}, `${step.index}. ${step.actor}: ${step.summary}`);
    if (!step.environment) return draw("circle", { class: look, cx: x, cy: y, r: 6 }, title);
    return draw("path", { class: look, d: `M${x} ${y - 8}l8 8l-8 8l-8 -8z` }, title);
  }
}
