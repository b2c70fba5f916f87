// What failed: each error with its place, what to do, and everything that was seen, logs included.

/** An article for each error; what the first one has seen is open. */
function errorList(errors) {
  return errors.map((error, at) => article(error, at === 0));
}

/** A line for each thing that should be known although nothing failed. */
function warningList(warnings) {
  return el("ul", {}, ...warnings.map((warning) => el("li", {}, prose(visible(warning)))));
}

function article(error, isOpen) {
  const { service, place } = error;
  const told = [known(service, visible), known(place, ({ file, line }) => visible(line ? `${file}:${line}` : file))];
  return el(
    "article",
    { class: "error" },
    el("h3", {}, el("span", { class: "tag tag-error" }, error.check), " ", prose(visible(error.message))),
    el("p", { class: "where" }, told.filter(Boolean).join(" · ")),
    known(error.help, (help) => el("p", { class: "help" }, prose(visible(help)))),
    ...error.evidence.map((evidence) => evidencePart(evidence, isOpen)),
  );
}

function evidencePart({ title, lines }, isOpen) {
  const summary = el("summary", {}, prose(visible(title)), el("span", { class: "sum" }, count(lines.length, "line")));
  // The keyboard can scroll what has a stop of its own.
  const log = el("pre", { tabindex: "0", role: "group", "aria-label": visible(title) }, lines.map(logLine).join("\n"));
  return el("details", { open: isOpen }, summary, log);
}
