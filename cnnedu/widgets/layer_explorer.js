// The layer explorer: reports which layer, unit and image, paints what Python answers.

function render({ model, el }) {
  const top = root(el, "Layer explorer");
  const sizes = model.get("_layers");
  const layer = select(Object.entries(sizes).map(([name, units]) => [name, `${name} (${units} maps)`]));
  const unit = dial("_unit");
  const image = dial("_image");
  const strongest = make("button", { type: "button" }, "Image that excites it most");
  const picture = new Picture("image");
  const kernel = new Picture("kernel", { longest: 200, edge: false });
  const map = new Picture("map of the unit");
  const patch = new Picture("its strongest patch", { longest: 140 });
  const bar = new Bar();
  const maps = new Picture("all maps of the layer: click one to choose it", { longest: 720, edge: false });
  const reading = new Reading();
  const trouble = make("p", { class: "cnnedu-trouble", role: "alert" });
  top.append(
    make(
      "div",
      { class: "cnnedu-controls" },
      field("Layer", layer),
      unit.element("Unit"),
      image.element("Image"),
      strongest,
    ),
    make("div", { class: "cnnedu-row" }, picture.element, kernel.element, map.element, patch.element),
    ...reading.elements,
    trouble,
    maps.element,
  );
  map.below.append(make("span"), bar.element);

  /** A number to type and a slider to pull, both for one trait. */
  function dial(trait) {
    const number = make("input", { type: "number", min: 0, step: 1 });
    const slider = make("input", { type: "range", min: 0, step: 1 });
    for (const input of [number, slider]) {
      input.addEventListener("input", () => {
        const value = Math.round(Number(input.value));
        const fits = input.value !== "" && value >= 0 && value <= Number(input.max);
        number.toggleAttribute("aria-invalid", !fits);
        if (fits && value !== model.get(trait)) send(model, { [trait]: value });
      });
    }
    return {
      element(name) {
        slider.setAttribute("aria-label", `${name}, slider`);
        const both = field(name, number);
        return make("div", { class: "cnnedu-dial" }, both, slider);
      },
      show(value, last) {
        number.max = slider.max = last;
        slider.value = value;
        if (document.activeElement !== number || Number(number.value) !== value) number.value = value;
        number.removeAttribute("aria-invalid");
      },
    };
  }

  layer.addEventListener("change", () => {
    // Another layer may have fewer units.
    const last = sizes[layer.value] - 1;
    send(model, { _layer: layer.value, _unit: Math.min(model.get("_unit"), last) });
  });
  strongest.addEventListener("click", () => send(model, { _strongest: model.get("_strongest") + 1 }));

  // ---- choosing a map

  let sheet = null;
  maps.over.setAttribute("tabindex", "0");
  maps.over.setAttribute("role", "application");
  maps.over.setAttribute("aria-label", "All maps of the layer: arrow keys choose the unit");
  maps.over.addEventListener("pointerdown", (event) => {
    const [row, column] = maps.place(event);
    const across = Math.floor(column / (sheet.width + sheet.gap));
    const chosen = Math.floor(row / (sheet.height + sheet.gap)) * sheet.across + across;
    if (chosen < sheet.count) send(model, { _unit: chosen });
  });
  maps.over.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -sheet.across, ArrowDown: sheet.across }[event.key];
    if (!steps) return;
    event.preventDefault();
    const chosen = model.get("_unit") + steps;
    if (chosen >= 0 && chosen < sheet.count) send(model, { _unit: chosen });
  });

  // ---- what Python answers

  function show() {
    const view = model.get("_view");
    trouble.textContent = view.trouble ?? "";
    layer.value = model.get("_layer");
    if (!view.image) return;
    unit.show(view.unit, sizes[layer.value] - 1);
    image.show(model.get("_image"), model.get("_count") - 1);
    picture.paint(view.image);
    picture.frame(0, view.image.frame);
    picture.title.textContent = `image ${model.get("_image")}`;
    map.paint(view.map);
    map.frame(0, view.map.frame);
    map.title.textContent = `map ${view.unit} of ${layer.value}`;
    map.below.firstChild.textContent = view.sizes;
    bar.paint(view.bar);
    patch.paint(view.patch);
    kernel.canvas.hidden = !view.kernel;
    if (view.kernel) kernel.paint(view.kernel);
    kernel.below.textContent = view.kernelText;
    sheet = view.maps;
    maps.element.hidden = sheet.count < 2;
    maps.paint(sheet, Math.max(1, Math.min(8, Math.floor(720 / sheet.columns), Math.floor(200 / sheet.rows))));
    const across = view.unit % sheet.across;
    const down = Math.floor(view.unit / sheet.across);
    const [height, width] = [sheet.height + sheet.gap, sheet.width + sheet.gap];
    maps.frame(0, view.unit < sheet.count ? [down * height, across * width, sheet.height, sheet.width] : null);
    reading.say(view.reading);
    picture.canvas.setAttribute("aria-label", `image ${model.get("_image")}, with a frame around what the unit sees`);
    map.canvas.setAttribute("aria-label", `map ${view.unit} of ${layer.value}, ${view.sizes}`);
    kernel.canvas.setAttribute("aria-label", `kernel: ${view.kernelText}`);
  }

  show();
  const stop = follow(model, "_view", show);
  return () => {
    stop();
    reading.stop();
  };
}

export default { render };
