// Puts the page together. What the verdict does not have is not shown.

/** Shows a section with what is in it, unless there is nothing. */
function section(name, list, things, make) {
  if (!things || things.length === 0) return;
  byId(name).hidden = false;
  fill(byId(list), make(things));
}

/** What a sample says, in words. */
function sampleStory({ memory }, at) {
  const parts = memory.services.map((service) => known(service.sampled_bytes[at], (used) => `${visible(service.service)} ${bytes(used)}`));
  const told = `at ${seconds(memory.sampled_seconds[at])}: ${bytes(memory.sampled_bytes[at])}`;
  return [told, ...parts.filter(Boolean)].join(" · ");
}

/** Shows the rows of the timeline and its axis. */
function showTimeline(verdict) {
  const end = lastMoment(verdict);
  const tell = (said) => {
    byId("row-told").textContent = said;
  };
  section("timeline", "rows", verdict.services, (services) => timelineRows(services, end, tell));
  fill(byId("axis"), ...axisMarks(end));
}

/** Shows memory over time and by service. */
function showMemory(verdict) {
  const { memory } = verdict;
  const tell = (at) => {
    byId("sample-told").textContent = sampleStory(verdict, at);
    return byId("sample-told").textContent;
  };
  byId("memory").hidden = false;
  byId("memory-sum").textContent = known(memory.budget_bytes, (budget) => `budget ${bytes(budget)}`) ?? "no budget";
  fill(byId("chart"), memoryChart(memory, lastMoment(verdict), tell));
  fill(byId("memory-list"), memoryTable(memory));
}

document.title = `${report.passed ? "passed" : "failed"}: ${visible(report.stack)} · smoke test`;
fill(byId("summary"), ...summaryOf(report));
section("errors", "error-list", report.errors, errorList);
byId("error-sum").textContent = String(report.errors.length);
section("warnings", "warning-list", report.warnings, warningList);
showTimeline(report);
if (report.memory) showMemory(report);
section("probes", "probe-list", report.probes, probeTable);
byId("probe-sum").textContent = `${report.probes.filter((probe) => probe.passed).length} of ${report.probes.length} passed`;
section("runtime", "runtime-list", report.runtime, runtimeTable);
section("chaos", "chaos-list", report.chaos, chaosTable);
section("stops", "stop-list", report.stops, stopTable);
section("in-flight", "in-flight-list", report.in_flight, probeTable);
section("images", "image-list", report.images, imageTable);
