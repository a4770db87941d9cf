// Swim lanes: one for each actor, time from left to right, with arrows from what was written to the
// steps that rest on it. Only what is in view is drawn.

const NARROWEST = 22;
const WIDEST = 400;
const SPELLED = 60;
const LANE = 28;
const TALL_LANE = 50;
const TOP = 22;
const LETTER = 5.8;
const MOST_ARROWS = 150;

class Lanes {
  constructor(run, anchor, decisive, links, go) {
    this.run = run;
    this.go = go;
    this.links = links;
    this.decisive = decisive;
    this.tips = { rests: `${anchor}--rests`, stale: `${anchor}--stale` };
    this.actors = [...new Set(run.steps.map((step) => step.actor))];
    this.loop = run.loopStart ? run.steps.findIndex((step) => step.index === run.loopStart) : -1;
    this.column = NARROWEST;
    this.lane = LANE;
    this.canvas = draw("svg", { role: "img" });
    this.track = make("div", { class: "track" }, this.canvas);
    this.window = make(
      "div",
      { class: "window", tabindex: "0", role: "group", "aria-label": "Steps over time, a lane for each actor" },
      this.track,
    );
    this.list = this.names();
    this.element = make("div", { class: "over-time" }, make("div", { class: "lanes" }, this.list, this.window), this.legend());
    const redraw = oncePerFrame(() => this.redraw());
    this.window.addEventListener("scroll", redraw);
    this.window.addEventListener("click", (event) => this.pressed(event));
    new ResizeObserver(() => {
      this.fit();
      redraw();
    }).observe(this.window);
  }

  names() {
    const list = this.actors.map((actor) => {
      const user = this.run.steps.find((step) => step.actor === actor).environment;
      return make("li", { class: user ? "environment" : "", title: actor }, actor);
    });
    return make("ul", { "aria-label": "Actors" }, ...list);
  }

  legend() {
    const line = (look) =>
      draw("svg", { width: 30, height: 10, "aria-hidden": "true" }, draw("path", { class: `arrow shown ${look}`, d: "M1 5H26" }), draw("path", { class: `tip ${look}`, d: "M22 1l7 4l-7 4z" }));
    const item = (sign, text) => make("li", {}, sign, ` ${text}`);
    const sign = (text, look) => make("span", { class: look, "aria-hidden": "true" }, text);
    const signs = [item(sign("●", "actor"), "a component acts")];
    if (this.run.steps.some((step) => step.environment)) signs.push(item(sign("◆", "environment"), "a user or a fault"));
    if (this.links.all.some((link) => !link.stale)) signs.push(item(line("rests"), "from what was written to the step that rests on it"));
    if (this.links.stale.size) {
      signs.push(item(line("stale"), "what the step did not see"));
      signs.push(item(sign("⚠", "stale"), "goes by an older state"));
    }
    if (this.decisive) signs.push(item(sign("★", ""), "decides"));
    return make("ul", { class: "legend", "aria-label": "Legend of the lanes" }, ...signs);
  }

  // Columns as wide as there is room for, and lanes high enough for what is written in them.
  fit() {
    const count = Math.max(this.run.steps.length, 1);
    const room = this.window.clientWidth / count;
    this.column = Math.max(NARROWEST, Math.min(WIDEST, Math.floor(room)));
    this.lane = this.column >= SPELLED ? TALL_LANE : LANE;
    this.height = TOP + this.lane * this.actors.length;
    this.canvas.setAttribute("height", this.height);
    this.track.style.width = `${this.column * count}px`;
    this.list.style.setProperty("--lane", `${this.lane}px`);
    this.list.style.setProperty("--line", `${2 * this.lane * this.rail()}px`);
  }

  show(position, kept) {
    this.position = position;
    this.kept = kept;
    const at = this.left(position);
    const { scrollLeft, clientWidth } = this.window;
    if (at < scrollLeft + this.column || at > scrollLeft + clientWidth - 2 * this.column) {
      this.window.scrollLeft = at - clientWidth / 2;
    }
    this.redraw();
  }

  left(position) {
    return this.column * (position - 1);
  }

  pressed(event) {
    const x = event.clientX - this.window.getBoundingClientRect().left + this.window.scrollLeft;
    const position = Math.floor(x / this.column) + 1;
    if (position >= 1 && position <= this.run.steps.length) this.go(position);
  }

  redraw() {
    if (!this.window.clientWidth) return;
    if (!this.height) this.fit();
    const { scrollLeft, clientWidth } = this.window;
    const first = Math.max(0, Math.floor(scrollLeft / this.column) - 1);
    const last = Math.min(this.run.steps.length, Math.ceil((scrollLeft + clientWidth) / this.column) + 1);
    this.scrolled = scrollLeft;
    this.canvas.setAttribute("width", clientWidth);
    this.canvas.style.left = `${scrollLeft}px`;
    const sentence = this.links.sentence(this.position);
    this.canvas.setAttribute("aria-label", sentence || "No arrow leads to this step.");
    const marks = [];
    for (let at = first; at < last; at++) marks.push(...this.mark(at));
    this.canvas.replaceChildren(
      this.markers(),
      ...this.loopBand(),
      this.band("now", this.left(this.position) - scrollLeft, this.column),
      ...this.actors.map((_, lane) => {
        const y = this.middle(lane);
        return draw("line", { class: "rail", x1: 0, x2: clientWidth, y1: y, y2: y });
      }),
      ...this.arrows(first, last),
      ...marks,
      ...this.loopLabel(),
    );
  }

  // Where in a lane its rail lies: what is written stands below.
  rail() {
    return this.lane === TALL_LANE ? 0.3 : 0.5;
  }

  middle(lane) {
    return TOP + this.lane * (lane + this.rail());
  }

  markers() {
    const tip = ([look, id]) =>
      draw(
        "marker",
        { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse" },
        draw("path", { class: `tip ${look}`, d: "M0 0l8 4l-8 4z" }),
      );
    return draw("defs", {}, ...Object.entries(this.tips).map(tip));
  }

  // Those of the step at hand come last, so that they lie above the others.
  arrows(first, last) {
    const seen = this.links.all.filter((link) => link.to > first && link.from <= last);
    const own = (link) => link.to === this.position;
    const others = seen.filter((link) => !own(link)).slice(0, MOST_ARROWS);
    return [...others, ...seen.filter(own)].map((link) => this.arrow(link, own(link)));
  }

  arrow(link, own) {
    const [start, end] = [this.spot(link.from), this.spot(link.to)];
    const look = link.stale ? "stale" : "rests";
    const line = start.y === end.y ? this.bow(start, end) : this.swing(start, end, link.stale ? -3 : 2);
    return draw(
      "path",
      { class: `arrow ${look}${own ? " shown" : ""}`, d: line, "marker-end": `url(#${this.tips[look]})` },
      draw("title", {}, this.links.title(link)),
    );
  }

  // Within a lane: above the marks that lie between.
  bow(start, end) {
    const rise = Math.min(12, this.lane * 0.4);
    const reach = Math.min(20, (end.x - start.x) / 3);
    const top = start.y - 6 - rise;
    return `M${start.x} ${start.y - 7}C${start.x + reach} ${top} ${end.x - reach} ${top} ${end.x - 3} ${end.y - 8}`;
  }

  // From lane to lane; those that end at the same mark lie a little apart.
  swing(start, end, apart) {
    const reach = Math.max(10, Math.min(60, (end.x - start.x) / 2));
    const [from, to, y] = [start.x + 7, end.x - 8, end.y + apart];
    return `M${from} ${start.y}C${from + reach} ${start.y} ${to - reach} ${y} ${to} ${y}`;
  }

  spot(position) {
    const step = this.run.steps[position - 1];
    return { x: this.left(position) + this.column / 2 - this.scrolled, y: this.middle(this.actors.indexOf(step.actor)) };
  }

  band(look, x, width) {
    return draw("rect", { class: look, x, y: 0, width, height: this.height });
  }

  loopBand() {
    if (this.loop < 0) return [];
    const x = this.left(this.loop + 1) - this.scrolled;
    return [this.band("loop", x, this.column * (this.run.steps.length - this.loop))];
  }

  loopLabel() {
    if (this.loop < 0) return [];
    const x = Math.max(this.left(this.loop + 1) - this.scrolled, 0) + 3;
    return [draw("text", { x, y: this.height - 3, class: "loop-label" }, "↻ for ever")];
  }

  mark(at) {
    const step = this.run.steps[at];
    const position = at + 1;
    const { x, y } = this.spot(position);
    const faint = this.kept && !this.kept.has(position) ? " faint" : "";
    const stale = this.links.stale.has(position);
    const look = `mark${step.environment ? " environment" : ""}${position === this.position ? " current" : ""}${faint}`;
    const older = stale ? ", goes by an older state" : "";
    const title = draw("title", {}, `${step.index}. ${step.actor}: ${step.summary}${older}`);
    const shape = step.environment
      ? draw("path", { class: look, d: `M${x} ${y - 8}l8 8l-8 8l-8 -8z` }, title)
      : draw("circle", { class: look, cx: x, cy: y, r: 6 }, title);
    const parts = [shape, this.number(position, x)];
    if (stale) parts.push(draw("text", { class: "stale-sign", x: x + 6, y: y - 6 }, "⚠"));
    if (this.lane === TALL_LANE) parts.push(this.label(step.action, x, y));
    return parts.filter(Boolean);
  }

  number(position, x) {
    const decides = position === this.decisive;
    if (!decides && this.column < 28 && position % 5) return null;
    return draw("text", { class: `number${decides ? " decides" : ""}`, x, y: 12 }, decides ? `★ ${position}` : `${position}`);
  }

  // The action, broken after a hyphen where it is too long for its column.
  label(action, x, y) {
    const most = Math.floor((this.column - 2) / LETTER);
    const parts = action.length > most ? action.split(/-(?=[^-]*$)/) : [action];
    const lines = parts.map((text) => (text.length > most ? `${text.slice(0, most - 1)}…` : text));
    const spans = lines.map((text, at) => draw("tspan", { x, y: y + 18 + 11 * at }, text));
    return draw("text", { class: "deed-label" }, ...spans);
  }
}
