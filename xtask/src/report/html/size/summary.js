// The head of the page: which images there are, and what the one on view costs.

/** The images to choose from, one tab each; nothing where there is no choice. `onImage(position)` is called for the one chosen. */
function imageTabs(images, onImage) {
  if (images.length < 2) return [];
  const tabs = images.map((image, position) =>
    el(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${position}`,
        "aria-controls": "image",
        on: { click: () => onImage(position) },
      },
      el("span", { class: "tab-name" }, visible(image.service ?? image.reference)),
      el("span", { class: "tab-size" }, bytes(image.content_bytes)),
      worstOf(image) === null
        ? null
        : el("span", { class: `dot dot-${worstOf(image)}` }, worstOf(image) === "error" ? "fails" : "warnings"),
    ),
  );
  for (const tab of tabs) tab.addEventListener("keydown", (event) => rove(event, tabs)?.click());
  return tabs;
}

/** Marks the tab of the image on view, and what it shows as its panel. */
function markTab(tabs, panel, position) {
  if (tabs.children.length === 0) return;
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", `tab-${position}`);
  [...tabs.children].forEach((tab, at) => {
    tab.setAttribute("aria-selected", String(at === position));
    tab.tabIndex = at === position ? 0 : -1;
  });
}

/** The worst that is to say of an image: `error`, `warning`, or null. */
function worstOf(image) {
  const has = (level) => image.findings.some((finding) => finding.level === level);
  if (image.over_bytes > 0 || has("error")) return "error";
  return has("warning") ? "warning" : null;
}

/** What an image is, and what it costs. */
function summary(model, onLayer) {
  const { image } = model;
  const id = image.id.replace(/^sha256:/, "").slice(0, 12);
  const tags = [image.service && `service ${image.service}`, image.platform, id];
  return [
    el("h1", {}, visible(image.reference)),
    el(
      "p",
      { class: "tags" },
      ...tags.filter((tag) => tag).map((tag) => el("span", { class: "tag" }, visible(tag))),
      image.stand_in ? el("span", { class: "tag tag-warning" }, "rests on a stand-in") : null,
    ),
    el("p", { class: "cost" }, el("strong", {}, bytes(image.content_bytes)), verdict(image)),
    layerBar(model, onLayer),
    el(
      "dl",
      { class: "figures" },
      ...figures(image).map((figure) =>
        el("div", {}, el("dt", {}, figure.name), el("dd", {}, figure.value), el("dd", { class: "note" }, figure.note)),
      ),
    ),
  ];
}

/** How the content stands to the budget. */
function verdict({ content_bytes: content, budget_bytes: budget, over_bytes: over }) {
  if (budget === null || budget === undefined) return el("span", { class: "verdict" }, "no budget");
  if (over > 0)
    return el(
      "span",
      { class: "verdict verdict-over" },
      el("b", {}, `${bytes(over)} over`),
      ` the budget of ${bytes(budget)}`,
    );
  return el(
    "span",
    { class: "verdict verdict-under" },
    `of a budget of ${bytes(budget)}, `,
    el("b", {}, `${bytes(budget - content)} free`),
  );
}

/** What there is to know in numbers. */
function figures(image) {
  const { content_bytes: content, transfer_bytes: sent, growth } = image;
  const known = sent !== null && sent !== undefined;
  return [
    {
      name: "to transfer",
      value: known ? bytes(sent) : "unknown",
      note: known ? `${percent(sent, content)} of the content` : "compressed layers are not at hand",
    },
    { name: "own layers", value: bytes(image.own_bytes), note: percent(image.own_bytes, content) },
    { name: "base", value: bytes(image.base_bytes), note: percent(image.base_bytes, content) },
    {
      name: "wasted",
      value: bytes(image.wasted_bytes),
      note: `${percent(image.wasted_bytes, content)}, never seen by a container`,
    },
    ...(growth
      ? [
          {
            name: "growth",
            value: signedBytes(growth.bytes),
            note: `${percentChange(growth.percent)} since ${visible(growth.baseline)}`,
          },
        ]
      : []),
    { name: "files", value: image.files.toLocaleString("en"), note: `in ${count(image.layers.length, "layer")}` },
  ];
}
