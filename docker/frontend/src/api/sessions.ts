// Sessions and their messages: what a small client of the API does with it. Typed calls, no state.

import { type Client, RefusedError } from "./client";
import { dateOf, type Fields, fieldsOf, textOf } from "./fields";

/** Who a message is from. */
export const ROLES = ["user", "assistant", "system"] as const;

/** One of the roles that the API takes. */
export type Role = (typeof ROLES)[number];

/** A session that this page opened. */
export interface Session {
  readonly id: string;
  /** Proves the right to read and write this session; kept in memory only. */
  readonly token: string;
}

/** A stored message. */
export interface Message {
  readonly id: string | null;
  readonly role: string;
  readonly content: string;
  readonly createdAt: Date | null;
}

/** Opens a session. @throws NoAnswerError, RefusedError */
export async function openSession(client: Client): Promise<Session> {
  const answer = await client.request("POST", "/api/sessions", { body: {} });
  const fields = answer.ok ? fieldsOf(answer.body) : null;
  const id = textOf(fields?.id);
  const token = textOf(fields?.token);
  if (id === null || token === null) throw new RefusedError(answer);
  return { id, token };
}

/** The session's messages, oldest first as the API gives them. @throws NoAnswerError, RefusedError */
export async function listMessages(client: Client, session: Session): Promise<readonly Message[]> {
  const answer = await client.request("GET", messagesPath(session), { token: session.token });
  const messages = answer.ok ? parseMessages(answer.body) : null;
  if (messages === null) throw new RefusedError(answer);
  return messages;
}

/** Stores a message. @throws NoAnswerError, RefusedError */
export async function postMessage(client: Client, session: Session, role: Role, content: string): Promise<void> {
  const answer = await client.request("POST", messagesPath(session), { token: session.token, body: { role, content } });
  if (!answer.ok) throw new RefusedError(answer);
}

/** Reads a list, bare or under `messages`; entries that are no messages are left out. Null when there is no list. */
export function parseMessages(body: unknown): readonly Message[] | null {
  const list = Array.isArray(body) ? body : fieldsOf(body)?.messages;
  if (!Array.isArray(list)) return null;
  return list.flatMap((entry: unknown) => parseMessage(fieldsOf(entry)));
}

function parseMessage(fields: Fields | null): Message[] {
  const role = textOf(fields?.role);
  const content = textOf(fields?.content);
  if (role === null || content === null) return [];
  return [{ id: textOf(fields?.id), role, content, createdAt: dateOf(fields?.created_at) }];
}

function messagesPath(session: Session): string {
  return `/api/sessions/${encodeURIComponent(session.id)}/messages`;
}
