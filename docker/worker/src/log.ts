// Log lines on stdout: a JSON object each for machines, or a line of text for people. Who logs says what happened; nothing here
// knows what any of it means.

/** Levels, the most urgent first. */
export const levels = ["error", "warn", "info", "debug", "trace"] as const;
export type Level = (typeof levels)[number];

/** What a line tells beside its message. */
export type Fields = Readonly<Record<string, unknown>>;

/** Writes lines that are urgent enough. */
export type Log = Readonly<Record<Level, (message: string, fields?: Fields) => void>>;

/** A log that leaves out what is less urgent than `least`. */
export function createLog(least: Level, format: "json" | "pretty", write: (line: string) => void = toStdout): Log {
  const render = format === "json" ? asJson : asText;
  const line =
    (level: Level) =>
    (message: string, fields: Fields = {}) => {
      if (levels.indexOf(level) <= levels.indexOf(least)) write(render(new Date(), level, message, fields));
    };
  return {
    error: line("error"),
    warn: line("warn"),
    info: line("info"),
    debug: line("debug"),
    trace: line("trace"),
  };
}

/** The words of whatever was thrown. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function toStdout(line: string): void {
  process.stdout.write(`${line}\n`);
}

function asJson(at: Date, level: Level, message: string, fields: Fields): string {
  return JSON.stringify({ timestamp: at.toISOString(), level, message, ...fields });
}

function asText(at: Date, level: Level, message: string, fields: Fields): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${at.toISOString().slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${rest.join("")}`;
}
