// The waterfall: for each service a bar from the moment it was told to start to its end, on one clock.

/** How many steps the axis has at most. */
const STEPS = 8;

/** The last moment that the verdict knows of; at least a little after the start. */
function lastMoment({ services, memory }) {
  const moments = services.flatMap(({ told, started, up, ended }) => [told, started, up, ended]);
  return Math.max(0.1, ...moments.filter((moment) => moment !== null), ...(memory?.sampled_seconds ?? []));
}

/** The rows, in the order in which services were told to start; `tell` is called with what the one in view says. */
function timelineRows(services, end, tell) {
  const order = [...services].sort((a, b) => (a.told ?? end) - (b.told ?? end) || (a.up ?? end) - (b.up ?? end));
  const rows = order.map((service, at) => timelineRow(service, end, at === 0, tell));
  const move = (event) => {
    const to = rove(event, rows);
    if (to) for (const row of rows) row.tabIndex = row === to ? 0 : -1;
  };
  for (const row of rows) row.addEventListener("keydown", move);
  return rows;
}

function timelineRow(service, end, isFirst, tell) {
  const { told, started, up, ended, exit_code: code } = service;
  const last = ended ?? end;
  const parts = [
    part("starting", told, started ?? up ?? last, end),
    part("coming", started, up ?? last, end),
    part("up", up, Math.max(up ?? 0, last), end),
  ];
  const failed = code !== null && code !== 0 && up === null;
  const took = up !== null && told !== null ? seconds(up - told) : service.state;
  const said = story(service);
  const options = { class: failed ? "row failed" : "row", tabindex: isFirst ? "0" : "-1", "aria-label": said };
  options.on = { focus: () => tell(said), pointerenter: () => tell(said) };
  return el(
    "li",
    options,
    el("span", { class: "row-name" }, visible(service.service)),
    el("span", { class: "track" }, ...parts),
    el("span", { class: "row-took" }, took),
  );
}

/** A part of a bar; null where it never began. */
function part(name, from, to, end) {
  if (from === null) return null;
  const share = (moment) => `${((moment / end) * 100).toFixed(3)}%`;
  return el("span", { class: `part ${name}`, style: { left: share(from), width: share(Math.max(0, to - from)) } });
}

/** Everything that is known of a service's way, in words. */
function story(service) {
  const moments = [
    ["created", service.created],
    ["told to start", service.told],
    ["running", service.started],
    [service.state === "done" ? "done" : "up", service.up],
    [`ended with code ${service.exit_code}`, service.ended],
  ];
  const told = moments.filter(([, at]) => at !== null).map(([what, at]) => `${what} at ${seconds(at)}`);
  if (service.restarts > 0) told.push(`started again ${count(service.restarts, "time")}`);
  return `${visible(service.service)}: ${told.join(", ") || "never started"}`;
}

/** The marks of the axis, at round numbers of seconds. */
function axisMarks(end) {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((size) => end / size <= STEPS) ?? 1800;
  const marks = Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
  const left = (mark) => ({ left: `${((mark / end) * 100).toFixed(3)}%` });
  return marks.map((mark) => el("span", { style: left(mark) }, `${Number(mark.toFixed(1))} s`));
}
