// Reading the stack's report: complete, sparse and broken ones.

import { describe, expect, test } from "vitest";
import { RefusedError } from "../../src/api/client";
import { fetchStatus, healthOf, parseStatus, worst } from "../../src/api/status";
import { fakeApi } from "./fake-api";

const REPORT = {
  name: "backend",
  version: "0.1.0",
  status: "healthy",
  environment: "production",
  uptime_seconds: 61.5,
  timestamp: "2025-06-01T10:00:00Z",
  services: {
    postgres: { status: "healthy", latency_ms: 0.8 },
    redis: { status: "unhealthy", message: "connection refused" },
  },
  counters: { http_requests_total: 12, broken: "x" },
};

describe("parseStatus", () => {
  test("reads a complete report", () => {
    expect(parseStatus(REPORT)).toEqual({
      name: "backend",
      version: "0.1.0",
      health: "healthy",
      environment: "production",
      uptimeSeconds: 61.5,
      timestamp: new Date("2025-06-01T10:00:00Z"),
      services: [
        { name: "postgres", health: "healthy", latencyMs: 0.8, message: null },
        { name: "redis", health: "unhealthy", latencyMs: null, message: "connection refused" },
      ],
      counters: [{ name: "http_requests_total", value: 12 }],
    });
  });

  test("lacks nothing that would break a page when the report is empty", () => {
    expect(parseStatus({})).toMatchObject({
      name: null,
      health: "unknown",
      services: [],
      counters: [],
      timestamp: null,
    });
  });

  test("mistyped fields are absent fields", () => {
    const odd = { name: 7, uptime_seconds: "long", timestamp: "yesterday", services: [1], counters: null };
    expect(parseStatus(odd)).toMatchObject({ name: null, uptimeSeconds: null, timestamp: null, services: [] });
  });

  test("a service may be just a word", () => {
    expect(parseStatus({ services: { redis: "up" } })?.services[0]).toMatchObject({ name: "redis", health: "healthy" });
  });

  test("without a status of its own a report is as healthy as its worst service", () => {
    const { status: _, ...withoutStatus } = REPORT;
    expect(parseStatus(withoutStatus)?.health).toBe("unhealthy");
  });

  test.each([null, undefined, "ok", 3, []])("%j is no report", (body) => expect(parseStatus(body)).toBeNull());
});

test.each([
  ["OK", "healthy"],
  ["Degraded", "degraded"],
  ["down", "unhealthy"],
  ["sleepy", "unknown"],
  [true, "unknown"],
])("the word %j is %s", (word, health) => expect(healthOf(word)).toBe(health));

test("no services have no worst", () => expect(worst([])).toBe("unknown"));

describe("fetchStatus", () => {
  test("a 503 with a report is a report", async () => {
    const { client } = fakeApi(() => Response.json({ ...REPORT, status: "unhealthy" }, { status: 503 }));
    expect(await fetchStatus(client)).toMatchObject({ health: "unhealthy" });
  });

  test("a 502 of the proxy is a refusal", async () => {
    const { client } = fakeApi(() =>
      Response.json(
        { error: { code: "backend_unavailable", message: "the backend does not answer" } },
        { status: 502 },
      ),
    );
    await expect(fetchStatus(client)).rejects.toThrow(RefusedError);
  });
});
