// The digest task: SHA-256 of a text, again and again, with a rest between two rounds.

import { createHash } from "node:crypto";
import { setTimeout as rest } from "node:timers/promises";
import type { DigestTask } from "../task.js";

/**
 * The digest in hexadecimal digits.
 *
 * @throws the signal's reason once it is aborted.
 */
export async function digest(task: DigestTask, signal: AbortSignal): Promise<string> {
  let value = task.payload;
  for (let round = 0; round < task.rounds; round += 1) {
    // Also with no pause: signals and questions after health get their turn.
    if (round > 0) await rest(task.pauseMs, undefined, { signal });
    value = createHash("sha256").update(value).digest("hex");
  }
  return value;
}
