// The head of the page: the verdict, what it is about, and the figures.

/** The verdict and the figures of a report. */
function summaryOf(verdict) {
  const { probes, stops, errors, memory, services } = verdict;
  const passed = probes.filter((probe) => probe.passed).length;
  const clean = stops.filter((stop) => stop.clean).length;
  const restarts = services.reduce((sum, service) => sum + service.restarts, 0);
  const budget = memory ? known(memory.budget_bytes, bytes) : null;
  const figures = [
    figure("healthy in", known(verdict.healthy_seconds, seconds) ?? "never", known(verdict.floor_seconds, (floor) => `floor ${seconds(floor)}`)),
    figure("probes passed", probes.length ? `${passed} of ${probes.length}` : "none made"),
    memory ? figure("memory, settled", bytes(memory.settled_bytes), budget && `of ${budget}`) : null,
    memory ? known(memory.peak_bytes, (peak) => figure("memory, peak", bytes(peak), budget && `of ${budget}`)) : null,
    stops.length ? figure("stopped cleanly", `${clean} of ${stops.length}`) : null,
    figure("restarts", String(restarts)),
    figure("errors", String(errors.length)),
    figure("in all", seconds(verdict.seconds)),
  ];
  const about = [verdict.environment, ...verdict.files, `project ${verdict.project}`].map(visible).join(" · ");
  return [
    el("p", { class: "verdict" }, result(verdict.passed, "passed", "failed")),
    el("h1", {}, visible(verdict.stack)),
    el("p", { class: "about" }, about),
    el("dl", { class: "figures" }, ...figures),
  ];
}

function figure(name, value, more = null) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value, more ? el("span", { class: "sum" }, more) : null));
}
