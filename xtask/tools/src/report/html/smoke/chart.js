// Memory over time: the total as an area, each service as a line, and one sample in view, chosen by pointer or arrow keys.

const SVG = "http://www.w3.org/2000/svg";

/** The size of the drawing in its own units; it is stretched to the width there is. */
const DRAWING = { width: 1000, height: 220 };

/** A chart of memory; null where there are too few samples to draw. `tell` is called with the number of the sample in view. */
function memoryChart(memory, end, tell) {
  const times = memory.sampled_seconds;
  if (times.length < 2) return null;
  const most = Math.max(1, ...memory.sampled_bytes);
  const x = (at) => (times[at] / end) * DRAWING.width;
  const y = (value) => DRAWING.height - (value / most) * (DRAWING.height - 8);
  const total = memory.sampled_bytes.map((value, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
  const floor = `L${x(times.length - 1).toFixed(1)} ${DRAWING.height}L${x(0).toFixed(1)} ${DRAWING.height}Z`;
  const services = memory.services.map(({ sampled_bytes: values }) => shape("path", { class: "line", d: line(values, x, y) }));
  const mark = shape("line", { class: "mark", y1: 0, y2: DRAWING.height });
  const drawing = shape(
    "svg",
    { viewBox: `0 0 ${DRAWING.width} ${DRAWING.height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    shape("path", { class: "area", d: total.join("") + floor }),
    shape("path", { class: "total", d: total.join("") }),
    ...services,
    mark,
  );
  const options = { class: "chart", role: "slider", tabindex: "0", "aria-label": "Moment of the sample in view" };
  const chart = el("div", options, el("span", { class: "most", "aria-hidden": "true" }, bytes(most)), drawing);
  chart.setAttribute("aria-valuemin", "0");
  chart.setAttribute("aria-valuemax", String(times.length - 1));
  let shown = memory.sampled_bytes.indexOf(most);
  const show = (at) => {
    shown = Math.min(times.length - 1, Math.max(0, at));
    mark.setAttribute("x1", x(shown));
    mark.setAttribute("x2", x(shown));
    chart.setAttribute("aria-valuenow", String(shown));
    chart.setAttribute("aria-valuetext", tell(shown));
  };
  listen(chart, times, end, () => shown, show);
  show(Math.max(0, shown));
  return chart;
}

function listen(chart, times, end, shown, show) {
  const nearest = (moment) =>
    times.reduce((best, time, at) => (Math.abs(time - moment) < Math.abs(times[best] - moment) ? at : best), 0);
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    show(nearest(((event.clientX - box.left) / box.width) * end));
  });
  chart.addEventListener("keydown", (event) => {
    const last = times.length - 1;
    const steps = { ArrowRight: shown() + 1, ArrowUp: shown() + 1, ArrowLeft: shown() - 1, ArrowDown: shown() - 1 };
    const to = { ...steps, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });
}

/** A line through the values there are. */
function line(values, x, y) {
  const point = (value, at) => {
    if (value === null) return "";
    const isStart = at === 0 || values[at - 1] === null;
    return `${isStart ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  };
  return values.map(point).join("");
}

function shape(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
