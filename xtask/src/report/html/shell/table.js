// Tables that show their first rows and, when asked, all of them.

/** How many rows a table shows before it is asked for all. */
const FIRST_ROWS = 10;

/**
 * A table. Columns are `{name, cell(row), number?}`; `cell` gives an element or text. `empty` stands there when no row does.
 */
function table(columns, rows, empty) {
  if (rows.length === 0) return el("p", { class: "nothing" }, empty);
  const body = el("tbody");
  const show = (shown) => body.append(...shown.map((row) => tableRow(columns, row)));
  show(rows.slice(0, FIRST_ROWS));
  const heads = columns.map((column) =>
    el("th", { scope: "col", class: column.number ? "number" : null }, column.name),
  );
  const whole = el("div", { class: "table" }, el("table", {}, el("thead", {}, el("tr", {}, ...heads)), body));
  if (rows.length > FIRST_ROWS) {
    const more = el("button", { type: "button", class: "more" }, `Show all ${rows.length.toLocaleString("en")}`);
    more.addEventListener("click", () => {
      show(rows.slice(FIRST_ROWS));
      more.remove();
    });
    whole.append(more);
  }
  return whole;
}

function tableRow(columns, row) {
  const cells = columns.map((column) => el("td", { class: column.number ? "number" : null }, column.cell(row)));
  return el("tr", {}, ...cells);
}

/** A number of bytes behind which a bar shows its share of the largest. */
function meter(text, part, whole) {
  const share = whole > 0 ? Math.min(1, Math.abs(part) / whole) : 0;
  return el("span", { class: "meter", style: { "--share": share.toFixed(4) } }, text);
}
