// Sessions and their messages: what a small client of the API does with it. Typed calls, no state.

import { type Client, RefusedError } from "./client";
import { dateOf, type Fields, fieldsOf, numberOf, textOf } from "./fields";

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
  /** Grows along the session; what to ask for messages behind this one with. */
  readonly position: number;
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

/** The session's messages behind a position, oldest first, all pages of them. @throws NoAnswerError, RefusedError */
export async function listMessages(client: Client, session: Session, after = 0): Promise<readonly Message[]> {
  const messages: Message[] = [];
  for (let next: number | null = after; next !== null; ) {
    const answer = await client.request("GET", `${messagesPath(session)}?after=${next}`, { token: session.token });
    const page = answer.ok ? parsePage(answer.body) : null;
    // A page that leads back would be asked for without end.
    if (page === null || (page.next !== null && page.next <= next)) throw new RefusedError(answer);
    messages.push(...page.messages);
    next = page.next;
  }
  return messages;
}

/** Stores a message. @throws NoAnswerError, RefusedError */
export async function postMessage(client: Client, session: Session, role: Role, content: string): Promise<void> {
  const answer = await client.request("POST", messagesPath(session), { token: session.token, body: { role, content } });
  if (!answer.ok) throw new RefusedError(answer);
}

/** Some of a session's messages, and the position to ask for the rest with; null on the last page. */
export interface MessagePage {
  readonly messages: readonly Message[];
  readonly next: number | null;
}

/** Reads a page; entries that are no messages are left out. Null when there is no list. */
export function parsePage(body: unknown): MessagePage | null {
  const fields = fieldsOf(body);
  if (!Array.isArray(fields?.messages)) return null;
  const messages = fields.messages.flatMap((entry: unknown) => parseMessage(fieldsOf(entry)));
  return { messages, next: numberOf(fields.next) };
}

function parseMessage(fields: Fields | null): Message[] {
  const position = numberOf(fields?.position);
  const role = textOf(fields?.role);
  const content = textOf(fields?.content);
  if (position === null || role === null || content === null) return [];
  return [{ position, role, content, createdAt: dateOf(fields?.created_at) }];
}

function messagesPath(session: Session): string {
  return `/api/sessions/${encodeURIComponent(session.id)}/messages`;
}
