// The stack's own report of its health, `GET /api/status`: from JSON to typed values. How it looks is the view's matter.

import { type Client, RefusedError } from "./client";
import { dateOf, fieldsOf, numberOf, textOf } from "./fields";

/** How well something is; `unknown` when it says nothing that this page understands. */
export type Health = "healthy" | "degraded" | "unhealthy" | "unknown";

/** One service behind the backend, as the backend sees it. */
export interface ServiceReport {
  readonly name: string;
  readonly health: Health;
  readonly latencyMs: number | null;
  readonly message: string | null;
}

/** One number that the backend counts. */
export interface Counter {
  readonly name: string;
  readonly value: number;
}

/** The whole stack at one moment. */
export interface StatusReport {
  readonly name: string | null;
  readonly version: string | null;
  readonly environment: string | null;
  readonly health: Health;
  readonly uptimeSeconds: number | null;
  readonly timestamp: Date | null;
  readonly services: readonly ServiceReport[];
  readonly counters: readonly Counter[];
}

const WORDS: ReadonlyMap<string, Health> = new Map([
  ...["healthy", "ok", "up", "ready", "pass", "running"].map((word) => [word, "healthy"] as const),
  ...["degraded", "warn", "warning"].map((word) => [word, "degraded"] as const),
  ...["unhealthy", "down", "error", "fail", "failed", "unavailable"].map((word) => [word, "unhealthy"] as const),
]);

/**
 * Asks for the stack's health. A 503 that carries a report is a report: that is how a sick stack answers.
 *
 * @throws NoAnswerError when nothing came back, RefusedError when what came back is no report
 */
export async function fetchStatus(client: Client, signal?: AbortSignal): Promise<StatusReport> {
  const answer = await client.request("GET", "/api/status", signal ? { signal } : {});
  const report = parseStatus(answer.body);
  if (report === null || !(answer.ok || report.services.length > 0)) throw new RefusedError(answer);
  return report;
}

/** Reads a report; fields it lacks are null or empty, fields it has beyond these are ignored. Null when it is no object. */
export function parseStatus(body: unknown): StatusReport | null {
  const fields = fieldsOf(body);
  if (fields === null) return null;
  const services = Object.entries(fieldsOf(fields.services) ?? {}).map(([name, value]) => parseService(name, value));
  return {
    name: textOf(fields.name),
    version: textOf(fields.version),
    environment: textOf(fields.environment),
    health: "status" in fields ? healthOf(fields.status) : worst(services),
    uptimeSeconds: numberOf(fields.uptime_seconds),
    timestamp: dateOf(fields.timestamp),
    services,
    counters: Object.entries(fieldsOf(fields.counters) ?? {}).flatMap(([name, value]) => parseCounter(name, value)),
  };
}

/** The health that a status word stands for, whatever its case. */
export function healthOf(word: unknown): Health {
  return WORDS.get((textOf(word) ?? "").toLowerCase()) ?? "unknown";
}

/** The worst health among services; `unknown` when there are none. */
export function worst(services: readonly ServiceReport[]): Health {
  const order: readonly Health[] = ["unhealthy", "degraded", "unknown", "healthy"];
  return order.find((health) => services.some((service) => service.health === health)) ?? "unknown";
}

/** A service is an object, or in the shortest form just its status word. */
function parseService(name: string, value: unknown): ServiceReport {
  const fields = fieldsOf(value) ?? { status: value };
  return {
    name,
    health: healthOf(fields.status),
    latencyMs: numberOf(fields.latency_ms),
    message: textOf(fields.message),
  };
}

function parseCounter(name: string, value: unknown): Counter[] {
  const count = numberOf(value);
  return count === null ? [] : [{ name, value: count }];
}
