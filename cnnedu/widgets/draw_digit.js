// The drawing pad: reports the pixels of the drawing, paints what the network makes of it.

const PEN = 1 / 14; // of the pad's side: as wide as MNIST's strokes, enlarged

function render({ model, el }) {
  const top = root(el, "Drawing pad");
  const size = model.get("_size");
  const pad = make("canvas", {
    class: "cnnedu-pad",
    width: size,
    height: size,
    tabindex: "0",
    role: "application",
    "aria-label":
      "Pad to draw a digit on. Arrow keys move the pen, with Shift by small steps; " +
      "Space puts it down and lifts it; Delete clears.",
  });
  const paper = pad.getContext("2d", { willReadFrequently: true });
  const cursor = make("div", { class: "cnnedu-cursor", hidden: "" });
  const clear = make("button", { type: "button" }, "Clear");
  const save = make("button", { type: "button" }, "Save");
  const label = select([["", "a digit"], ...[..."0123456789"].map((name) => [name, `a ${name}`])]);
  const reading = new Reading();
  const said = make("p", { class: "cnnedu-said", role: "status" });
  const trouble = make("p", { class: "cnnedu-trouble", role: "alert" });
  const image = new Picture("what the network sees", { longest: 112 });
  const bars = make("div", { class: "cnnedu-bars", role: "list", "aria-label": "Probabilities" });
  const sheets = make("div", { class: "cnnedu-sheets" });
  const over = make("div", { class: "cnnedu-over" }, pad, cursor);
  over.style.width = `${size}px`;
  top.append(
    make(
      "div",
      { class: "cnnedu-row" },
      make(
        "div",
        { class: "cnnedu-picture" },
        make("div", { class: "cnnedu-title" }, "draw a digit"),
        over,
        make("div", { class: "cnnedu-controls" }, clear, save, field("as", label)),
      ),
      make("div", { class: "cnnedu-answer" }, image.element, bars),
    ),
    ...reading.elements,
    said,
    trouble,
    sheets,
  );

  // ---- drawing

  let own = null; // the pixels sent last, to tell them from a drawing that Python sets
  let waiting = false;

  function blank() {
    paper.fillStyle = "white";
    paper.fillRect(0, 0, size, size);
  }

  function line(from, to) {
    paper.strokeStyle = "black";
    paper.lineWidth = PEN * size;
    paper.lineCap = "round";
    paper.lineJoin = "round";
    paper.beginPath();
    paper.moveTo(...from);
    paper.lineTo(...to);
    paper.stroke();
    report();
  }

  /** Send the pixels, at most once per picture that the screen shows. */
  function report() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const { data } = paper.getImageData(0, 0, size, size);
      own = new Uint8Array(size * size);
      for (let i = 0; i < own.length; i++) own[i] = 255 - data[4 * i];
      send(model, { _ink: new DataView(own.buffer) });
    });
  }

  /** Show a drawing that comes from Python (or from another view of this pad). */
  function follow_ink() {
    const ink = model.get("_ink");
    if (own && ink.buffer === own.buffer) return;
    own = null;
    blank();
    if (ink.byteLength !== size * size) return;
    const sheet = paper.getImageData(0, 0, size, size);
    for (let i = 0; i < size * size; i++) sheet.data.fill(255 - ink.getUint8(i), 4 * i, 4 * i + 3);
    paper.putImageData(sheet, 0, 0);
  }

  function empty() {
    blank();
    own = new Uint8Array(0);
    send(model, { _ink: new DataView(own.buffer) });
  }

  // ---- with mouse, pen or finger

  let last = null;

  function place(event) {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) * size) / box.width, ((event.clientY - box.top) * size) / box.height];
  }

  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    pad.focus({ preventScroll: true });
    pad.setPointerCapture(event.pointerId);
    cursor.hidden = true;
    last = place(event);
    line(last, last);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!last) return;
    // A quick pen has been at more places than the screen had time to show.
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length ? passed : [event]) {
      const next = place(each);
      line(last, next);
      last = next;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (last = null));

  // ---- with keys

  let pen = [size / 2, size / 4];
  let down = false;

  function showPen() {
    cursor.hidden = false;
    cursor.classList.toggle("cnnedu-down", down);
    cursor.style.left = `${(100 * pen[0]) / size}%`;
    cursor.style.top = `${(100 * pen[1]) / size}%`;
  }

  pad.addEventListener("keydown", (event) => {
    const move = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (event.key === " ") {
      down = !down;
      if (down) line(pen, pen);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      empty();
    } else if (move) {
      const step = size / (event.shiftKey ? 112 : 28);
      const inside = (value) => Math.min(Math.max(value, 0), size);
      const next = [inside(pen[0] + step * move[0]), inside(pen[1] + step * move[1])];
      if (down) line(pen, next);
      pen = next;
    } else {
      return;
    }
    event.preventDefault();
    showPen();
  });
  pad.addEventListener("blur", () => {
    down = false;
    cursor.hidden = true;
  });

  // ---- the buttons

  clear.addEventListener("click", empty);
  save.addEventListener("click", () => {
    const digit = label.value === "" ? null : Number(label.value);
    send(model, { _saving: { label: digit, time: Date.now() } });
  });

  // ---- what Python answers

  const rows = [];

  function showBars(all) {
    while (rows.length < all.length) {
      const name = make("span", { class: "cnnedu-name" });
      const fill = make("span", { class: "cnnedu-fill" });
      const text = make("span", { class: "cnnedu-percent" });
      const track = make("span", { class: "cnnedu-track" }, fill);
      const row = make("div", { class: "cnnedu-probability", role: "listitem" }, name, track, text);
      rows.push({ name, fill, text, row });
      bars.append(row);
    }
    const best = Math.max(...all.map(({ value }) => value));
    all.forEach(({ name, value, text }, index) => {
      const row = rows[index];
      row.name.textContent = name;
      row.text.textContent = text;
      row.fill.style.width = `${100 * value}%`;
      row.row.classList.toggle("cnnedu-best", value > 0 && value === best);
    });
  }

  const layers = [];

  function showSheets(all) {
    while (layers.length < all.length) {
      layers.push(new Picture("", { longest: 420, edge: false }));
      sheets.append(layers[layers.length - 1].element);
    }
    layers.forEach((layer, index) => {
      layer.element.hidden = index >= all.length;
      if (index >= all.length) return;
      const { caption, ...panel } = all[index];
      const most = panel.rows > 4 ? 6 : 16; // the units of a dense layer are single numbers
      const zoom = Math.min(most, Math.floor(420 / panel.columns), Math.floor(150 / panel.rows));
      layer.paint(panel, Math.max(1, zoom));
      layer.title.textContent = caption;
      layer.canvas.setAttribute("aria-label", caption);
    });
  }

  function show() {
    const view = model.get("_view");
    trouble.textContent = view.trouble ?? "";
    said.textContent = view.said ?? "";
    if (!view.bars) return;
    image.element.style.visibility = view.image ? "visible" : "hidden";
    if (view.image) image.paint(view.image);
    showBars(view.bars);
    showSheets(view.sheets);
    reading.say(view.reading);
  }

  blank();
  follow_ink();
  image.paint({ rows: 28, columns: 28, pixels: new DataView(new ArrayBuffer(4 * 28 * 28)) });
  show();
  const stops = [follow(model, "_view", show), follow(model, "_ink", follow_ink)];
  return () => {
    stops.forEach((stop) => stop());
    reading.stop();
  };
}

export default { render };
