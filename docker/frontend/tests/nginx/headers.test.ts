// D3: the security headers stand on every answer, once each, whoever made it. P5: so does the request id.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, type RawAnswer, type Request, sendRaw } from "./http";
import { type Nginx, startNginx } from "./nginx";
import { type Running, startUpstream } from "./upstream";

const SECURITY: Readonly<Record<string, RegExp>> = {
  "Strict-Transport-Security": /^max-age=31536000/,
  "Content-Security-Policy": /^default-src 'none'; .*connect-src 'self';.*frame-ancestors 'none'/,
  "X-Frame-Options": /^DENY$/,
  "X-Content-Type-Options": /^nosniff$/,
  "Referrer-Policy": /^no-referrer$/,
  "X-Request-ID": /^[0-9a-f]{32}$/,
};

const script = `/assets/${readdirSync(join(import.meta.dirname, "../../dist/assets")).find((name) => name.endsWith(".js"))}`;

const ANSWERS: readonly (readonly [what: string, status: number, path: string, request: Request | null])[] = [
  ["the page", 200, "/", null],
  ["a page of the application", 200, "/sessions", null],
  ["an asset", 200, script, null],
  ["part of an asset", 200, script, { headers: { Range: "bytes=0-9" } }],
  ["a range beyond an asset", 200, script, { headers: { Range: "bytes=99999999-" } }],
  ["a missing asset", 404, "/assets/gone-12345678.js", null],
  ["the assets folder", 404, "/assets/", null],
  ["the configuration", 200, "/config.json", null],
  ["the health", 200, "/health", null],
  ["a HEAD", 200, "/health", { method: "HEAD" }],
  ["a method that pages lack", 405, "/", { method: "POST" }],
  ["a method nobody has", 405, "/", { method: "BREW" }],
  ["a path that climbs out", 400, "/../../etc/passwd", null],
  ["a path that is too long", 414, `/${"x".repeat(40_000)}`, null],
  ["a header that is too long", 400, "/", { headers: { "X-Long": "x".repeat(40_000) } }],
  ["a body that is too large", 413, "/api/echo", { method: "POST", body: Buffer.alloc(1_100_000) }],
  ["a redirect", 301, "/api", null],
  ["a proxied answer", 200, "/api/echo", null],
  ["a proxied redirect", 302, "/api/redirect", null],
  ["a proxied failure", 500, "/api/failure", null],
  ["a backend that hangs up", 502, "/api/hangup", null],
  ["a backend that stays silent", 504, "/api/silence", null],
];

let upstream: Running;
let nginx: Nginx;

beforeAll(async () => {
  upstream = await startUpstream();
  nginx = await startNginx({
    environment: { BACKEND_UPSTREAM: `http://127.0.0.1:${upstream.port}` },
    edits: [["proxy_read_timeout 30s;", "proxy_read_timeout 300ms;"]],
  });
});

afterAll(async () => {
  await nginx.stop();
  upstream.stop();
});

function expectSecurity(answer: RawAnswer): void {
  for (const [name, value] of Object.entries(SECURITY)) {
    expect.soft(answer.all(name), name).toEqual([expect.stringMatching(value)]);
  }
  expect.soft(answer.all("Cache-Control")).toHaveLength(1);
  expect.soft(answer.headers.server).toBe("nginx");
}

describe("every answer carries the headers, once", () => {
  test.each(ANSWERS)("%s", async (_what, status, path, request) => {
    const answer = await ask(nginx.port, path, request ?? {});
    expect(answer.status).toBe(status);
    expectSecurity(answer);
  });

  test("an asset that the browser still has", async () => {
    const first = await ask(nginx.port, script);
    const answer = await ask(nginx.port, script, { headers: { "If-None-Match": String(first.headers.etag) } });
    expect(answer.status).toBe(304);
    expectSecurity(answer);
    expect(answer.headers["cache-control"]).toContain("immutable");
  });

  test("bytes that are no request", async () => {
    const answer = await sendRaw(nginx.port, "NONSENSE\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    for (const name of Object.keys(SECURITY)) expect.soft(answer).toContain(`\r\n${name}: `);
  });
});

describe("the request id", () => {
  test.each(["abc-123_X.y", "a", "x".repeat(64)])("a sane one is kept: %s", async (id) => {
    const answer = await ask(nginx.port, "/api/echo", { headers: { "X-Request-ID": id } });
    expect(answer.all("X-Request-ID")).toEqual([id]);
    expect(JSON.parse(String(answer.body)).headers["x-request-id"]).toBe(id);
  });

  test.each(["two words", 'quo"te', "x".repeat(65), "ü"])("another is replaced: %s", async (id) => {
    const answer = await ask(nginx.port, "/api/echo", { headers: { "X-Request-ID": id } });
    const given = JSON.parse(String(answer.body)).headers["x-request-id"];
    expect(given).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.all("X-Request-ID")).toEqual([given]);
  });

  test("it is in the access log, one JSON object a request, without the query", async () => {
    await ask(nginx.port, '/sessions?token=hush&quote="', { headers: { "X-Request-ID": "find-me" } });
    const entry = nginx.accessLog().find((line) => line.request_id === "find-me");
    expect(entry).toMatchObject({ method: "GET", path: "/sessions", status: 200, client: "127.0.0.1" });
    expect(JSON.stringify(nginx.accessLog())).not.toContain("hush");
  });
});
