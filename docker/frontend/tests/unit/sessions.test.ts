// The sessions API: what is sent where, and which answers are refused.

import { expect, test } from "vitest";
import { RefusedError } from "../../src/api/client";
import { listMessages, openSession, parseMessages, postMessage } from "../../src/api/sessions";
import { fakeApi } from "./fake-api";

const session = { id: "a/b", token: "t" };

test("opens a session", async () => {
  const { client } = fakeApi(() => Response.json({ id: "1", token: "t", extra: true }, { status: 201 }));
  expect(await openSession(client)).toEqual({ id: "1", token: "t" });
});

test("a session without a token is refused", async () => {
  const { client } = fakeApi(() => Response.json({ id: "1" }));
  await expect(openSession(client)).rejects.toThrow(RefusedError);
});

test("reads and writes with the session's token, its id escaped in the path", async () => {
  const { client, seen } = fakeApi(() => Response.json([]));
  await listMessages(client, session);
  await postMessage(client, session, "user", "hello");
  for (const { url, init } of seen) {
    expect(url).toBe("/api/sessions/a%2Fb/messages");
    expect(init.headers).toMatchObject({ Authorization: "Bearer t" });
  }
  expect(seen[1]?.init.body).toBe('{"role":"user","content":"hello"}');
});

test("a refused message is an error with the API's words", async () => {
  const { client } = fakeApi(() => Response.json({ error: "content is empty" }, { status: 422 }));
  await expect(postMessage(client, session, "user", "")).rejects.toThrow("content is empty");
});

test("a list may be bare or named, and what is no message is left out", () => {
  const message = { id: "1", role: "user", content: "hi", created_at: "2025-06-01T10:00:00Z" };
  const expected = [{ id: "1", role: "user", content: "hi", createdAt: new Date("2025-06-01T10:00:00Z") }];
  expect(parseMessages([message, null, { role: "user" }])).toEqual(expected);
  expect(parseMessages({ messages: [message] })).toEqual(expected);
  expect(parseMessages({})).toBeNull();
});
