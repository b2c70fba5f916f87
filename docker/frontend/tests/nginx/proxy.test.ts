// P6: what the backend is told, and what happens while it is away, back, or somewhere else.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { ask } from "./http";
import { freePort, type Nginx, startNginx } from "./nginx";
import { startNameServer, startUpstream } from "./upstream";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function nginxBefore(upstream: string, options: Parameters<typeof startNginx>[0] = {}): Promise<Nginx> {
  const environment = { ...options.environment, BACKEND_UPSTREAM: upstream };
  const nginx = await startNginx({ ...options, environment });
  cleanUp.push(nginx.stop);
  return nginx;
}

async function upstreamAt(address?: string, port?: number) {
  const upstream = await startUpstream(address, port);
  cleanUp.push(upstream.stop);
  return upstream;
}

async function toldBackend(nginx: Nginx, path: string, headers: Record<string, string> = {}) {
  return JSON.parse(String((await ask(nginx.port, path, { headers })).body));
}

test("the backend learns who asked, for what, and how", async () => {
  const { port } = await upstreamAt();
  const nginx = await nginxBefore(`http://127.0.0.1:${port}`);
  const told = await toldBackend(nginx, "/api/a%2Fb?q=%20x", {
    Host: "shop.example:8443",
    "X-Forwarded-For": "192.0.2.7",
  });
  expect(told.url).toBe("/api/a%2Fb?q=%20x");
  expect(told.headers).toMatchObject({
    host: "shop.example:8443",
    "x-real-ip": "127.0.0.1",
    "x-forwarded-for": "192.0.2.7, 127.0.0.1",
    "x-forwarded-proto": "http",
  });
});

test.each([
  ["https", "https"],
  ["http", "http"],
  ["gopher", "http"],
])("an edge's scheme %s is passed on as %s", async (given, told) => {
  const { port } = await upstreamAt();
  const nginx = await nginxBefore(`http://127.0.0.1:${port}`);
  const { headers } = await toldBackend(nginx, "/api/echo", { "X-Forwarded-Proto": given });
  expect(headers["x-forwarded-proto"]).toBe(told);
});

test("the backend decides about caching its answers; without a word they are not kept", async () => {
  const { port } = await upstreamAt();
  const nginx = await nginxBefore(`http://127.0.0.1:${port}`);
  expect((await ask(nginx.port, "/api/cacheable")).all("Cache-Control")).toEqual(["private, max-age=5"]);
  expect((await ask(nginx.port, "/api/echo")).all("Cache-Control")).toEqual(["no-store"]);
});

test("answers of the backend are compressed too", async () => {
  const { port } = await upstreamAt();
  const nginx = await nginxBefore(`http://127.0.0.1:${port}`);
  const answer = await ask(nginx.port, "/api/echo", { headers: { "Accept-Encoding": "gzip" } });
  expect(answer.headers["content-encoding"]).toBe("gzip");
});

test("a backend that is down is a 502 in JSON with the request id", async () => {
  const nginx = await nginxBefore(`http://127.0.0.1:${await freePort()}`);
  const answer = await ask(nginx.port, "/api/status", { headers: { "X-Request-ID": "lost-one" } });
  expect(answer).toMatchObject({
    status: 502,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
  expect(JSON.parse(String(answer.body))).toEqual({
    error: { code: "backend_unavailable", message: "the backend does not answer" },
  });
  expect(answer.headers["x-request-id"]).toBe("lost-one");
  expect(nginx.errorLog()).toContain("connect() failed");
});

test("nginx starts before the backend's name is known and follows it to a new address", async () => {
  const names = await startNameServer();
  cleanUp.push(names.stop);
  const { port } = await upstreamAt("127.0.0.1");
  await upstreamAt("127.0.0.2", port);
  const nginx = await nginxBefore(`http://backend:${port}`, {
    environment: { NGINX_LOCAL_RESOLVERS: `127.0.0.1:${names.port}` },
    edits: [["valid=5s", "valid=1s"]],
  });

  expect((await ask(nginx.port, "/api/echo")).status).toBe(502);
  for (const address of ["127.0.0.1", "127.0.0.2"]) {
    names.address = address;
    await vi.waitFor(async () => expect(await toldBackend(nginx, "/api/echo")).toMatchObject({ address }), 4_000);
  }
}, 15_000);

test("SIGQUIT lets a request finish, refuses new ones, and ends with 0", async () => {
  const { port } = await upstreamAt();
  const nginx = await nginxBefore(`http://127.0.0.1:${port}`);
  const inFlight = ask(nginx.port, "/api/slow");
  await sleep(100);
  nginx.process.kill("SIGQUIT");
  await vi.waitFor(() => expect(ask(nginx.port, "/health")).rejects.toThrow("ECONNREFUSED"));
  expect((await inFlight).status).toBe(200);
  if (nginx.process.exitCode === null) await once(nginx.process, "exit");
  expect(nginx.process.exitCode).toBe(0);
});
