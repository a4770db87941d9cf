// The picture of a placement: nodes as boxes with what is requested of them and what is new there.

const PAGE = 60;
const MOST_OWNERS = 12;

const fullest = (node) => Math.max(0, ...node.usage.map((used) => used.share));
const newPods = (node) => node.placed.reduce((sum, [, count]) => sum + count, 0);

const ORDERS = new Map([
  ["fullest first", (a, b) => fullest(b) - fullest(a) || naturally(a.name, b.name)],
  ["emptiest first", (a, b) => fullest(a) - fullest(b) || naturally(a.name, b.name)],
  ["most new pods first", (a, b) => newPods(b) - newPods(a) || naturally(a.name, b.name)],
  ["by name", (a, b) => naturally(a.name, b.name)],
  ["by zone", (a, b) => naturally(a.zone, b.zone) || naturally(a.name, b.name)],
]);

class PlacementView {
  constructor(element, data) {
    this.data = data;
    this.shown = PAGE;
    this.order = make("select", { change: () => this.refresh() });
    this.order.append(...[...ORDERS.keys()].map((name) => make("option", {}, name)));
    this.search = make("input", { type: "search", placeholder: "node, zone or workload" });
    this.search.addEventListener("input", () => {
      this.shown = PAGE;
      this.refresh();
    });
    this.count = make("output", { class: "quiet" });
    this.boxes = make("div", { class: "nodes" });
    this.more = make("button", { type: "button" });
    this.more.addEventListener("click", () => {
      this.shown += PAGE;
      this.refresh();
    });
    element.replaceChildren(
      make(
        "div",
        { class: "filters" },
        make("label", {}, "Order ", this.order),
        make("label", {}, "Show ", this.search),
        this.count,
      ),
      this.pending(),
      this.boxes,
      this.more,
    );
    this.refresh();
  }

  pending() {
    const { pending } = this.data;
    if (!pending.length) return "";
    const chips = make("ul", { class: "pods" }, ...pending.slice(0, PAGE).map((pair) => this.chip(pair)));
    const rest = pending.length - PAGE;
    const more = rest > 0 ? make("p", { class: "quiet" }, `and ${plural(rest, "more workload")}`) : null;
    return make("section", { class: "waiting" }, make("h5", {}, "Pods without a node"), chips, more);
  }

  fits(node, wanted) {
    const pods = [
      ...node.placed.map(([at]) => this.data.workloads[at]),
      ...node.here.map(([at]) => this.data.owners[at]),
    ];
    const texts = [node.name, node.zone, node.type, ...pods];
    return texts.some((text) => text.toLowerCase().includes(wanted));
  }

  refresh() {
    const wanted = this.search.value.trim().toLowerCase();
    const found = this.data.nodes.filter((node) => !wanted || this.fits(node, wanted));
    found.sort(ORDERS.get(this.order.value));
    this.boxes.replaceChildren(...found.slice(0, this.shown).map((node) => this.node(node)));
    this.count.textContent = wanted
      ? `${found.length} of ${plural(this.data.nodes.length, "node")}`
      : plural(found.length, "node");
    const rest = found.length - this.shown;
    this.more.hidden = rest <= 0;
    this.more.textContent = `Show ${Math.min(rest, PAGE)} more of ${rest}`;
  }

  node(node) {
    const where = [node.zone && `zone ${node.zone}`, node.type].filter(Boolean).join(", ");
    const conditions = node.conditions.map((text) => make("span", { class: "condition" }, text));
    return make(
      "section",
      { class: "node" },
      make("h5", {}, node.name, where ? make("span", { class: "quiet" }, ` ${where}`) : null),
      conditions.length ? make("p", {}, ...conditions) : null,
      usageList(node.usage),
      node.placed.length ? make("ul", { class: "pods" }, ...node.placed.map((pair) => this.chip(pair))) : null,
      ...this.before(node),
    );
  }

  // What is on the node already: whose pods, as far as there is room to say.
  before(node) {
    if (!node.standing) return [];
    const heading = make("p", { class: "quiet" }, `${plural(node.standing, "pod")} here before`);
    const chips = node.here.slice(0, MOST_OWNERS).map(([at, count]) => this.named(this.data.owners[at], count, "old"));
    const rest = node.here.length - MOST_OWNERS;
    if (rest > 0) chips.push(make("li", { class: "quiet" }, `and ${rest} more`));
    return [heading, make("ul", { class: "pods" }, ...chips)];
  }

  chip([at, count]) {
    return this.named(this.data.workloads[at], count, `v${at % 6}`);
  }

  named(name, count, look) {
    const times = count > 1 ? make("b", {}, `${count} ×`) : null;
    return make("li", { class: `pod ${look}`, title: name }, times, make("span", { class: "name" }, name));
  }
}

const shown = document.querySelector(".placement");
if (shown) new PlacementView(shown, JSON.parse(document.getElementById("data").textContent));
