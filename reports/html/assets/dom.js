// Elements are made from text and attributes, never from HTML: what a report names is user input.

const SVG = "http://www.w3.org/2000/svg";

const furnished = (element, attributes, content) => {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...content.filter((piece) => piece != null));
  return element;
};

const make = (name, attributes = {}, ...content) =>
  furnished(document.createElement(name), attributes, content);

const draw = (name, attributes = {}, ...content) =>
  furnished(document.createElementNS(SVG, name), attributes, content);

const button = (label, title, act, attributes = {}) =>
  make("button", { type: "button", title, "aria-label": title, click: act, ...attributes }, label);

// Run a function once before the next frame, however often it is asked for.
const oncePerFrame = (act) => {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      act();
    });
  };
};

// Names in the order that people expect: node-2 before node-10.
const naturally = new Intl.Collator("en", { numeric: true }).compare;

const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// Copy text, and say so on the button that was pressed.
const copy = async (text, pressed) => {
  const label = pressed.textContent;
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyBySelection(text);
  }
  pressed.textContent = done ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (pressed.textContent = label), 1500);
};

// The way for pages that may not use the clipboard, such as files in some browsers.
const copyBySelection = (text) => {
  const area = make("textarea", { class: "offscreen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
};
