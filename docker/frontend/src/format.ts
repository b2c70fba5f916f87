// Numbers and times in words for people. Pure.

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** A duration by its two largest units: `3d 4h`, `12m 5s`, `0s`. Takes seconds. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0s";
}

/** A latency with as many digits as can matter: `<0.01 ms`, `0.42 ms`, `7.3 ms`, `128 ms`, `2.4 s`. Takes milliseconds. */
export function latency(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds >= 100) return `${milliseconds.toFixed(0)} ms`;
  if (milliseconds < 0.01) return "<0.01 ms";
  return `${milliseconds.toFixed(milliseconds >= 1 ? 1 : 2)} ms`;
}

/** A field's name as a label: `http_requests_total` becomes `HTTP requests total`. */
export function label(name: string): string {
  const words = name
    .replace(/[_-]+/g, " ")
    .trim()
    .replace(/\b(?:http|api)\b/gi, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The time of day to the second, in the reader's locale. */
export function clock(date: Date): string {
  return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
