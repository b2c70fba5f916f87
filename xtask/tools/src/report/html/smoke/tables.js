// The tables: probes, memory by service, what is in force, how services stopped, what ran.

/** Probes; those that failed come first. */
function probeTable(probes) {
  const rows = [...probes].sort((a, b) => Number(a.passed) - Number(b.passed));
  const lines = (text) => el("span", { class: "lines" }, prose(text.split("\n").map(logLine).join("\n")));
  const columns = [
    { name: "", cell: (row) => result(row.passed, "passed", "failed") },
    { name: "service", cell: (row) => visible(row.service) },
    { name: "probe", cell: (row) => known(row.port, (port) => `${visible(row.what)} on port ${port}`) ?? visible(row.what) },
    { name: "expected", cell: (row) => lines(row.expected) },
    { name: "actual", cell: (row) => lines(row.actual) },
    { name: "tries", number: true, cell: (row) => String(row.tries) },
    { name: "took", number: true, cell: (row) => seconds(row.seconds) },
  ];
  return table(columns, rows, "No probe was made.");
}

/** Memory by service, the hungriest first. */
function memoryTable({ services }) {
  const rows = [...services].sort((a, b) => (b.peak_bytes ?? b.settled_bytes) - (a.peak_bytes ?? a.settled_bytes));
  const most = rows.reduce((most, row) => Math.max(most, row.peak_bytes ?? 0), 0);
  const columns = [
    { name: "service", cell: (row) => visible(row.service) },
    { name: "settled", number: true, cell: (row) => bytes(row.settled_bytes) },
    { name: "peak", number: true, cell: (row) => known(row.peak_bytes, (peak) => meter(bytes(peak), peak, most)) ?? "unknown" },
  ];
  return table(columns, rows, "No service was seen.");
}

/** What is in force for each container. */
function runtimeTable(rows) {
  const columns = [
    { name: "service", cell: (row) => visible(row.service) },
    { name: "user", number: true, cell: (row) => String(row.uid) },
    { name: "root file system", cell: (row) => (row.read_only ? "read-only" : "writable") },
    { name: "can gain privileges", cell: (row) => (row.no_new_privileges ? "no" : "yes") },
    { name: "capabilities", cell: (row) => row.capabilities.join(", ") || "none" },
    { name: "memory limit", number: true, cell: (row) => known(row.memory_limit_bytes, bytes) ?? "none" },
    { name: "processors", number: true, cell: (row) => known(row.processors_limit, String) ?? "any" },
    { name: "processes", number: true, cell: (row) => known(row.processes_limit, String) ?? "any" },
    { name: "log", cell: (row) => `${row.log_driver}${row.log_limited ? "" : ", without a limit"}` },
  ];
  return table(columns, rows, "");
}

/** What became of each data service's being away. */
function chaosTable(trials) {
  const columns = [
    { name: "", cell: (row) => result(row.passed, "passed", "failed") },
    { name: "service", cell: (row) => visible(row.service) },
    { name: "by", cell: (row) => row.blow },
    { name: "not ready after", number: true, cell: (row) => known(row.unready_seconds, seconds) ?? "" },
    { name: "well again after", number: true, cell: (row) => known(row.recovered_seconds, seconds) ?? "never" },
  ];
  return table(columns, trials, "");
}

/** How services stopped, the slowest first. */
function stopTable(stops) {
  const columns = [
    { name: "", cell: (row) => result(row.clean, "clean", "not clean") },
    { name: "service", cell: (row) => visible(row.service) },
    { name: "took", number: true, cell: (row) => seconds(row.seconds) },
    { name: "may take", number: true, cell: (row) => seconds(row.grace_seconds) },
    { name: "exit code", number: true, cell: (row) => String(row.code) },
  ];
  return table(columns, [...stops].sort((a, b) => b.seconds - a.seconds), "");
}

/** What ran, and where it came from. */
function imageTable(images) {
  const columns = [
    { name: "service", cell: (row) => visible(row.service) },
    { name: "image", cell: (row) => el("code", {}, visible(row.image)) },
    { name: "from", cell: (row) => (row.stand_in ? `${row.source}: ${visible(row.stand_in)}` : row.source) },
  ];
  return table(columns, images, "");
}
