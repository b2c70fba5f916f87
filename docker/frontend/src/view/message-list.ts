// A session's messages, oldest first. New ones are read out by a screen reader, as in any log.

import type { Message } from "../api/sessions";
import { clock } from "../format";
import { html } from "./dom";

/** The list and the way to fill it. */
export interface MessageList {
  readonly element: HTMLElement;
  /** Shows the messages of a session; those already shown stay as they are, so that only new ones are read out. */
  fill(messages: readonly Message[]): void;
  /** Empties the list for another session. */
  clear(): void;
}

/** An empty list that says so. */
export function messageList(): MessageList {
  const list = html("ol", { class: "messages" });
  const empty = html("p", { class: "quiet" }, "No messages yet. Write the first one.");
  const element = html("div", { role: "log", "aria-label": "Messages" }, empty, list);
  return {
    element,
    fill(messages) {
      empty.hidden = messages.length > 0;
      list.append(...messages.slice(list.childElementCount).map(messageItem));
    },
    clear() {
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
