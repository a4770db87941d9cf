// How full a node is: a line with a bar for each resource.

const usageList = (usage) => make("dl", { class: "usage" }, ...usage.flatMap(usageLine));

const usageLine = (used) => {
  const text = `${used.requested} of ${used.allocatable}`;
  const bar = make("meter", { min: 0, max: 1, high: 0.999, value: Math.min(used.share, 1), title: text });
  return [make("dt", {}, used.resource), make("dd", { class: used.share > 1 ? "over" : "" }, bar, text)];
};
