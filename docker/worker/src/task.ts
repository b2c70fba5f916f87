// Tasks as they lie in the list, and results as they are stored. What a task does is in tasks/.

/** The digest of a text, computed in rounds. */
export interface DigestTask {
  readonly id: string;
  readonly kind: "digest";
  readonly payload: string;
  /** Each round digests what the one before gave. */
  readonly rounds: number;
  /** The rest between two rounds, in milliseconds. */
  readonly pauseMs: number;
}

/** A job for one of the agents that `agents.json` names. */
export interface AgentTask {
  readonly id: string;
  readonly kind: "agent";
  readonly agent: string;
  /** What the agent reads on stdin. */
  readonly prompt: string;
}

export type Task = DigestTask | AgentTask;

/** What a task came to. */
export interface Result {
  readonly id: string;
  readonly kind: Task["kind"];
  readonly status: "done" | "failed";
  /** The instance that executed it. */
  readonly worker: string;
  readonly finished_at: string;
  readonly seconds: number;
  /** What it gave, or why it failed. */
  readonly output: string;
}

/** A task's id becomes a key and a file name. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Reads a task.
 *
 * @throws an error that says what is wrong with it.
 */
export function parseTask(text: string): Task {
  const given: unknown = JSON.parse(text);
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new Error("a task is a JSON object");
  const fields = given as Record<string, unknown>;
  const id = words(fields, "id");
  if (!ID.test(id)) throw new Error("`id` has up to 64 letters, digits, `-` and `_`");
  switch (fields.kind) {
    case "digest": {
      const rounds = whole(fields, "rounds", { fallback: 1, least: 1, most: 100_000 });
      const pauseMs = whole(fields, "pause_ms", { fallback: 0, least: 0, most: 60_000 });
      return { id, kind: "digest", payload: words(fields, "payload"), rounds, pauseMs };
    }
    case "agent":
      return { id, kind: "agent", agent: words(fields, "agent"), prompt: words(fields, "prompt") };
    default:
      throw new Error("`kind` must be `digest` or `agent`");
  }
}

function words(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new Error(`\`${name}\` must be a text`);
  return value;
}

interface Range {
  readonly fallback: number;
  readonly least: number;
  readonly most: number;
}

function whole(fields: Record<string, unknown>, name: string, { fallback, least, most }: Range): number {
  const value = fields[name] ?? fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`\`${name}\` must be a whole number between ${least} and ${most}`);
}
