// What the server and the health check say of a worker that is well, and of one that is not.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text as all } from "node:stream/consumers";
import { test } from "node:test";
import { prepare } from "../src/execute.js";
import { checkDelay, checkHeap, type Health } from "../src/health.js";
import { Metrics } from "../src/metrics.js";
import { serve } from "../src/status.js";
import { settingsIn } from "./fixture.js";

async function started(isReady = true, average = 0) {
  const settings = settingsIn();
  await prepare(settings);
  const metrics = new Metrics();
  metrics.finished({ status: "done", seconds: 1.5 });
  const told = { dataDir: settings.dataDir, delay: { average }, metrics, isReady: async () => isReady };
  const server = await serve(0, told);
  const port = (server.address() as AddressInfo).port;
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { settings, port, ask, close };
}

async function check(port: number): Promise<{ code: number; said: string }> {
  const program = ["--import", "tsx", join(import.meta.dirname, "../src/healthcheck.ts")];
  const child = spawn(process.execPath, program, { env: { ...process.env, STATUS_PORT: String(port) } });
  const code = new Promise<number>((resolve) => child.once("close", resolve));
  return { said: await all(child.stdout), code: await code };
}

test("a worker that is well says so", async () => {
  const { port, ask, close } = await started();
  const health = await ask("/health");
  const { status } = (await health.json()) as Health;
  assert.deepEqual([health.status, status], [200, "healthy"]);
  assert.equal((await ask("/ready")).status, 200);
  assert.equal((await ask("/else")).status, 404);
  assert.deepEqual(await check(port), { code: 0, said: "" });
  close();
});

test("the health check names what failed, all of it", async () => {
  const { settings, port, ask, close } = await started(false, 250);
  rmSync(join(settings.dataDir, "state"), { recursive: true });
  assert.equal((await ask("/health")).status, 503);
  assert.equal((await ask("/ready")).status, 503);
  const { code, said } = await check(port);
  assert.equal(code, 1);
  assert.match(said, /^data: ENOENT.*\nevent_loop: 250\.0 ms late on average\n$/);
  close();
  const gone = await check(port);
  assert.equal(gone.code, 1);
  assert.match(gone.said, /^process: .*ECONNREFUSED/);
});

test("limits are those that are told", () => {
  assert.deepEqual([checkHeap(89, 100).status, checkHeap(90, 100).status], ["healthy", "unhealthy"]);
  assert.deepEqual([checkDelay(99).status, checkDelay(100).status], ["healthy", "unhealthy"]);
});

test("metrics are what Prometheus reads", async () => {
  const { ask, close } = await started();
  const text = await (await ask("/metrics")).text();
  assert.match(text, /^# TYPE worker_tasks_total counter\nworker_tasks_total\{outcome="done"\} 1$/m);
  assert.match(text, /^worker_task_seconds_total 1\.5$/m);
  for (const line of text.trimEnd().split("\n"))
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"\})? [\d.e-]+)$/);
  close();
});
