// What changed since a baseline: paths, packages and instructions, the largest changes first.

/** The parts of the growth section. */
function growthParts(model, filter, onPath) {
  const { growth } = model.image;
  const way = growth.bytes > 0 ? "grown" : growth.bytes < 0 ? "shrunk" : "even";
  return [
    el(
      "p",
      { class: `growth-sum growth-${way}` },
      el("b", {}, signedBytes(growth.bytes)),
      ` ${percentChange(growth.percent)} against `,
      el("code", {}, visible(growth.baseline)),
    ),
    changes(growth.paths, filter, {
      name: "path",
      texts: (one) => [one.path],
      cell: (one) => pathLink(one.path, onPath),
    }),
    changes(growth.packages, filter, { name: "package", texts: (one) => [one.name, one.kind], cell: packageChange }),
    changes(growth.instructions, filter, {
      name: "instruction",
      texts: (one) => [one.instruction],
      cell: (one) => el("code", {}, visible(one.instruction)),
    }),
  ];
}

function changes(all, filter, { name, texts, cell }) {
  const rows = all.filter((one) => passes({ ...filter, layer: null }, [], texts(one)));
  const difference = (one) => (one.after ?? 0) - (one.before ?? 0);
  rows.sort((a, b) => Math.abs(difference(b)) - Math.abs(difference(a)));
  const columns = [
    { name, cell },
    { name: "before", number: true, cell: (one) => sizeOrNone(one.before) },
    { name: "after", number: true, cell: (one) => sizeOrNone(one.after) },
    { name: "change", number: true, cell: (one) => changeMark(difference(one), Math.abs(difference(rows[0]))) },
  ];
  return rows.length > 0 ? table(columns, rows) : null;
}

/** A size; a dash for what was not, or is no longer, there. */
function sizeOrNone(size) {
  return size ? bytes(size) : "–";
}

function changeMark(difference, largest) {
  const mark = meter(signedBytes(difference), difference, largest);
  mark.classList.add(difference > 0 ? "up" : "down");
  return mark;
}

function packageChange(one) {
  const versions = [one.before_version, one.after_version].filter((version) => version);
  const told = versions.length === 2 && versions[0] === versions[1] ? versions.slice(1) : versions;
  return el(
    "span",
    {},
    `${visible(one.name)} `,
    el("span", { class: "tag" }, one.kind),
    " ",
    el("code", {}, told.map(visible).join(" → ")),
  );
}
