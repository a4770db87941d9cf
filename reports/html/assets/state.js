// The state in words, object by object and field by field; what a step left alone is hidden.

const NONE = "<none>";

const texts = (fields) => Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, `${value}`]));

class StateText {
  constructor(pictures) {
    this.pictures = pictures;
    this.whole = false;
    this.toggle = make("button", { type: "button", click: () => this.toggled() });
    this.list = make("ul");
    this.element = make("div", { class: "state" }, make("h5", {}, "State after this step"), this.toggle, this.list);
  }

  toggled() {
    this.whole = !this.whole;
    this.show(this.position);
  }

  show(position) {
    this.position = position;
    const after = this.objects(this.pictures.at(position));
    const before = position ? this.objects(this.pictures.at(position - 1)) : after;
    const names = [...new Set([...before.keys(), ...after.keys()])];
    const lines = names.map((name) => this.line(name, before.get(name), after.get(name)));
    const shown = lines.filter((line) => line !== null);
    this.list.replaceChildren(...shown);
    const hidden = plural(names.length - shown.length, "unchanged object");
    this.toggle.textContent = this.whole ? "Hide what is unchanged" : `Show ${hidden}`;
    this.toggle.setAttribute("aria-pressed", String(this.whole));
  }

  line(name, old, now) {
    const head = make("b", {}, name);
    if (!now) return make("li", { class: "changed" }, head, make("del", {}, " is gone"));
    const every = Object.keys({ ...old, ...now });
    const fields = every.filter((field) => !old || old[field] !== now[field]);
    if (old && !fields.length && !this.whole) return null;
    const told = this.whole ? every : fields;
    const parts = told.flatMap((field, at) => [
      `${at ? ", " : " "}${field} `,
      ...(fields.includes(field) && old ? [make("del", {}, old[field] ?? NONE), " → "] : []),
      make(fields.includes(field) ? "ins" : "span", {}, now[field] ?? NONE),
    ]);
    const fresh = old ? "" : ` is new${told.length ? ":" : ""}`;
    return make("li", { class: fields.length || !old ? "changed" : "" }, head, fresh, ...parts);
  }

  // The fields of every object, by its name.
  objects(picture) {
    const found = new Map();
    const put = (kind, name, fields) => found.set(`${kind} ${this.pictures.short(name)}`, fields);
    const sorted = (boxes) => [...boxes.values()].sort(byName);
    for (const box of sorted(picture.workloads)) {
      const rollout = { template: box.version, paused: `${box.paused}` };
      put(box.kind, box.name, { replicas: `${box.replicas}`, ...(box.kind === "Deployment" ? rollout : {}) });
    }
    for (const box of sorted(picture.replicaSets)) put("ReplicaSet", box.name, { replicas: `${box.replicas}` });
    for (const box of sorted(picture.nodes)) {
      const used = box.usage.map((one) => [one.resource, `${one.requested} of ${one.allocatable}`]);
      const status = box.conditions.join(", ") || "up, Ready";
      found.set(`Node ${box.name}`, { status, ...Object.fromEntries(used) });
    }
    for (const box of sorted(picture.pods)) put("Pod", box.name, { phase: box.phase, node: box.node || NONE });
    for (const box of sorted(picture.services)) {
      const said = box.said?.length ? { besides: box.said.join("; ") } : {};
      put("Service", box.name, { "receiving pods": this.receivers(box), ...said });
    }
    for (const box of sorted(picture.budgets)) {
      const { healthy, desired, expected, allowed } = box;
      const fields = { currentHealthy: healthy, desiredHealthy: desired, expectedPods: expected };
      put("PodDisruptionBudget", box.name, texts({ ...fields, disruptionsAllowed: allowed }));
    }
    for (const box of sorted(picture.volumes)) {
      const attached = box.attached.map((node) => (box.mounted.includes(node) ? `${node} (mounted)` : node));
      put("PersistentVolume", box.name, {
        claim: box.claim || NONE,
        phase: box.phase,
        "attached to": attached.join(", ") || NONE,
        ...(box.awaited.length ? { "awaited on": box.awaited.join(", ") } : {}),
        ...(box.reach ? { "reached from": box.reach } : {}),
      });
    }
    for (const box of sorted(picture.objects)) found.set(this.pictures.short(box.name), this.leaves(box));
    for (const box of sorted(picture.workers)) {
      const sync = box.subject ? `of ${this.pictures.short(box.subject)}` : NONE;
      found.set(box.name, { sync, ...texts(box.subject ? { sent: box.done.length, next: box.next || NONE } : {}) });
    }
    for (const box of sorted(picture.caches)) found.set(box.name, { "events behind": `${box.behind}` });
    return found;
  }

  leaves(box) {
    const own = Object.fromEntries(leavesOf(box));
    if (box.finalizers.length) own["metadata.finalizers"] = box.finalizers.join(" ");
    if (box.deleting) own["metadata.deletionTimestamp"] = "set";
    return own;
  }

  receivers(box) {
    const names = box.endpoints.map((name) => this.pictures.short(name));
    if (box.others) names.push(`${box.others} others`);
    return names.join(" ") || NONE;
  }
}
