// The picture of the cluster: nodes as boxes, pods in them, and above them what has no node yet.

const SIGNS = new Map([
  ["pending", "?"],
  ["bound", "○"],
  ["not ready", "◐"],
  ["ready", "●"],
  ["available", "✓"],
  ["terminating", "✕"],
  ["lingering", "‡"],
  ["failed", "!"],
]);
const TRAFFIC = "⇄";
const MOST_CHIPS = 24;
const MOST_NODES = 60;

class Cluster {
  constructor(pictures) {
    this.pictures = pictures;
    this.loaded = new ObjectsView(pictures);
    this.element = make("div", { class: "cluster" });
  }

  show(position) {
    const after = this.pictures.at(position);
    const before = position ? this.pictures.at(position - 1) : after;
    const pods = this.podsByNode(before, after);
    this.served = new Set([...after.services.values()].flatMap((box) => box.endpoints));
    this.element.replaceChildren(
      ...this.loaded.show(before, after),
      after.workloads.size ? this.owners(before, after) : "",
      this.onlookers(before, after),
      this.pictures.everPending ? this.waiting(pods.get("") ?? []) : "",
      after.nodes.size ? make("div", { class: "nodes" }, ...this.nodes(before, after, pods)) : "",
      this.pictures.ever("pods") ? this.legend() : "",
    );
  }

  // The pods of each node, and those that this step took away, where they were.
  podsByNode(before, after) {
    const shown = new Map();
    const put = (node, pod) => shown.set(node, [...(shown.get(node) ?? []), pod]);
    for (const box of after.pods.values()) {
      const old = before.pods.get(box.name);
      put(box.node, { ...box, changed: old !== box, was: old?.phase });
    }
    for (const box of before.pods.values()) {
      if (!after.pods.has(box.name)) put(box.node, { ...box, gone: true });
    }
    for (const pods of shown.values()) pods.sort(byName);
    return shown;
  }

  owners(before, after) {
    const lines = [...after.workloads.values()].sort(byName).map((box) => {
      const sets = [...after.replicaSets.values()].filter((set) => set.workload === box.name);
      const paused = box.paused ? ", paused" : "";
      return make(
        "li",
        { class: before.workloads.get(box.name) === box ? "" : "changed" },
        make("b", {}, this.pictures.short(box.name)),
        box.kind === "Deployment" ? ` wants ${box.replicas} of ${box.version}${paused}: ` : ` wants ${box.replicas}`,
        ...sets.sort(byName).map((set) =>
          make(
            "span",
            {
              class: `set v${this.pictures.colour(set)}${before.replicaSets.get(set.name) === set ? "" : " changed"}`,
            },
            `${this.pictures.short(set.name)} × ${set.replicas}`,
          ),
        ),
      );
    });
    return make("ul", { class: "owners", "aria-label": "Workloads and their ReplicaSets" }, ...lines);
  }

  // Services and budgets: nobody acts on them, their counts follow from the pods.
  onlookers(before, after) {
    const changed = (kind, box) => (before[kind].get(box.name) === box ? "" : "changed");
    const services = [...after.services.values()].sort(byName).map((box) => {
      const total = box.endpoints.length + box.others;
      const receivers = `${plural(total, "ready pod")} ${total === 1 ? "receives" : "receive"} its traffic`;
      return make(
        "li",
        { class: changed("services", box) },
        "Service ",
        make("b", {}, this.pictures.short(box.name)),
        ": ",
        total ? receivers : make("span", { class: "bad" }, "nobody receives its traffic"),
        box.others ? ` (${plural(box.others, "other pod")} among them)` : "",
        box.silent ? make("span", { class: "bad" }, `, ${box.silent} on a machine that is down`) : "",
        box.said?.length ? make("span", { class: "quiet" }, `; ${box.said.join("; ")}`) : "",
      );
    });
    const budgets = [...after.budgets.values()].sort(byName).map((box) =>
      make(
        "li",
        { class: changed("budgets", box) },
        "PodDisruptionBudget ",
        make("b", {}, this.pictures.short(box.name)),
        `: ${box.healthy} healthy, ${box.desired} desired, `,
        make("span", { class: box.allowed ? "" : "bad" }, `${plural(box.allowed, "disruption")} allowed`),
      ),
    );
    const volumes = this.volumes(before, after);
    if (!services.length && !budgets.length) return volumes;
    return make(
      "div",
      { class: "onlookers" },
      volumes,
      make("ul", { class: "owners", "aria-label": "Services and disruption budgets" }, ...services, ...budgets),
      make("p", { class: "quiet" }, "Services follow from the pods; budgets too, unless nodes are drained: then this is their status."),
    );
  }

  // Volumes: whose each is, from where it is reached, and to which nodes it is attached.
  volumes(before, after) {
    const lines = [...after.volumes.values()].sort(byName).map((box) => {
      const where = box.attached.map((node) => (box.mounted.includes(node) ? `${node} (mounted)` : node));
      return make(
        "li",
        { class: before.volumes.get(box.name) === box ? "" : "changed" },
        "Volume ",
        make("b", {}, box.name),
        box.claim ? ` of claim ${this.pictures.short(box.claim)}` : " of no claim",
        box.reach ? ` in ${box.reach}` : "",
        `: ${box.phase}, `,
        where.length ? `attached to ${where.join(", ")}` : "attached to no node",
        box.awaited.length ? make("span", { class: "bad" }, `, awaited on ${box.awaited.join(", ")}`) : "",
      );
    });
    return lines.length ? make("ul", { class: "owners", "aria-label": "Volumes" }, ...lines) : "";
  }

  waiting(pods) {
    const list = pods.length ? this.podList(pods) : make("p", { class: "quiet" }, "none");
    return make("section", { class: "waiting" }, make("h5", {}, "Pods without a node"), list);
  }

  nodes(before, after, pods) {
    const all = [...after.nodes.values()].sort(byName);
    const shown = all.length > MOST_NODES ? all.filter((box) => this.pictures.touched.has(box.name)) : all;
    const boxes = shown.map((box) => this.node(box, before.nodes.get(box.name), pods.get(box.name) ?? []));
    const rest = all.length - shown.length;
    if (rest) boxes.push(make("p", { class: "quiet" }, `and ${plural(rest, "node")} that nothing happens to`));
    return boxes;
  }

  node(box, old, pods) {
    const conditions = box.conditions.map((text) => {
      const fresh = old && !old.conditions.includes(text);
      return make("span", { class: `condition${fresh ? " changed" : ""}` }, text);
    });
    const over = (old?.conditions ?? []).filter((text) => !box.conditions.includes(text));
    const relieved = over.map((text) => make("s", { class: "condition changed" }, text));
    const changed = conditions.length !== (old?.conditions.length ?? 0) || relieved.length;
    return make(
      "section",
      { class: `node${box.conditions.includes("down") ? " down" : ""}${changed ? " changed" : ""}` },
      make("h5", {}, box.name, box.zone ? make("span", { class: "quiet" }, ` zone ${box.zone}`) : null),
      conditions.length || relieved.length ? make("p", {}, ...conditions, ...relieved) : null,
      usageList(box.usage),
      this.podList(pods),
      box.standing ? make("p", { class: "quiet" }, `and ${plural(box.standing, "other pod")}`) : null,
    );
  }

  podList(pods) {
    const chips = pods.length > MOST_CHIPS ? this.grouped(pods) : pods.map((pod) => this.chip(pod));
    return make("ul", { class: "pods" }, ...chips);
  }

  chip(pod) {
    const moved = pod.was && pod.was !== pod.phase ? `, was ${pod.was}` : "";
    const serves = this.served.has(pod.name) && !pod.gone;
    const phase = pod.phase + (serves ? ", receives traffic" : "");
    const state = pod.gone ? "removed" : phase + (pod.changed ? moved || ", new here" : "");
    const name = this.pictures.short(pod.name);
    return make(
      "li",
      { class: this.look(pod), title: `${name}: ${state}` },
      make("span", { "aria-hidden": "true" }, pod.gone ? "✕" : SIGNS.get(pod.phase)),
      make("span", { class: "name" }, name),
      serves ? make("span", { class: "serves", "aria-hidden": "true" }, TRAFFIC) : null,
      make("span", { class: "offscreen" }, ` ${state}`),
    );
  }

  look(pod) {
    const phase = `p-${pod.phase.replace(" ", "-")}`;
    return `pod v${this.pictures.colour(pod)} ${pod.gone ? "gone" : phase}${pod.changed ? " changed" : ""}`;
  }

  // One chip for all alike, but those that this step touched.
  grouped(pods) {
    const groups = new Map();
    for (const pod of pods.filter((one) => !one.changed && !one.gone)) {
      const key = `${pod.workload} ${pod.version} ${pod.phase}`;
      groups.set(key, [...(groups.get(key) ?? []), pod]);
    }
    const chips = [...groups.values()].map(([first, ...more]) =>
      make(
        "li",
        { class: this.look(first) },
        make("span", { "aria-hidden": "true" }, SIGNS.get(first.phase)),
        `${more.length + 1} × ${this.pictures.short(first.workload)} ${first.version} ${first.phase}`,
      ),
    );
    return [...pods.filter((one) => one.changed || one.gone).map((pod) => this.chip(pod)), ...chips];
  }

  legend() {
    const phases = [...SIGNS].map(([phase, sign]) => make("li", {}, `${sign} ${phase}`));
    const versions = this.pictures.versions.map((version, index) =>
      make("li", { class: `set v${index % 6}` }, this.pictures.short(version)),
    );
    const traffic = this.pictures.at(0).services.size ? [make("li", {}, `${TRAFFIC} receives traffic`)] : [];
    return make("ul", { class: "legend", "aria-label": "Legend" }, ...versions, ...phases, ...traffic);
  }
}
