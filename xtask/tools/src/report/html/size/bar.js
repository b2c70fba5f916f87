// The bar of an image: its layers side by side in their colours, against the budget. The list of layers has the same for the keys.

/** The bar. A budget that is larger than the image leaves it partly empty; what is beyond the budget is hatched. */
function layerBar(model, onLayer) {
  const { content_bytes: content, budget_bytes: budget } = model.image;
  const whole = Math.max(content, budget ?? 0, 1);
  const at = (number) => `${((number / whole) * 100).toFixed(3)}%`;
  const parts = model.layers.map((layer) => barPart(layer, at(layer.content_bytes), onLayer));
  const over = known(budget, (limit) =>
    content > limit ? el("span", { class: "over", style: { left: at(limit) } }) : null,
  );
  const mark = known(budget, (limit) => budgetMark(limit, limit < whole / 2, at(limit)));
  const told = [
    `${bytes(content)} in ${count(model.layers.length, "layer")}`,
    known(budget, (limit) => `budget ${bytes(limit)}`),
  ];
  const label = told.filter((part) => part !== null).join(", ");
  return el(
    "div",
    { class: "bar", role: "img", "aria-label": label },
    el("div", { class: "parts" }, ...parts),
    over,
    mark,
  );
}

function barPart(layer, width, onLayer) {
  return el("span", {
    class: "part",
    title: `layer ${layer.index} · ${bytes(layer.content_bytes)} · ${instruction(layer)}`,
    "data-layer": layer.index,
    style: { width, ...paint(layer) },
    on: { click: () => onLayer(layer.index) },
  });
}

/** Where the budget ends. Its name stands on the side where there is more room. */
function budgetMark(limit, isLow, left) {
  return el("span", { class: `limit${isLow ? " limit-low" : ""}`, style: { left } }, `budget ${bytes(limit)}`);
}
