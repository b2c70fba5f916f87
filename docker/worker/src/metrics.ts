// Counters and gauges, and how Prometheus reads them.

import { getHeapStatistics } from "node:v8";
import type { Result } from "./task.js";

/** What is counted. */
export class Metrics {
  /** Tasks under way. */
  current = 0;
  /** Tasks that nobody could read. */
  rejected = 0;
  /** Tasks that were given up and lie in the list again. */
  putBack = 0;
  private readonly outcomes = { done: 0, failed: 0 };
  private seconds = 0;

  /** Counts a task that has a result. */
  finished({ status, seconds }: Pick<Result, "status" | "seconds">): void {
    this.outcomes[status] += 1;
    this.seconds += seconds;
  }

  /** Everything in Prometheus' text format. `delay` is the event loop's, in milliseconds. */
  render(delay: number): string {
    const heap = getHeapStatistics();
    const tasks = { ...this.outcomes, rejected: this.rejected, put_back: this.putBack };
    return [
      family("worker_tasks_total", "counter", "Tasks by what became of them.", labelled("outcome", tasks)),
      family("worker_task_seconds_total", "counter", "Time that finished tasks took.", [["", this.seconds]]),
      family("worker_tasks_in_progress", "gauge", "Tasks under way.", [["", this.current]]),
      family("process_uptime_seconds", "gauge", "Time since the start.", [["", process.uptime()]]),
      family("process_resident_memory_bytes", "gauge", "Memory in use.", [["", process.memoryUsage.rss()]]),
      family("nodejs_heap_used_bytes", "gauge", "Heap in use.", [["", heap.used_heap_size]]),
      family("nodejs_heap_limit_bytes", "gauge", "Heap at most.", [["", heap.heap_size_limit]]),
      family("nodejs_eventloop_delay_seconds", "gauge", "Delay of the event loop, on average.", [["", delay / 1000]]),
    ].join("");
  }
}

type Sample = readonly [labels: string, value: number];

function labelled(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => [`{${label}="${name}"}`, value]);
}

function family(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
