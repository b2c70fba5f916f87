// A latency history as a small line. The drawing is decoration: the number beside it says the same.

import { svg } from "./dom";

const WIDTH = 120;
const HEIGHT = 28;
const PADDING = 2;

/** The newest value last; `null` is a poll without a value and breaks nothing, it is skipped. Values in milliseconds. */
export function sparkline(values: readonly (number | null)[]): SVGSVGElement {
  return svg(
    "svg",
    { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("polyline", { points: points(values), "vector-effect": "non-scaling-stroke" }),
  );
}

/** The polyline's points: the whole width, zero at the bottom, the highest value at the top. Empty below two values. */
export function points(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return "";
  const top = Math.max(...known) || 1;
  const step = (WIDTH - 2 * PADDING) / (known.length - 1);
  const room = HEIGHT - 2 * PADDING;
  return known.map((value, i) => `${round(PADDING + i * step)},${round(PADDING + room * (1 - value / top))}`).join(" ");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
