// The loop: one task after the other, until it is asked to stop. It then takes no more, and finishes the one that it has.

import { setTimeout as pause } from "node:timers/promises";
import { type Log, reason } from "./log.js";
import type { Metrics } from "./metrics.js";
import type { Queue } from "./queue.js";
import { parseTask, type Result, type Task } from "./task.js";

/** What the loop needs of a queue. */
export type Tasks = Pick<Queue, "take" | "stopTaking" | "finish" | "reject" | "putBack" | "beat">;

/** How a task is executed. */
export type Execute = (task: Task, signal: AbortSignal) => Promise<Result>;

/** The pause before something is tried again that Redis did not do, in milliseconds. */
const AGAIN = 500;

/** How often a sign of life is given while a task is executed, in milliseconds. */
const BEAT = 5000;

/** Executes tasks. */
export class Worker {
  private isStopping = false;
  /** Ends the current task before it is done. */
  private readonly giveUp = new AbortController();
  private ended: Promise<void> = Promise.resolve();

  constructor(
    private readonly tasks: Tasks,
    private readonly execute: Execute,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** Executes tasks until `stop` is called. */
  run(): Promise<void> {
    this.ended = this.loop();
    return this.ended;
  }

  private async loop(): Promise<void> {
    while (!this.isStopping) {
      try {
        const task = await this.tasks.take();
        if (task !== undefined) await this.work(task);
      } catch (error) {
        if (this.isStopping) return;
        this.log.warn("no task can be taken", { error: reason(error) });
        await pause(AGAIN);
      }
    }
  }

  /** Takes no more tasks and waits for the current one, at most `patience` seconds; then gives it up and puts it back. */
  async stop(patience: number): Promise<void> {
    this.isStopping = true;
    const late = setTimeout(() => this.giveUp.abort(new Error("there was no time left")), patience * 1000);
    // Where Redis is away nobody waits for a task; whatever is taken at this moment is put back by the next instance.
    const woken = this.tasks
      .stopTaking()
      .catch((error) => this.log.warn("cannot stop waiting", { error: reason(error) }));
    const out = new Promise<void>((resolve) => this.giveUp.signal.addEventListener("abort", () => resolve()));
    await Promise.race([Promise.all([woken, this.ended]), out.then(() => pause(AGAIN))]);
    clearTimeout(late);
  }

  private async work(text: string): Promise<void> {
    const task = await this.read(text);
    if (task === undefined) return;
    this.log.info("task taken", { task: task.id, kind: task.kind });
    const beat = setInterval(() => this.tasks.beat().catch(() => undefined), BEAT);
    try {
      this.metrics.current = 1;
      const result = await this.execute(task, this.giveUp.signal);
      await this.insist(() => this.tasks.finish(text, result));
      this.metrics.finished(result);
      const { status, seconds } = result;
      this.log[status === "done" ? "info" : "warn"](`task ${status}`, { task: task.id, kind: task.kind, seconds });
    } catch (error) {
      const count = await this.tasks.putBack();
      this.metrics.putBack += count;
      this.log.warn("task put back", { task: task.id, error: reason(error) });
    } finally {
      this.metrics.current = 0;
      clearInterval(beat);
    }
  }

  private async read(text: string): Promise<Task | undefined> {
    try {
      return parseTask(text);
    } catch (error) {
      this.metrics.rejected += 1;
      this.log.warn("task rejected", { error: reason(error) });
      await this.insist(() => this.tasks.reject(text));
      return undefined;
    }
  }

  /** Does what must be done until it is, or there is no time left. */
  private async insist(action: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        this.log.warn("redis did not store a result", { error: reason(error) });
        await pause(AGAIN, undefined, { signal: this.giveUp.signal });
      }
    }
  }
}
