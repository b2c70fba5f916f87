// The loop: what becomes of tasks when all is well, when they are none, when Redis is away, and when there is no time left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Metrics } from "../src/metrics.js";
import type { Result, Task } from "../src/task.js";
import { type Execute, type Tasks, Worker } from "../src/worker.js";
import { silent } from "./fixture.js";

const text = (id: string) => `{"id":"${id}","kind":"digest","payload":"x"}`;

/** A queue without Redis. */
class Fake implements Tasks {
  readonly finished: string[] = [];
  readonly rejected: string[] = [];
  private taken: string | undefined;
  private wake: (() => void) | undefined;
  /** How often storing a result fails. */
  failures = 0;

  constructor(readonly waiting: string[]) {}

  async take(): Promise<string | undefined> {
    if (this.waiting.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    this.taken = this.waiting.pop();
    return this.taken;
  }
  async stopTaking(): Promise<void> {
    this.wake?.();
  }
  async finish(_: string, result: Result): Promise<void> {
    if (this.failures-- > 0) throw new Error("away");
    this.finished.push(result.id);
  }
  async reject(task: string): Promise<void> {
    this.rejected.push(task);
  }
  async putBack(): Promise<number> {
    this.waiting.push(this.taken ?? "");
    return 1;
  }
  async beat(): Promise<void> {}
}

/** Executes within a time, in milliseconds. */
const takes =
  (time: number): Execute =>
  async ({ id, kind }: Task, signal) => {
    await pause(time, undefined, { signal });
    return { id, kind, status: "done", worker: "here", finished_at: "", seconds: 0, output: "" };
  };

test("tasks are executed until the worker is asked to stop", async () => {
  const tasks = new Fake([text("b"), text("a")]);
  const worker = new Worker(tasks, takes(1), new Metrics(), silent);
  const ended = worker.run();
  await pause(50);
  await worker.stop(1);
  await ended;
  assert.deepEqual(tasks.finished, ["a", "b"]);
});

test("the current task is finished after the stop, and no other is taken", async () => {
  const tasks = new Fake([text("b"), text("a")]);
  const worker = new Worker(tasks, takes(100), new Metrics(), silent);
  void worker.run();
  await pause(20);
  await worker.stop(10);
  assert.deepEqual([tasks.finished, tasks.waiting], [["a"], [text("b")]]);
});

test("a task that takes too long after the stop is put back", async () => {
  const tasks = new Fake([text("a")]);
  const metrics = new Metrics();
  const worker = new Worker(tasks, takes(60_000), metrics, silent);
  void worker.run();
  await pause(20);
  await worker.stop(0.1);
  assert.deepEqual([tasks.finished, tasks.waiting, metrics.putBack], [[], [text("a")], 1]);
});

test("what is no task is rejected, and the next one executed", async () => {
  const tasks = new Fake([text("a"), "nonsense"]);
  const worker = new Worker(tasks, takes(1), new Metrics(), silent);
  void worker.run();
  await pause(50);
  await worker.stop(1);
  assert.deepEqual([tasks.rejected, tasks.finished], [["nonsense"], ["a"]]);
});

test("a result is stored as soon as Redis is back", async () => {
  const tasks = new Fake([text("a")]);
  tasks.failures = 1;
  const worker = new Worker(tasks, takes(1), new Metrics(), silent);
  void worker.run();
  await pause(20);
  await worker.stop(5);
  assert.deepEqual(tasks.finished, ["a"]);
});
