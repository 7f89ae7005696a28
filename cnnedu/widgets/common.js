// What all widgets share. Written by hand and read as it is: no library, nothing fetched.

/** Make an element: make("label", {class: "cnnedu-field"}, "Unit", input). */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A control with its name; the label holds it, so that no identifiers are needed. */
function field(name, control) {
  return make("label", { class: "cnnedu-field" }, make("span", {}, name), control);
}

/** A choice between some texts: select([["fit", "fit the response"], ...]). */
function select(options) {
  return make(
    "select",
    {},
    ...options.map(([value, text]) => {
      const option = make("option", { value });
      option.textContent = text;
      return option;
    }),
  );
}

/** Set a trait in Python; ipywidgets waits for the kernel and merges what comes meanwhile. */
function send(model, values) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}

/** A picture with a title above it, a text below it, and frames over it. */
class Picture {
  constructor(title, { longest = 224, edge = true } = {}) {
    this.longest = longest;
    this.canvas = make("canvas", { width: 1, height: 1, role: "img", "aria-label": title });
    this.over = make("div", { class: edge ? "cnnedu-over cnnedu-edge" : "cnnedu-over" }, this.canvas);
    this.below = make("div", { class: "cnnedu-below" });
    this.title = make("div", { class: "cnnedu-title" }, title);
    this.element = make("div", { class: "cnnedu-picture" }, this.title, this.over, this.below);
    this.frames = [];
  }

  /** Paint the colors that Python computed: {rows, columns, pixels: red, green, blue, opacity}. */
  paint(panel, zoom) {
    const { rows, columns, pixels } = panel;
    if (this.canvas.width !== columns) this.canvas.width = columns;
    if (this.canvas.height !== rows) this.canvas.height = rows;
    const bytes = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    this.canvas.getContext("2d").putImageData(new ImageData(bytes, columns, rows), 0, 0);
    this.zoom = zoom ?? this.longest / Math.max(rows, columns);
    // Whole pixels of the screen per number, so that all cells are equally large.
    if (this.zoom > 1) this.zoom = Math.floor(this.zoom);
    this.over.style.width = `${columns * this.zoom}px`;
    this.rows = rows;
    this.columns = columns;
  }

  /** Put the nth frame around [top, left, height, width], or take it away. */
  frame(nth, box) {
    while (this.frames.length <= nth) {
      this.frames.push(make("div", { class: "cnnedu-frame", hidden: "" }));
      this.over.append(this.frames[this.frames.length - 1]);
    }
    const { style } = this.frames[nth];
    this.frames[nth].hidden = !box;
    if (!box) return;
    const [top, left, height, width] = box;
    style.top = `${(100 * top) / this.rows}%`;
    style.left = `${(100 * left) / this.columns}%`;
    style.height = `${(100 * height) / this.rows}%`;
    style.width = `${(100 * width) / this.columns}%`;
  }

  /** Return the [row, column] under the pointer. */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
    const inside = (value, count) => Math.min(Math.max(value, 0), count - 1);
    return [inside(row, this.rows), inside(column, this.columns)];
  }
}

/** The strip of colors with its two ends, to stand below a picture. */
class Bar {
  constructor() {
    this.canvas = make("canvas", { width: 1, height: 1, "aria-hidden": "true" });
    this.low = make("span");
    this.high = make("span");
    this.element = make("div", { class: "cnnedu-bar" }, this.low, this.canvas, this.high);
  }

  paint({ columns, pixels, low, high }) {
    this.canvas.width = columns;
    const bytes = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    this.canvas.getContext("2d").putImageData(new ImageData(bytes, columns, 1), 0, 0);
    this.low.textContent = low;
    this.high.textContent = high;
  }
}

/** A text for the eye at once, and for a screen reader when it has stopped changing. */
class Reading {
  constructor() {
    this.seen = make("p", { class: "cnnedu-reading", "aria-hidden": "true" });
    this.heard = make("p", { class: "cnnedu-heard", role: "status", "aria-live": "polite" });
    this.elements = [this.seen, this.heard];
  }

  say(text) {
    if (this.seen.textContent === text) return;
    this.seen.textContent = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.heard.textContent = text), 600);
  }

  stop() {
    clearTimeout(this.timer);
  }
}

/** The outermost element: named for screen readers; JupyterLab's own shortcuts stay away from it. */
function root(el, name) {
  const element = make("div", {
    class: "cnnedu-widget",
    role: "group",
    "aria-label": name,
    "data-lm-suppress-shortcuts": "true",
  });
  // Notebook 6 and others listen further out.
  element.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(element);
  return element;
}

/** Listen to changes of the model until the widget is taken away. */
function follow(model, name, act) {
  model.on(`change:${name}`, act);
  return () => model.off(`change:${name}`, act);
}
