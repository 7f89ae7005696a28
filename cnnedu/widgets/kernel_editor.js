// The kernel editor: reports nine numbers and some choices, paints what Python answers.

const MINUS = "\u2212";
const PIXELS_PER_STEP = 5; // of dragging
const STEP = 0.1;
const POSITIONS = ["top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"];

/** Write a number as people do; read it back, also with a comma, a fraction or a true minus. */
function write(value) {
  return String(Math.round(value * 1e4) / 1e4).replace("-", MINUS);
}

function read(text) {
  const plain = text.trim().replace(MINUS, "-").replace(",", ".");
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:\/(\d+\.?\d*))?$/.exec(plain);
  if (!match) return NaN;
  const value = Number(match[1]) / (match[2] ? Number(match[2]) : 1);
  return Number.isFinite(value) ? value : NaN;
}

function render({ model, el }) {
  const top = root(el, "Kernel editor");
  const presets = model.get("_presets");
  const preset = select([["", "your own"], ...Object.keys(presets).map((name) => [name, name])]);
  const picture = select(model.get("_pictures").map((name) => [name, name]));
  const way = select([
    ["correlation", "correlation"],
    ["convolution", "convolution (turned by 180°)"],
  ]);
  const scale = select([
    ["fit", "the strongest answer here"],
    ["fixed", "the strongest possible answer"],
  ]);
  top.append(
    make(
      "div",
      { class: "cnnedu-controls" },
      field("Kernel", preset),
      field("Picture", picture),
      field("Slide as", way),
      field("Colors end at", scale),
    ),
  );

  const image = new Picture("image");
  const response = new Picture("response");
  const bar = new Bar();
  response.below.append(bar.element);
  const cells = POSITIONS.map((name, index) => cell(name, index));
  const grid = make("div", { class: "cnnedu-grid", role: "group", "aria-label": "Kernel" }, ...cells);
  const kernel = make(
    "div",
    { class: "cnnedu-picture" },
    make("div", { class: "cnnedu-title" }, "kernel"),
    grid,
    make("div", { class: "cnnedu-below" }, "type, or drag up and down"),
  );
  const sum = make("div", { class: "cnnedu-sum" });
  const limits = make("div", { class: "cnnedu-limits" });
  const reading = new Reading();
  const trouble = make("p", { class: "cnnedu-trouble", role: "alert" });
  top.append(
    make("div", { class: "cnnedu-row" }, image.element, kernel, response.element),
    sum,
    limits,
    ...reading.elements,
    trouble,
  );

  // ---- the nine numbers

  function numbers() {
    return model.get("_numbers").slice();
  }

  function change(index, value) {
    const all = numbers();
    all[index] = Math.round(value * 1e4) / 1e4;
    send(model, { _numbers: all });
  }

  function cell(name, index) {
    const input = make("input", {
      type: "text",
      inputmode: "decimal",
      role: "spinbutton",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": name,
    });
    input.addEventListener("input", () => {
      const value = read(input.value);
      input.toggleAttribute("aria-invalid", Number.isNaN(value));
      if (!Number.isNaN(value)) change(index, value);
    });
    input.addEventListener("focus", () => input.select());
    input.addEventListener("blur", showNumbers);
    input.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (event.key === "Enter") input.select();
      if (!steps) return;
      event.preventDefault();
      const value = numbers()[index] + steps * (event.shiftKey ? 1 : STEP);
      input.value = write(value);
      change(index, value);
    });
    // A drag begins after some pixels, so that a click still puts the cursor into the cell.
    let start = null;
    input.addEventListener("pointerdown", (event) => {
      start = { y: event.clientY, value: numbers()[index], dragging: false };
      input.setPointerCapture(event.pointerId);
    });
    input.addEventListener("pointermove", (event) => {
      if (!start) return;
      const steps = Math.round((start.y - event.clientY) / PIXELS_PER_STEP);
      start.dragging ||= steps !== 0;
      if (!start.dragging) return;
      event.preventDefault();
      const value = start.value + steps * STEP;
      input.value = write(value);
      if (value !== numbers()[index]) change(index, value);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      input.addEventListener(end, () => (start = null));
    }
    return input;
  }

  /** Write the numbers into the cells, except where somebody is typing the very same number. */
  function showNumbers() {
    numbers().forEach((value, index) => {
      const input = cells[index];
      input.setAttribute("aria-valuenow", value);
      if (read(input.value) !== Math.round(value * 1e4) / 1e4) input.value = write(value);
      if (document.activeElement !== input) {
        input.value = write(value);
        input.removeAttribute("aria-invalid");
      }
    });
  }

  // ---- the choices

  preset.addEventListener("change", () => {
    if (preset.value) send(model, { _numbers: presets[preset.value].slice() });
  });
  picture.addEventListener("change", () => send(model, { _picture: picture.value, _place: [] }));
  way.addEventListener("change", () => send(model, { _way: way.value }));
  scale.addEventListener("change", () => send(model, { _scale: scale.value }));

  // ---- pointing at the response

  response.over.setAttribute("tabindex", "0");
  response.over.setAttribute("role", "application");
  response.over.setAttribute("aria-label", "Response: arrow keys choose the place whose sum is told");
  response.over.addEventListener("pointermove", (event) => point(response.place(event)));
  response.over.addEventListener("pointerdown", (event) => point(response.place(event)));
  response.over.addEventListener("keydown", (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === "Escape") send(model, { _place: [] });
    if (!move) return;
    event.preventDefault();
    const now = model.get("_place");
    const [row, column] = now.length ? now : [Math.floor(response.rows / 2), Math.floor(response.columns / 2)];
    const inside = (value, count) => Math.min(Math.max(value, 0), count - 1);
    point([inside(row + move[0], response.rows), inside(column + move[1], response.columns)]);
  });

  function point(place) {
    if (String(place) !== String(model.get("_place"))) send(model, { _place: place });
  }

  // ---- what Python answers

  function show() {
    const view = model.get("_view");
    picture.value = model.get("_picture");
    way.value = model.get("_way");
    scale.value = model.get("_scale");
    trouble.textContent = view.trouble ?? "";
    if (!view.image) return;
    preset.value = view.name;
    image.paint(view.image);
    response.paint(view.response, image.zoom);
    bar.paint(view.bar);
    view.cells.forEach(({ color, ink }, index) => {
      cells[index].style.backgroundColor = color;
      cells[index].style.color = ink;
    });
    showNumbers();
    const [row, column] = model.get("_place");
    image.frame(0, view.place ? [row, column, 3, 3] : null);
    response.frame(0, view.place ? [row, column, 1, 1] : null);
    sum.textContent = view.place || "Point at the response to see which sum a number is.";
    limits.textContent = view.limits;
    reading.say(view.reading);
    image.canvas.setAttribute("aria-label", `image of ${image.rows} by ${image.columns} pixels`);
    response.canvas.setAttribute("aria-label", `response: ${view.limits}`);
  }

  show();
  const stop = follow(model, "_view", show);
  return () => {
    stop();
    reading.stop();
  };
}

export default { render };
