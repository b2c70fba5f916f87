// Reading fields out of JSON that may be older, newer or simply wrong: a missing or mistyped field is null, never an
// exception. What the fields mean lives with each resource.

/** An object read from JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object with fields, or null when it is anything else. */
export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** A non-empty string, or null. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** A finite number, or null. */
export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A point in time from an ISO 8601 string, or null. */
export function dateOf(value: unknown): Date | null {
  const text = textOf(value);
  const date = text === null ? null : new Date(text);
  return date === null || Number.isNaN(date.getTime()) ? null : date;
}
