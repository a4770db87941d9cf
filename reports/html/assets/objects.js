// What is loaded: objects as boxes, each below its owner; controllers with their syncs and caches.

const MOST_FIELDS = 12;

// A path may be broken after its dots and slashes, where it is too long for a line.
const dotted = (path) => path.split(/(?<=[./])/).flatMap((part, at) => (at ? [make("wbr"), part] : [part]));

const leavesOf = (box) => new Map(box.fields.map((leaf) => [leaf.field, leaf.value]));

class ObjectsView {
  constructor(pictures) {
    this.pictures = pictures;
  }

  show(before, after) {
    const parts = [];
    if (this.pictures.ever("objects")) parts.push(this.objects(before, after));
    if (after.workers.size) parts.push(this.controllers(before, after));
    return parts;
  }

  // Objects

  objects(before, after) {
    const boxes = [...after.objects.values()];
    const gone = [...before.objects.values()].filter((box) => !after.objects.has(box.name));
    const all = [...boxes, ...gone].sort(byName);
    const there = new Set(all.map((box) => box.name));
    const ownerOf = (box) => box.owners.find((name) => there.has(name) && name !== box.name);
    const stale = this.staleSights(after);
    const drawn = new Set();
    const draw = (box) => {
      drawn.add(box.name);
      const owned = all.filter((other) => ownerOf(other) === box.name && !drawn.has(other.name));
      return this.object(box, before, after, stale.get(box.name) ?? [], owned.map(draw), !ownerOf(box));
    };
    // Those that own each other in a circle have no root: what is left then is drawn from any.
    const roots = all.filter((box) => !ownerOf(box)).map((box) => [box.kind, draw(box)]);
    for (const box of all) if (!drawn.has(box.name)) roots.push([box.kind, draw(box)]);
    const kinds = [...new Set(roots.map(([kind]) => kind))].sort(naturally);
    const sections = kinds.map((kind) => {
      const own = roots.filter(([one]) => one === kind).map(([, element]) => element);
      return make("section", { class: "kind", "aria-label": kind }, make("h5", {}, kind), make("div", {}, ...own));
    });
    const none = make("p", { class: "quiet" }, "There are no custom objects.");
    return make("div", { class: "objects" }, ...(sections.length ? sections : [none]));
  }

  object(box, before, after, stale, owned, root) {
    const old = before.objects.get(box.name);
    const gone = !after.objects.has(box.name);
    const look = `object${gone ? " gone" : ""}${box.deleting ? " deleting" : ""}${old === box && !gone ? "" : " changed"}`;
    const others = box.owners.filter((name, at) => root || at);
    return make(
      "article",
      { class: look },
      make(
        "h6",
        {},
        root ? null : make("span", { class: "quiet" }, `${box.kind} `),
        make("span", { class: "name" }, this.pictures.bare(box.name)),
        gone ? make("span", { class: "condition" }, "deleted") : old ? null : make("span", { class: "fresh" }, "new"),
        box.deleting && !gone ? make("span", { class: "condition" }, "being deleted") : null,
      ),
      this.fields(box, old),
      this.finalizers(box, old),
      others.length ? make("p", { class: "quiet" }, `owned by ${others.map((n) => this.pictures.short(n)).join(", ")}`) : null,
      ...stale.map((text) => make("p", { class: "stale" }, text)),
      owned.length ? make("div", { class: "owned", "aria-label": "What it owns" }, ...owned) : null,
    );
  }

  // What changed first, then as much of the rest as is easily read.
  fields(box, old) {
    const now = leavesOf(box);
    const was = old ? leavesOf(old) : now;
    const names = [...new Set([...now.keys(), ...was.keys()])];
    const changed = new Set(names.filter((name) => now.get(name) !== was.get(name)));
    const kept = names.filter((name) => !changed.has(name)).slice(0, Math.max(0, MOST_FIELDS - changed.size));
    const shown = names.filter((name) => changed.has(name) || kept.includes(name));
    if (!names.length) return null;
    const rest = names.length - shown.length;
    return make(
      "dl",
      { class: "leaves" },
      ...shown.flatMap((name) => [
        make("dt", {}, ...dotted(name)),
        changed.has(name)
          ? make("dd", {}, make("del", {}, was.get(name) ?? NONE), " → ", make("ins", {}, now.get(name) ?? NONE))
          : make("dd", {}, now.get(name)),
      ]),
      rest ? make("dt", {}, `and ${plural(rest, "field")} more`) : null,
    );
  }

  finalizers(box, old) {
    const lifted = (old?.finalizers ?? []).filter((name) => !box.finalizers.includes(name));
    const chip = (name, look, tag = "span") => make(tag, { class: `finalizer${look}` }, name);
    const fresh = (name) => (old && !old.finalizers.includes(name) ? " changed" : "");
    const chips = box.finalizers.map((name) => chip(name, fresh(name)));
    const gone = lifted.map((name) => chip(name, " changed", "s"));
    if (!chips.length && !gone.length) return null;
    return make("p", { class: "finalizers" }, make("span", { class: "quiet" }, "finalizers "), ...chips, ...gone);
  }

  // What caches show of each object that is not so any more, in a sentence each.
  staleSights(picture) {
    const found = new Map();
    for (const cache of picture.caches.values()) {
      for (const one of cache.outdated.filter(firstOfObject)) {
        const whole = one.seen === "yes" ? "still sees it" : "does not see it yet";
        const text = `${cache.controller} ${one.field === "exists" ? whole : `still sees ${one.field} ${one.seen}`}`;
        found.set(one.object, [...(found.get(one.object) ?? []), text]);
      }
    }
    return found;
  }

  // Controllers

  controllers(before, after) {
    const names = [...new Set([...after.workers.values()].map((box) => box.controller))].sort(naturally);
    return make("div", { class: "controllers" }, ...names.map((name) => this.controller(name, before, after)));
  }

  controller(name, before, after) {
    const own = (boxes) => [...boxes.values()].filter((box) => box.controller === name).sort(byName);
    const workers = own(after.workers);
    return make(
      "section",
      { class: "controller", "aria-label": name },
      make("h5", {}, name),
      ...workers.map((box) => this.worker(box, before.workers.get(box.name), workers.length > 1)),
      ...own(after.caches).map((box) => this.cache(box, before.caches.get(box.name))),
    );
  }

  worker(box, old, several) {
    const label = several ? `${box.name.slice(box.controller.length + 2)}: ` : "";
    // What others did since it read is told, but is no change of its own.
    const same = old && old.subject === box.subject && old.done.length === box.done.length;
    const look = `worker${same ? "" : " changed"}`;
    if (!box.subject) return make("p", { class: `${look} quiet` }, `${label}no sync under way`);
    return make(
      "div",
      { class: look },
      make("p", {}, `${label}in a sync of `, make("b", {}, this.pictures.short(box.subject))),
      make(
        "ul",
        {},
        make("li", {}, `it had read ${box.read.join("; ")}`),
        ...box.outdated.filter(firstOfObject).map((one) => make("li", { class: "stale" }, `by now: ${this.became(one)}`)),
        ...box.done.map((text) => make("li", {}, `it has ${text}`)),
        box.next ? make("li", { class: "next" }, `next, it will ${box.next}`) : null,
      ),
    );
  }

  cache(box, old) {
    const label = box.name.slice(box.controller.length + 3);
    const look = old === box ? "" : " changed";
    if (!box.behind) return make("p", { class: `cache quiet${look}` }, `${label}: current`);
    const late = `${label}: ${plural(box.behind, "event")} behind`;
    const sights = box.outdated.filter(firstOfObject).map((one) => make("li", {}, this.became(one)));
    return make("div", { class: `cache stale${look}` }, make("p", {}, late), make("ul", {}, ...sights));
  }

  became(one) {
    const name = this.pictures.short(one.object);
    if (one.field !== "exists") return `${name} ${one.field} ${one.seen} → ${one.actual}`;
    return `${name} ${one.actual === "yes" ? "was created" : "was deleted"}`;
  }
}

// Of an object that came or went, that is enough; its fields follow from it.
const firstOfObject = (one, _, all) =>
  one.field === "exists" || !all.some((other) => other.object === one.object && other.field === "exists");
