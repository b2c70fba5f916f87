// What the report lists beside the tree: findings, waste, the largest files, packages, growth. Each is a table of what the
// filter lets through; a path leads to its place in the treemap.

/** A path that leads to its tile. */
function pathLink(path, onPath) {
  return el("button", { type: "button", class: "path", on: { click: () => onPath(path) } }, visible(path));
}

/** Whether a filter lets an entry through: its layers, and the texts that say what it is. */
function passes({ layer, query }, layers, texts) {
  const wanted = query.toLowerCase();
  const named =
    wanted === "" ||
    texts.some((text) =>
      String(text ?? "")
        .toLowerCase()
        .includes(wanted),
    );
  return named && (layer === null || layers.includes(layer));
}

/** How many findings there are. */
function findingSum({ findings }) {
  const of = (level) => findings.filter((finding) => finding.level === level).length;
  return `${count(of("error"), "error")} · ${count(of("warning"), "warning")}`;
}

/** How much is wasted. */
function wasteSum({ wasted_bytes: wasted, content_bytes: content }) {
  return `${bytes(wasted)} · ${percent(wasted, content)} of the content`;
}

/** Findings, each with what mends it. */
function findingList(model, filter, onPath) {
  const shown = model.image.findings.filter((one) => passes(filter, [one.layer], [one.path, one.rule, one.message]));
  if (shown.length === 0) return [el("p", { class: "nothing" }, "No finding passes the filter.")];
  const list = el("ul", { class: "findings" });
  return [list, unroll(list, shown, (one) => finding(model, one, onPath))];
}

function finding(model, one, onPath) {
  const deleted = one.deleted ? el("span", { class: "tag" }, "deleted later, still in the image") : null;
  return el(
    "li",
    { class: `finding finding-${one.level}` },
    el("p", { class: "finding-head" }, el("span", { class: "level" }, one.level), el("b", {}, one.rule), deleted),
    el("p", {}, prose(one.message)),
    el(
      "p",
      { class: "finding-place" },
      one.path ? pathLink(one.path, onPath) : null,
      layerMark(model, one.layer),
      known(one.instruction, (text) => el("code", {}, visible(text))),
      known(placeOf(one), (place) => el("span", {}, place)),
    ),
    known(one.fix, (text) => el("p", { class: "fix" }, prose(text))),
  );
}

/** Bytes that serve nothing, with the layers that brought them and that hide them. */
function wasteTable(model, filter, onPath) {
  const rows = model.image.waste.filter((one) => passes(filter, [one.layer, one.by_layer], [one.path, one.kind]));
  const most = mostBytes(rows);
  const by = (layer) => el("span", { class: "by" }, " → ", layerMark(model, layer));
  const same = (path) => el("span", { class: "same" }, " of ", pathLink(path, onPath));
  const columns = [
    {
      name: "path",
      cell: (one) =>
        el("span", {}, pathLink(one.path, onPath), " ", el("span", { class: "tag" }, one.kind), known(one.of, same)),
    },
    { name: "layer", cell: (one) => el("span", {}, layerMark(model, one.layer), known(one.by_layer, by)) },
    { name: "size", number: true, cell: (one) => meter(bytes(one.bytes), one.bytes, most) },
  ];
  return table(columns, rows, "Nothing is overwritten, deleted, doubled or left behind.");
}

/** The largest files. */
function largestTable(model, filter, onPath) {
  const rows = model.image.largest.filter((one) => passes(filter, [one.layer], [one.path]));
  const most = mostBytes(rows);
  const columns = [
    { name: "path", cell: (one) => pathLink(one.path, onPath) },
    { name: "layer", cell: (one) => layerMark(model, one.layer) },
    { name: "size", number: true, cell: (one) => meter(bytes(one.bytes), one.bytes, most) },
  ];
  return table(columns, rows, "No file passes the filter.");
}

/** Packages of whatever managers left a record, the largest first. */
function packageTable(model, filter) {
  const rows = model.image.packages.filter((one) =>
    passes({ ...filter, layer: null }, [], [one.name, one.kind, one.version]),
  );
  const sorted = rows.sort((a, b) => b.bytes - a.bytes);
  const columns = [
    { name: "package", cell: (one) => el("span", {}, `${visible(one.name)} `, el("span", { class: "tag" }, one.kind)) },
    { name: "version", cell: (one) => el("code", {}, visible(one.version)) },
    { name: "size", number: true, cell: (one) => meter(bytes(one.bytes), one.bytes, sorted[0].bytes) },
  ];
  return table(columns, sorted, "No package passes the filter.");
}
