// The list of tasks in Redis, from which each instance moves one task at a time to a list of its own: a task is in one list or the
// other until its result is stored. An instance that was killed leaves its list behind, and the next one to look puts it back.
// Such a task is executed again, so a task may be executed twice, but is never lost.

import { setTimeout as pause } from "node:timers/promises";
import { createClient, type RedisClientType } from "@redis/client";
import { type Log, reason } from "./log.js";
import type { Settings } from "./settings.js";
import type { Result } from "./task.js";

const TASKS = "worker:tasks";
const REJECTED = "worker:rejected";
const INSTANCES = "worker:instances";
const takenBy = (id: string) => `worker:taken:${id}`;
const aliveOf = (id: string) => `worker:alive:${id}`;
const resultOf = (task: string) => `worker:result:${task}`;

/** How long to wait for a task before looking after lists that were left behind, in seconds. */
const WAIT = 5;

/** How long after its last sign of life an instance counts as gone, in seconds. */
const GONE = 30;

/** How many tasks that nobody can read are kept for those who look for the reason. */
const REJECTED_KEPT = 100;

/** How long Redis may take to say that it is there, in milliseconds. */
const PING = 1000;

/** The tasks of one instance. */
export class Queue {
  private readonly commands: RedisClientType;
  /** Waits for tasks, and can be asked nothing else meanwhile. */
  private readonly waiting: RedisClientType;
  /** The number of the connection that waits; none while it does not. */
  private waitingId: number | undefined;
  private isStopping = false;

  constructor(
    private readonly settings: Pick<Settings, "id" | "redisUrl" | "resultTtl">,
    private readonly log: Log,
  ) {
    this.commands = this.client("commands");
    this.waiting = this.client("waiting");
  }

  private client(connection: string): RedisClientType {
    const client: RedisClientType = createClient({ url: this.settings.redisUrl });
    let isAway = false;
    client.on("error", (error) => {
      // Told once, not at every attempt to be back.
      if (!isAway) this.log.warn("redis is away", { connection, error: reason(error) });
      isAway = true;
    });
    client.on("ready", () => {
      if (isAway) this.log.info("redis is back", { connection });
      isAway = false;
    });
    return client;
  }

  /** Connects, and puts back what an earlier self has left. */
  async open(): Promise<void> {
    await Promise.all([this.commands.connect(), this.waiting.connect()]);
    await this.lookAfter();
  }

  /** The next task; none if there was none for a while, or `stopTaking` was called. */
  async take(): Promise<string | undefined> {
    await this.lookAfter();
    const id = await this.waiting.clientId();
    // From here to the wait nothing else runs, so that `stopTaking` either came before or finds the wait.
    if (this.isStopping) return undefined;
    this.waitingId = id;
    try {
      return (await this.waiting.blMove(TASKS, takenBy(this.settings.id), "RIGHT", "LEFT", WAIT)) ?? undefined;
    } finally {
      this.waitingId = undefined;
    }
  }

  /** Ends a `take` that waits, without losing what it may be taking at this moment. */
  async stopTaking(): Promise<void> {
    this.isStopping = true;
    while (this.waitingId !== undefined) {
      await this.commands.clientUnblock(this.waitingId);
      await pause(20);
    }
  }

  /** Stores a task's result and lets go of the task. */
  async finish(task: string, result: Result): Promise<void> {
    const { id, resultTtl } = this.settings;
    const value = JSON.stringify(result);
    await this.commands
      .multi()
      .set(resultOf(result.id), value, { expiration: { type: "EX", value: resultTtl } })
      .lRem(takenBy(id), 1, task)
      .exec();
  }

  /** Lets go of what is no task. */
  async reject(task: string): Promise<void> {
    await this.commands
      .multi()
      .lPush(REJECTED, task)
      .lTrim(REJECTED, 0, REJECTED_KEPT - 1)
      .lRem(takenBy(this.settings.id), 1, task)
      .exec();
  }

  /** Puts everything that this instance has taken back to where it is taken next. */
  async putBack(): Promise<number> {
    return this.putBackOf(this.settings.id);
  }

  private async putBackOf(id: string): Promise<number> {
    let count = 0;
    while ((await this.commands.lMove(takenBy(id), TASKS, "LEFT", "RIGHT")) !== null) count += 1;
    return count;
  }

  /** Gives a sign of life. */
  async beat(): Promise<void> {
    const { id } = this.settings;
    const expiration = { type: "EX", value: GONE } as const;
    await this.commands.multi().sAdd(INSTANCES, id).set(aliveOf(id), "", { expiration }).exec();
  }

  /** Puts back what instances have left that are gone, and what this one holds: it is called when it has no task under way. */
  private async lookAfter(): Promise<void> {
    await this.beat();
    for (const id of await this.commands.sMembers(INSTANCES)) {
      const isGone = (await this.commands.exists(aliveOf(id))) === 0;
      if (!isGone && id !== this.settings.id) continue;
      const count = await this.putBackOf(id);
      if (count > 0) this.log.info("tasks put back", { left_by: id, count });
      if (isGone) await this.commands.sRem(INSTANCES, id);
    }
  }

  /** Whether Redis answers in time. */
  async isReady(): Promise<boolean> {
    if (!this.commands.isReady) return false;
    const answer = this.commands.ping().then(
      () => true,
      () => false,
    );
    return Promise.race([answer, pause(PING, false, { ref: false })]);
  }

  /** Says goodbye, where Redis listens, and closes the connections whatever is under way. */
  async close(): Promise<void> {
    if (await this.isReady()) {
      const { id } = this.settings;
      const goodbye = this.commands.multi().del(aliveOf(id)).exec();
      await goodbye.catch((error) => this.log.warn("no goodbye", { error: reason(error) }));
    }
    for (const client of [this.waiting, this.commands]) {
      if (client.isOpen) client.destroy();
    }
  }
}
