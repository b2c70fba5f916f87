// The worker's program: sets everything up, executes tasks, and ends as signals ask for.
// SIGTERM finishes the current task and ends with 0; SIGINT ends at once with 1; what nobody expected ends with 1, too.

import { execute, forget, prepare } from "./execute.js";
import { Delay } from "./health.js";
import { createLog, type Log, reason } from "./log.js";
import { Metrics } from "./metrics.js";
import { Queue } from "./queue.js";
import { readSettings, type Settings } from "./settings.js";
import { serve } from "./status.js";
import { Worker } from "./worker.js";

/** How often what is too old to keep is removed, in milliseconds. */
const FORGET = 3_600_000;

async function main(settings: Settings, log: Log): Promise<void> {
  await prepare(settings);
  await forget(settings);
  const forgetting = setInterval(() => {
    forget(settings).catch((error) => log.warn("old files are still there", { error: reason(error) }));
  }, FORGET);
  const [queue, metrics, delay] = [new Queue(settings, log), new Metrics(), new Delay()];
  const worker = new Worker(queue, (task, signal) => execute(task, settings, signal), metrics, log);
  // Before anything is waited for: whoever is asked to stop while Redis is away still stops.
  const stopped = new Promise<void>((resolve) => {
    process.once("SIGTERM", () => {
      log.info("stopping", { patience_seconds: settings.stopPatience });
      worker.stop(settings.stopPatience).then(resolve);
    });
  });
  const isReady = () => queue.isReady();
  const server = await serve(settings.statusPort, { dataDir: settings.dataDir, delay, metrics, isReady });
  const working = queue.open().then(() => {
    log.info("taking tasks", { worker: settings.id, credentials: [...settings.credentials.keys()] });
    return worker.run();
  });
  await Promise.race([working, stopped]);
  await stopped;
  clearInterval(forgetting);
  delay.stop();
  server.close();
  server.closeAllConnections();
  await queue.close();
  log.info("stopped");
}

/** Says why and ends. */
function fail(message: string, error: unknown): never {
  createLog("error", "json").error(message, { error: reason(error) });
  process.exit(1);
}

process.once("SIGINT", () => process.exit(1));
process.on("uncaughtException", (error) => fail("unexpected", error));
process.on("unhandledRejection", (error) => fail("unexpected", error));

try {
  const settings = readSettings(process.env);
  await main(settings, createLog(settings.logLevel, settings.logFormat));
} catch (error) {
  fail("cannot work", error);
}
