// A session's messages, oldest first. New ones are read out by a screen reader, as in any log.

import type { Message } from "../api/sessions";
import { clock } from "../format";
import { html } from "./dom";

/** The list, what it has reached, and the ways to change it. */
export interface MessageList {
  readonly element: HTMLElement;
  /** The position of the newest message shown; 0 when there is none. */
  readonly newest: number;
  /** Adds newer messages; those already shown stay as they are, so that only the new ones are read out. */
  add(messages: readonly Message[]): void;
  /** Empties the list for another session. */
  clear(): void;
}

/** An empty list that says so. */
export function messageList(): MessageList {
  const list = html("ol", { class: "messages" });
  const empty = html("p", { class: "quiet" }, "No messages yet. Write the first one.");
  let newest = 0;
  const element = html("div", { role: "log", "aria-label": "Messages" }, empty, list);
  return {
    element,
    get newest() {
      return newest;
    },
    add(messages) {
      list.append(...messages.map(messageItem));
      newest = messages.at(-1)?.position ?? newest;
      empty.hidden = list.childElementCount > 0;
    },
    clear() {
      newest = 0;
      empty.hidden = false;
      list.replaceChildren();
    },
  };
}

function messageItem({ role, content, createdAt }: Message): HTMLElement {
  const time = createdAt === null ? null : html("time", { datetime: createdAt.toISOString() }, clock(createdAt));
  return html(
    "li",
    { class: "message", "data-role": role },
    html("p", { class: "message-head" }, html("strong", {}, role), time),
    html("p", { class: "message-content" }, content),
  );
}
