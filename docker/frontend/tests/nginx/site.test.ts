// D3: the single-page fallback, caching, compression and /health. D4: the configuration. And what the page itself may load.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "./http";
import { type Nginx, startNginx } from "./nginx";

const DIST = join(import.meta.dirname, "../../dist");
const page = readFileSync(join(DIST, "index.html"), "utf8");
const assets = readdirSync(join(DIST, "assets")).map((name) => `/assets/${name}`);

let nginx: Nginx;
beforeAll(async () => {
  nginx = await startNginx();
});
afterAll(() => nginx.stop());

test.each(["/", "/index.html", "/sessions", "/no/such/page", "/assets", "/health/"])("%s is the page", async (path) => {
  const answer = await ask(nginx.port, path);
  expect(answer).toMatchObject({
    status: 200,
    headers: { "content-type": "text/html", "cache-control": "no-store" },
  });
  expect(String(answer.body)).toBe(page);
});

test.each(assets)("%s is kept for a year", async (path) => {
  const answer = await ask(nginx.port, path);
  expect(answer.status).toBe(200);
  expect(answer.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(answer.headers["content-type"]).toMatch(
    /^(application\/javascript|text\/javascript|text\/css|image\/svg\+xml)$/,
  );
});

test.each(["/assets/gone.js", "/assets/", "/assets/../assets/gone.css"])("%s is missing and not kept", async (path) => {
  expect(await ask(nginx.port, path)).toMatchObject({ status: 404, headers: { "cache-control": "no-store" } });
});

test.each(["/", ...assets.filter((path) => /\.(js|css|svg)$/.test(path))])(
  "%s is compressed on request",
  async (path) => {
    const plain = await ask(nginx.port, path);
    const zipped = await ask(nginx.port, path, { headers: { "Accept-Encoding": "gzip" } });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(zipped.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
  },
);

test("a redirect keeps the address that the visitor used", async () => {
  expect(await ask(nginx.port, "/api")).toMatchObject({ status: 301, headers: { location: "/api/" } });
});

test("/health answers JSON and stays out of the access log", async () => {
  const answer = await ask(nginx.port, "/health");
  expect(answer).toMatchObject({
    status: 200,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
  expect(JSON.parse(String(answer.body))).toEqual({ status: "healthy" });
  expect(nginx.accessLog().some((line) => line.path === "/health")).toBe(false);
});

test("/config.json says that nothing is set", async () => {
  const answer = await ask(nginx.port, "/config.json");
  expect(answer).toMatchObject({
    status: 200,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
  expect(JSON.parse(String(answer.body))).toEqual({ apiBaseUrl: "" });
});

test("the page loads nothing that the content security policy forbids", () => {
  expect(page).not.toMatch(/<style|<script(?![^>]* src=)| style=| on[a-z]+=/);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect.soft(assets).toContain(address);
});
