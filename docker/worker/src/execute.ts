// Executing one task, whatever its kind, to a result that is stored in the data directory.

import { appendFile, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reason } from "./log.js";
import type { Settings } from "./settings.js";
import type { Result, Task } from "./task.js";
import { runAgent } from "./tasks/agent.js";
import { digest } from "./tasks/digest.js";

/**
 * Executes a task. One that fails has a result too, which says why.
 *
 * @throws the signal's reason once it is aborted: the task is then not executed.
 */
export async function execute(task: Task, settings: Settings, signal: AbortSignal): Promise<Result> {
  const began = performance.now();
  const outcome = await run(task, settings, signal);
  const seconds = (performance.now() - began) / 1000;
  const finished_at = new Date().toISOString();
  const result = { id: task.id, kind: task.kind, ...outcome, worker: settings.id, finished_at, seconds };
  await keep(result, settings);
  return result;
}

async function run(task: Task, settings: Settings, signal: AbortSignal): Promise<Pick<Result, "status" | "output">> {
  try {
    const output = task.kind === "digest" ? await digest(task, signal) : await runAgent(task, settings, signal);
    return { status: "done", output };
  } catch (error) {
    signal.throwIfAborted();
    return { status: "failed", output: reason(error) };
  }
}

/** Makes the directories that are not there yet. */
export async function prepare({ dataDir, logsDir }: Settings): Promise<void> {
  const directories = ["cache", "state", "tracking"].map((name) => join(dataDir, name));
  await Promise.all([...directories, logsDir].map((directory) => mkdir(directory, { recursive: true })));
}

/** Stores a result as a file of its own, there as a whole or not at all, and notes in today's track that it came. */
async function keep(result: Result, { dataDir }: Settings): Promise<void> {
  const file = join(dataDir, "state", `${result.id}.json`);
  await writeFile(`${file}.new`, `${JSON.stringify(result, null, 2)}\n`);
  await rename(`${file}.new`, file);
  const { output: _, ...rest } = result;
  const track = join(dataDir, "tracking", `${result.finished_at.slice(0, 10)}.jsonl`);
  await appendFile(track, `${JSON.stringify(rest)}\n`);
}

/** Removes results, tracks and logs that are older than results are kept. */
export async function forget({ dataDir, logsDir, resultTtl }: Settings): Promise<void> {
  const oldest = Date.now() - resultTtl * 1000;
  for (const directory of [join(dataDir, "state"), join(dataDir, "tracking"), logsDir]) {
    for (const name of await readdir(directory)) {
      const file = join(directory, name);
      if ((await stat(file)).mtimeMs < oldest) await rm(file, { recursive: true, force: true });
    }
  }
}
