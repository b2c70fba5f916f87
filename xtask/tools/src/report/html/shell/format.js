// Numbers and names as a person reads them, the same as on the terminal.

/** A number of bytes with a decimal unit: `143.2 MB`. */
function bytes(number) {
  if (Math.abs(number) < 1e3) return `${number} B`;
  if (Math.abs(number) < 1e6) return `${(number / 1e3).toFixed(1)} kB`;
  if (Math.abs(number) < 1e9) return `${(number / 1e6).toFixed(1)} MB`;
  return `${(number / 1e9).toFixed(2)} GB`;
}

/** The same with its sign, since it is a difference. */
function signedBytes(number) {
  return number === 0 ? "±0 B" : `${number > 0 ? "+" : "−"}${bytes(Math.abs(number))}`;
}

/** A share of a whole in percent: `43 %`, `0.4 %`, `< 0.1 %`. */
function percent(part, whole) {
  if (!(whole > 0)) return "0 %";
  const share = (part / whole) * 100;
  if (share > 0 && share < 0.1) return "< 0.1 %";
  return `${share < 10 ? Number(share.toFixed(1)) : Math.round(share)} %`;
}

/** A change in percent, with its sign. */
function percentChange(number) {
  return `${number > 0 ? "+" : number < 0 ? "−" : "±"}${Number(Math.abs(number).toFixed(1))} %`;
}

/** A number of things: `9,812 files`. */
function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** What is told of a value, or null where the report has none. */
function known(value, tell) {
  return value === null || value === undefined ? null : tell(value);
}

/** Where an instruction stands: `Dockerfile:12`; null where that is not known. */
function placeOf({ dockerfile, line }) {
  return known(dockerfile, (file) => visible(line ? `${file}:${line}` : file));
}

/** A name from an image with whatever would not show, or would turn the line around, spelled out. */
function visible(name) {
  const spelled = (c) => `\\u{${c.codePointAt(0).toString(16)}}`;
  return String(name).replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, spelled);
}
