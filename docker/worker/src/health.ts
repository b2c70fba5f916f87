// Whether this process is well: its data directory is writable, its heap has room, and its event loop gets to everything in time.

import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { reason } from "./log.js";

/** The most of its limit that the heap may take. */
const HEAP = 0.9;

/** The longest that the event loop may be late on average, in milliseconds. */
const DELAY = 100;

/** How often the event loop is looked at, in milliseconds; also what each look sees of a loop that is never late. */
const RESOLUTION = 20;

/** The time over which the delay is averaged, in milliseconds: one long step among many short ones is no illness. */
const WINDOW = 10_000;

/** What one check saw. */
export interface Check {
  readonly status: "healthy" | "unhealthy";
  readonly message: string;
}

/** What all checks saw, by name. */
export interface Health {
  readonly status: Check["status"];
  readonly checks: Readonly<Record<"data" | "heap" | "event_loop", Check>>;
}

/** How late the event loop is. */
export class Delay {
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.histogram.enable();
    this.timer = setInterval(() => this.histogram.reset(), WINDOW).unref();
  }

  /** The average of this window, in milliseconds. */
  get average(): number {
    const seen = this.histogram.mean / 1e6 - RESOLUTION;
    // Without any look yet there is no number.
    return Number.isFinite(seen) ? Math.max(0, seen) : 0;
  }

  stop(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }
}

/** Makes every check. */
export async function examine(dataDir: string, delay: number): Promise<Health> {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  const checks = {
    data: await checkData(dataDir),
    heap: checkHeap(used_heap_size, heap_size_limit),
    event_loop: checkDelay(delay),
  };
  const isWell = Object.values(checks).every((check) => check.status === "healthy");
  return { status: isWell ? "healthy" : "unhealthy", checks };
}

/** Whether a file can be written. */
export async function checkData(dataDir: string): Promise<Check> {
  const file = join(dataDir, "state", ".health");
  try {
    await writeFile(file, "");
    // Another question may be asked at the same time.
    await rm(file, { force: true });
    return { status: "healthy", message: "writable" };
  } catch (error) {
    return { status: "unhealthy", message: reason(error) };
  }
}

/** Whether the heap has room, in bytes. */
export function checkHeap(used: number, limit: number): Check {
  const share = used / limit;
  return verdict(share < HEAP, `${(share * 100).toFixed(0)} % of ${(limit / 2 ** 20).toFixed(0)} MiB`);
}

/** Whether the event loop is in time, in milliseconds. */
export function checkDelay(delay: number): Check {
  return verdict(delay < DELAY, `${delay.toFixed(1)} ms late on average`);
}

function verdict(isWell: boolean, message: string): Check {
  return { status: isWell ? "healthy" : "unhealthy", message };
}
