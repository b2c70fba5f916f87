// The sessions API: what is sent where, and which answers are refused.

import { expect, test } from "vitest";
import { RefusedError } from "../../src/api/client";
import { listMessages, openSession, parsePage, postMessage } from "../../src/api/sessions";
import { fakeApi } from "./fake-api";

const session = { id: "a/b", token: "t" };
const message = (position: number) => ({ position, role: "user", content: "hi", created_at: "2025-06-01T10:00:00Z" });

test("opens a session", async () => {
  const { client } = fakeApi(() => Response.json({ id: "1", token: "t", extra: true }, { status: 201 }));
  expect(await openSession(client)).toEqual({ id: "1", token: "t" });
});

test("a session without a token is refused", async () => {
  const { client } = fakeApi(() => Response.json({ id: "1" }));
  await expect(openSession(client)).rejects.toThrow(RefusedError);
});

test("reads and writes with the session's token, its id escaped in the path", async () => {
  const { client, seen } = fakeApi(() => Response.json({ messages: [] }));
  await listMessages(client, session, 7);
  await postMessage(client, session, "user", "hello");
  expect(seen.map(({ url }) => url)).toEqual(["/api/sessions/a%2Fb/messages?after=7", "/api/sessions/a%2Fb/messages"]);
  for (const { init } of seen) expect(init.headers).toMatchObject({ Authorization: "Bearer t" });
  expect(seen[1]?.init.body).toBe('{"role":"user","content":"hello"}');
});

test("follows the pages to the last one", async () => {
  const pages = [{ messages: [message(1), message(2)], next: 2 }, { messages: [message(3)] }];
  const { client, seen } = fakeApi(() => Response.json(pages.shift()));
  expect((await listMessages(client, session)).map(({ position }) => position)).toEqual([1, 2, 3]);
  expect(seen.map(({ url }) => url.split("?")[1])).toEqual(["after=0", "after=2"]);
});

test("a page that leads back is refused, not followed without end", async () => {
  const { client } = fakeApi(() => Response.json({ messages: [], next: 0 }));
  await expect(listMessages(client, session)).rejects.toThrow(RefusedError);
});

test("a refused message is an error with the API's words", async () => {
  const { client } = fakeApi(() => Response.json({ error: "content is empty" }, { status: 422 }));
  await expect(postMessage(client, session, "user", "")).rejects.toThrow("content is empty");
});

test("what is no message is left out, what is no list is nothing", () => {
  const { messages } = parsePage({ messages: [message(1), null, { position: 2, role: "user" }] }) ?? {};
  expect(messages).toEqual([{ position: 1, role: "user", content: "hi", createdAt: new Date("2025-06-01T10:00:00Z") }]);
  expect(parsePage({})).toBeNull();
});
