// Which API address wins, and what is not an address.

import { describe, expect, test } from "vitest";
import { loadRuntimeConfig, normalizeBaseUrl, type RuntimeConfig, resolveSettings } from "../../src/config";

const loaded = (body: unknown): RuntimeConfig => ({ kind: "loaded", body });
const answering = (response: Response) => (() => Promise.resolve(response)) as typeof fetch;

describe("precedence", () => {
  test.each([
    ["https://run.example", "https://build.example", "https://run.example", "run time"],
    ["", "https://build.example", "https://build.example", "build time"],
    ["/", "https://build.example", "", "run time"],
    ["", "", "", "same origin"],
    ["", undefined, "", "same origin"],
  ])("run time %j, build time %j", (runtime, build, apiBaseUrl, source) => {
    expect(resolveSettings(loaded({ apiBaseUrl: runtime }), build)).toEqual({ apiBaseUrl, source, warning: null });
  });

  test("a missing field means not set", () => {
    expect(resolveSettings(loaded({}), "/v1")).toEqual({ apiBaseUrl: "/v1", source: "build time", warning: null });
  });

  test.each([
    [loaded({ apiBaseUrl: "ftp://x" }), /`ftp:\/\/x` is not/],
    [loaded({ apiBaseUrl: 7 }), /not a string/],
    [loaded("text"), /not an object/],
    [{ kind: "failed", reason: "/config.json answered 500" } as const, /answered 500/],
  ])("an unusable run-time value is skipped and named: %j", (runtime, reason) => {
    const settings = resolveSettings(runtime, "https://build.example");
    expect(settings).toMatchObject({ apiBaseUrl: "https://build.example", source: "build time" });
    expect(settings.warning).toMatch(reason);
  });

  test("every unusable value is named, not only the first", () => {
    const { warning, source } = resolveSettings(loaded({ apiBaseUrl: "nope" }), "also nope");
    expect(source).toBe("same origin");
    expect(warning).toMatch(/`nope`.*`also nope`/);
  });
});

describe("normalizeBaseUrl", () => {
  test.each([
    ["", ""],
    ["  ", ""],
    ["/", ""],
    ["/v1/", "/v1"],
    ["https://api.example:8443//", "https://api.example:8443"],
    ["http://api.example/v1", "http://api.example/v1"],
  ])("%j becomes %j", (value, expected) => expect(normalizeBaseUrl(value)).toBe(expected));

  test.each([
    "javascript:alert(1)",
    "//other.example",
    "api.example",
    "https://user:word@api.example",
    "https://api.example/?q=1",
    "https://",
  ])("%j is refused", (value) => expect(() => normalizeBaseUrl(value)).toThrow("is not an http(s) address"));
});

describe("loadRuntimeConfig", () => {
  test("reads JSON", async () => {
    const config = await loadRuntimeConfig(answering(Response.json({ apiBaseUrl: "/v1" })));
    expect(config).toEqual({ kind: "loaded", body: { apiBaseUrl: "/v1" } });
  });

  test.each([
    ["a status", answering(new Response("", { status: 404 })), "/config.json answered 404"],
    ["a page instead of JSON", answering(new Response("<!doctype html>")), "/config.json is not JSON"],
    ["no network", (() => Promise.reject(new TypeError("x"))) as typeof fetch, "/config.json could not be loaded"],
  ])("%s is an outcome, not an exception", async (_name, fetcher, reason) => {
    expect(await loadRuntimeConfig(fetcher)).toEqual({ kind: "failed", reason });
  });
});
