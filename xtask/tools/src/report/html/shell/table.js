// Tables, and lists that show their first entries and, when asked, all of them.

/** How many entries are shown before one asks for all. */
const FIRST = 10;

/** Puts the first of many things into an element; gives the button that brings the others, or null if there are none. */
function unroll(host, things, make) {
  const show = (some) => host.append(...some.map(make));
  show(things.slice(0, FIRST));
  if (things.length <= FIRST) return null;
  const more = el("button", { type: "button", class: "more" }, `Show all ${things.length.toLocaleString("en")}`);
  more.addEventListener("click", () => {
    show(things.slice(FIRST));
    more.remove();
  });
  return more;
}

/** A table. Columns are `{name, cell(row), number?}`; `cell` gives an element or text. `empty` stands there when no row does. */
function table(columns, rows, empty) {
  if (rows.length === 0) return el("p", { class: "nothing" }, empty);
  const kind = (column) => (column.number ? "number" : null);
  const heads = columns.map((column) => el("th", { scope: "col", class: kind(column) }, column.name));
  const cells = (row) => columns.map((column) => el("td", { class: kind(column) }, column.cell(row)));
  const body = el("tbody");
  const more = unroll(body, rows, (row) => el("tr", {}, ...cells(row)));
  return el("div", { class: "table" }, el("table", {}, el("thead", {}, el("tr", {}, ...heads)), body), more);
}

/** A number of bytes with a bar that shows its share of the largest. */
function meter(text, part, whole) {
  const share = whole > 0 ? Math.min(1, Math.abs(part) / whole) : 0;
  return el("span", { class: "meter", style: { "--share": share.toFixed(4) } }, text);
}

/** The most bytes of any row; 0 where there is none. */
function mostBytes(rows) {
  return rows.reduce((most, row) => Math.max(most, row.bytes), 0);
}
