// Text of services, which may hold anything, and times as a person reads them.

/** A line of a log without what only a terminal obeys; whatever else would not show is spelled out. */
function logLine(line) {
  // ECMA-48: control sequences, strings up to BEL or ESC \, and single characters after ESC.
  const plain = line.replace(/\u001b(?:\[[^@-~]*[@-~]?|[\]PX^_].*?(?:\u0007|\u001b\\|$)|.?)/gsu, "");
  return plain.split("\t").map(visible).join("\t");
}

/** A time in seconds: `0.35 s`, `12.4 s`. */
function seconds(number) {
  return `${Math.abs(number) < 1 ? number.toFixed(2) : number.toFixed(1)} s`;
}

/** A tag that says whether something is as it should be. */
function result(isGood, good, bad) {
  return el("span", { class: isGood ? "tag tag-good" : "tag tag-error" }, isGood ? good : bad);
}
