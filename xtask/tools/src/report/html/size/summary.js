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
  const services = image.services ?? [image.service].filter((name) => name);
  const tags = [
    services.length > 0 && `${services.length === 1 ? "service" : "services"} ${services.join(", ")}`,
    image.platform,
    id,
  ];
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
  const told = (kind, ...parts) => el("span", { class: `verdict verdict-${kind}` }, ...parts);
  if (known(budget, bytes) === null) return told("none", "no budget");
  if (over > 0) return told("over", el("b", {}, `${bytes(over)} over`), ` the budget of ${bytes(budget)}`);
  return told("under", `of a budget of ${bytes(budget)}, `, el("b", {}, `${bytes(budget - content)} free`));
}

/** What there is to know in numbers. */
function figures(image) {
  const { content_bytes: content, transfer_bytes: sent } = image;
  const share = (size) => percent(size, content);
  const figure = (name, value, note) => ({ name, value, note });
  const change = ({ bytes: size, percent: part, baseline }) =>
    figure("growth", signedBytes(size), `${percentChange(part)} since ${visible(baseline)}`);
  return [
    known(sent, (size) => figure("to transfer", bytes(size), `${share(size)} of the content`)) ??
      figure("to transfer", "unknown", "the layers are not packed: --transfer tells"),
    figure("own layers", bytes(image.own_bytes), share(image.own_bytes)),
    figure("base", bytes(image.base_bytes), share(image.base_bytes)),
    figure("wasted", bytes(image.wasted_bytes), `${share(image.wasted_bytes)} of the content`),
    known(image.growth, change),
    figure("files", image.files.toLocaleString("en"), `in ${count(image.layers.length, "layer")}`),
  ].filter((one) => one !== null);
}
