// What goes out, what comes back, and the two ways of getting nothing.

import { expect, test } from "vitest";
import { NoAnswerError, RefusedError } from "../../src/api/client";
import { fakeApi, hanging } from "./fake-api";

test("sends JSON with a bearer token to the base address", async () => {
  const { client, seen } = fakeApi(() => Response.json({}), "https://api.example/v1");
  await client.request("POST", "/api/x", { body: { a: 1 }, token: "t" });
  expect(seen[0]?.url).toBe("https://api.example/v1/api/x");
  expect(seen[0]?.init).toMatchObject({
    method: "POST",
    body: '{"a":1}',
    headers: { Authorization: "Bearer t", "Content-Type": "application/json" },
  });
});

test("reports every answer with its request id, refused ones included", async () => {
  const { client, answers } = fakeApi(() => Response.json({}, { status: 500, headers: { "X-Request-ID": "abc" } }));
  const answer = await client.request("GET", "/api/x");
  expect(answer).toMatchObject({ ok: false, status: 500, requestId: "abc" });
  expect(answers).toEqual([answer]);
});

test("an error page of a proxy has no body, only a status", async () => {
  const { client } = fakeApi(() => new Response("<html>", { status: 502 }));
  expect(await client.request("GET", "/api/x")).toMatchObject({ status: 502, body: undefined, requestId: null });
});

test("a network failure is `unreachable`", async () => {
  const { client } = fakeApi(() => Promise.reject(new TypeError("refused")));
  await expect(client.request("GET", "/api/x")).rejects.toEqual(new NoAnswerError("unreachable"));
});

test("silence is a `timeout`", async () => {
  const { client } = fakeApi(hanging);
  await expect(client.request("GET", "/api/x")).rejects.toEqual(new NoAnswerError("timeout"));
});

test("giving up is the caller's own reason, no failure of the API", async () => {
  const { client, answers } = fakeApi(hanging);
  const gaveUp = new Error("page left");
  await expect(client.request("GET", "/api/x", { signal: AbortSignal.abort(gaveUp) })).rejects.toBe(gaveUp);
  expect(answers).toEqual([]);
});

test.each([
  [{ message: "too long" }, "too long"],
  [{ error: "too long" }, "too long"],
  [{ error: { code: "x", message: "too long" } }, "too long"],
  [{ error: "validation_failed", message: "too long" }, "too long"],
  [{ error: 7 }, "the API refused without a reason"],
  [undefined, "the API refused without a reason"],
])("a refusal speaks with the API's words: %j", (body, message) => {
  const answer = { status: 422, ok: false, body, requestId: null, milliseconds: 1 };
  expect(new RefusedError(answer).message).toBe(message);
});
