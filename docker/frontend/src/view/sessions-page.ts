// A small client of the sessions API: start a session, write messages, read them back. The calls live in api/sessions.ts.

import { listMessages, openSession, postMessage, ROLES, type Role, type Session } from "../api/sessions";
import { html, setText } from "./dom";
import { describeFailure } from "./failure";
import { messageList } from "./message-list";
import type { PageContext, View } from "./page";

const MAX_CONTENT_LENGTH = 4_000;

/** Starts sessions and exchanges messages; the session is forgotten when the page is left. */
export function sessionsPage({ client }: PageContext): View {
  const page = draw();
  let session: Session | null = null;

  /** Runs one action with the controls locked; a failure is shown, and the page stays usable. */
  async function act(action: () => Promise<void>): Promise<void> {
    page.lock(true);
    setText(page.failure, "");
    try {
      await action();
    } catch (error) {
      setText(page.failure, describeFailure(error));
    } finally {
      page.lock(false);
    }
  }

  page.start.addEventListener("click", () =>
    act(async () => {
      session = await openSession(client);
      page.showSession(session);
      page.messages.clear();
      page.messages.add(await listMessages(client, session));
    }),
  );

  page.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const current = session;
    if (current === null) return;
    void act(async () => {
      await postMessage(client, current, page.role.value as Role, page.content.value);
      page.content.value = "";
      page.messages.add(await listMessages(client, current, page.messages.newest));
    }).then(() => page.content.focus());
  });

  return { title: "Sessions", element: page.element, dispose() {} };
}

function draw() {
  const start = html("button", { type: "button", class: "button primary" }, "Start a session");
  const note = html(
    "p",
    { class: "quiet", role: "status" },
    "A session is stored in PostgreSQL; its token stays here.",
  );
  const failure = html("p", { class: "failure", role: "alert" });
  const messages = messageList();
  const { form, role, content, send } = messageForm();
  const conversation = html("section", { hidden: true }, html("h2", {}, "Messages"), messages.element, form);
  const intro = html("section", { class: "panel intro" });
  intro.append(html("div", {}, html("h1", {}, "Sessions"), note), start);

  return {
    element: html("div", { class: "page" }, intro, failure, conversation),
    start,
    failure,
    messages,
    form,
    role,
    content,
    showSession(session: Session): void {
      setText(start, "Start another");
      note.replaceChildren("Session ", html("code", {}, session.id));
      conversation.hidden = false;
    },
    lock(isLocked: boolean): void {
      for (const control of [start, send]) control.disabled = isLocked;
    },
  };
}

function messageForm() {
  const role = html("select", { id: "role" }, ...ROLES.map((name) => html("option", { value: name }, name)));
  const content = html("textarea", { id: "content", rows: "3", required: true, maxlength: String(MAX_CONTENT_LENGTH) });
  const send = html("button", { type: "submit", class: "button primary" }, "Send");
  const form = html(
    "form",
    { class: "panel message-form" },
    html("div", { class: "field" }, html("label", { for: "role" }, "From"), role),
    html("div", { class: "field" }, html("label", { for: "content" }, "Message"), content),
    send,
  );
  return { form, role, content, send };
}
