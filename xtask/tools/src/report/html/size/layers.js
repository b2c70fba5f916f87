// The list of layers with their instructions, which is the legend of the treemap's colours: a layer that is chosen is all that the
// treemap shows.

/** The square that has a layer's colour. */
function swatch(layer) {
  return el("span", { class: "swatch", style: paint(layer) });
}

/** The instruction that made a layer, as far as the image remembers. */
function instruction(layer) {
  return layer.instruction ? visible(layer.instruction) : "not recorded";
}

/** A layer by its number, in its colour; none for null. */
function layerMark(model, index) {
  const layer = layerOf(model, index);
  if (!layer) return "";
  return el("span", { class: "mark", title: instruction(layer) }, swatch(layer), String(layer.index));
}

/** The list of layers: the image's own, then those of its base. */
function layerList(model, onLayer) {
  const largest = model.layers.reduce((most, layer) => Math.max(most, layer.content_bytes), 1);
  const group = (title, layers, sum) =>
    layers.length === 0
      ? []
      : [
          el("h3", {}, title, el("span", {}, `${count(layers.length, "layer")} · ${bytes(sum)}`)),
          el("ol", {}, ...layers.map((layer) => el("li", {}, layerButton(model, layer, largest, onLayer)))),
        ];
  const { own_bytes: own, base_bytes: base } = model.image;
  const of = (isOwn) => model.layers.filter((layer) => layer.own === isOwn);
  if (model.layers.length === 0) return [el("p", { class: "nothing" }, "This image has no layers.")];
  return [...group("Own", of(true), own), ...group("Base", of(false), base)];
}

/** The share of the largest layer below which a bar would only be a dot. */
const TRACE = 0.002;

function layerButton(model, layer, largest, onLayer) {
  const share = layer.content_bytes / largest;
  const sent = known(layer.transfer_bytes, (size) => `${bytes(size)} sent`);
  const facts = [
    percent(layer.content_bytes, model.image.content_bytes),
    count(layer.files, "file"),
    sent,
    placeOf(layer),
  ];
  return el(
    "button",
    {
      type: "button",
      class: "layer",
      "aria-pressed": "false",
      "data-layer": layer.index,
      style: paint(layer),
      on: { click: () => onLayer(layer.index) },
    },
    el("span", { class: "layer-index" }, String(layer.index)),
    el(
      "code",
      { class: `layer-instruction${layer.instruction ? "" : " layer-unknown"}`, title: instruction(layer) },
      instruction(layer),
    ),
    el("b", { class: "layer-size" }, bytes(layer.content_bytes)),
    share < TRACE
      ? null
      : el("span", { class: "layer-track" }, el("span", { style: { width: `${(share * 100).toFixed(2)}%` } })),
    el("span", { class: "layer-facts" }, facts.filter((fact) => fact !== null).join(" · ")),
  );
}

/** Shows which layer is chosen; null is none. */
function markLayer(root, index) {
  for (const element of root.querySelectorAll("[data-layer]")) {
    const chosen = index !== null && element.dataset.layer === String(index);
    if (element.hasAttribute("aria-pressed")) element.setAttribute("aria-pressed", String(chosen));
    element.classList.toggle("dimmed", index !== null && !chosen);
  }
}
