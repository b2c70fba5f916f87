// Puts the page together: what is chosen decides what every part shows. Parts call back with what a person asks for.

/** The model on view, and the filter it was last weighed and listed by. */
const view = { model: null, position: null, filter: null };

const map = treemap(byId("map"), (folder) => ask({ path: folder.path }));

/** Changes the choice and shows it. */
function ask(change, quietly = false) {
  choose(change, quietly);
  show();
}

/** Chooses a layer, or none where it was chosen already. */
function askLayer(index) {
  ask({ layer: chosen().layer === index ? null : index });
}

/** Leads to a path's tile. */
function reveal(path) {
  const node = nearest(view.model, path);
  ask({ path: (node.children ? node : node.parent).path });
  byId("tree").scrollIntoView({ block: "start", behavior: isStill() ? "instant" : "smooth" });
  map.focusOn(node);
}

/** Shows what is chosen. */
function show() {
  const choice = chosen();
  const position = Math.min(choice.image, report.images.length - 1);
  if (view.position !== position) showImage(position);
  const { model } = view;
  const filter = { layer: layerOf(model, choice.layer) ? choice.layer : null, query: choice.query };
  if (view.filter?.layer !== filter.layer || view.filter?.query !== filter.query) showFiltered(filter);
  const found = nearest(model, choice.path);
  const folder = found.children ? found : (found.parent ?? found);
  map.show(model, folder);
  fill(byId("path"), ...crumbs(folder));
  tell(folder, filter);
}

/** Shows another image. */
function showImage(position) {
  const model = modelOf(report.images[position]);
  Object.assign(view, { model, position, filter: null });
  document.title = `${visible(model.image.reference)} · image size`;
  markTab(byId("images"), byId("image"), position);
  fill(byId("summary"), ...summary(model, askLayer));
  fill(byId("layer-list"), ...layerList(model, askLayer));
  byId("findings").hidden = model.image.findings.length === 0;
  byId("packages").hidden = model.image.packages.length === 0;
  byId("growth").hidden = !model.image.growth;
  fill(byId("finding-sum"), findingSum(model.image));
  fill(byId("waste-sum"), wasteSum(model.image));
  fill(byId("package-sum"), model.image.packages.length.toLocaleString("en"));
}

/** Shows what a filter lets through. */
function showFiltered(filter) {
  const { model } = view;
  view.filter = filter;
  weigh(model, filter.layer, filter.query);
  map.forget();
  markLayer(byId("image"), filter.layer);
  if (byId("search").value.trim() !== filter.query) byId("search").value = filter.query;
  fill(byId("finding-list"), ...findingList(model, filter, reveal));
  fill(byId("waste-list"), wasteTable(model, filter, reveal));
  fill(byId("largest-list"), largestTable(model, filter, reveal));
  fill(byId("package-list"), packageTable(model, filter));
  if (model.image.growth) fill(byId("growth-list"), ...growthParts(model, filter, reveal));
}

/** The folders above one, each a step back. */
function crumbs(folder) {
  const way = [];
  for (let at = folder; at; at = at.parent) way.unshift(at);
  return way.map((at) => {
    const name = at.parent ? visible(at.name) : "/";
    const crumb =
      at === folder
        ? el("span", { "aria-current": "location" }, name)
        : el("button", { type: "button", on: { click: () => ask({ path: at.path }) } }, name);
    return el("li", {}, crumb);
  });
}

/** Says what the treemap shows, to the eye and to a reader of the screen. */
function tell(folder, { layer, query }) {
  const { model } = view;
  const told = [`${bytes(folder.weight)} · ${percent(folder.weight, model.root.bytes)} of the files`];
  if (query !== "") told.push(`“${visible(query)}”`);
  const clear =
    layer === null
      ? null
      : el(
          "button",
          { type: "button", class: "clear", on: { click: () => ask({ layer: null }) } },
          `layer ${layer} only ✕`,
        );
  fill(byId("told"), told.join(" · "), clear);
  byId("said").textContent =
    `${visible(folder.path)}: ${told.join(", ")}, ${count(entries(folder).length, "entry", "entries")}`;
}

byId("search").addEventListener("input", (event) => ask({ query: event.target.value.trim() }, true));
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  byId("search").focus();
});
// A printed page has another width than the window, and is drawn before it is measured.
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("printing");
  map.redraw();
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("printing");
  map.redraw();
});
addEventListener("popstate", show);

if (report.images.length === 0) {
  fill(byId("image"), el("p", { class: "nothing" }, "The report has no image."));
} else {
  const tabs = imageTabs(report.images, (position) => ask({ image: position, path: "/", layer: null }));
  fill(byId("images"), ...tabs);
  byId("images").hidden = tabs.length === 0;
  show();
}
