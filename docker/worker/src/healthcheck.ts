// The container's health check: asks the running worker how it is. Says which checks failed, and ends with exit code 1 then.
// A program of its own, which loads nothing that asking does not need.

import { type ClientRequest, get } from "node:http";
import type { Health } from "./health.js";

/** Below the time that the engine gives the check, so that the reason is told, in milliseconds. */
const PATIENCE = 5000;

/** How long to ask a worker that does not listen: one that starts up is asked once and not again and again, in milliseconds. */
const STARTING = 2000;

/** The pause between two questions, in milliseconds. */
const AGAIN = 25;

const port = process.env.STATUS_PORT || "3002";

function end(failed: string): never {
  process.stdout.write(`${failed}\n`);
  process.exit(1);
}

function ask(): ClientRequest {
  return get({ host: "127.0.0.1", port, path: "/health", timeout: PATIENCE }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    response.on("end", () => {
      const { checks } = JSON.parse(text) as Health;
      const failed = Object.entries(checks).filter(([, check]) => check.status !== "healthy");
      if (failed.length > 0) end(failed.map(([name, check]) => `${name}: ${check.message}`).join("\n"));
    });
  });
}

function tryUntil(latest: number): void {
  const request = ask();
  request.on("timeout", () => end(`event_loop: no answer within ${PATIENCE} ms`));
  request.on("error", (error: NodeJS.ErrnoException) => {
    const isStarting = error.code === "ECONNREFUSED" && performance.now() < latest;
    if (!isStarting) end(`process: ${error.message}`);
    setTimeout(tryUntil, AGAIN, latest);
  });
}

tryUntil(performance.now() + STARTING);
