// What is told about a tile while it is pointed at or has the focus. A reader of the screen has the tile's own label instead.

/** How far from the pointer it stands, and the least distance to the window's edge, in pixels. */
const AWAY = 16;
const EDGE = 8;

/** A tooltip: `show(model, node, point)` beside a point of the window, and `hide()`. */
function tooltip() {
  const element = el("div", { class: "tip", "aria-hidden": "true", popover: "manual" });
  let told = null;

  function show(model, node, { x, y }) {
    if (told !== node) fill(element, ...about(model, node));
    told = node;
    if (!element.matches(":popover-open")) element.showPopover();
    const { width, height } = element.getBoundingClientRect();
    const left = x + AWAY + width + EDGE > innerWidth ? x - AWAY - width : x + AWAY;
    const top = y + AWAY + height + EDGE > innerHeight ? y - AWAY - height : y + AWAY;
    element.style.left = `${Math.max(EDGE, left)}px`;
    element.style.top = `${Math.max(EDGE, top)}px`;
  }

  function hide() {
    told = null;
    if (element.matches(":popover-open")) element.hidePopover();
  }

  return { element, show, hide };
}

function about(model, pointed) {
  const node = chainEnd(pointed);
  const layer = layerOf(model, node.layer);
  const what = node.children || node.rest ? ` · ${count(node.tally, "file")}` : "";
  const mostly = node.children || node.rest ? "mostly layer" : "layer";
  return [
    el(
      "p",
      { class: "tip-path" },
      node.rest ? `${count(node.tally, "smaller file")} in ${visible(node.parent.path)}` : visible(node.path),
    ),
    el("p", {}, el("b", {}, bytes(node.weight)), ` · ${percent(node.weight, model.root.bytes)} of the image${what}`),
    layer &&
      el("p", { class: "tip-layer" }, swatch(layer), `${mostly} ${layer.index} · `, el("code", {}, instruction(layer))),
  ];
}
