// The frame around every page: header, navigation, footer with the last request's id. It knows no page's content.

import type { Answer } from "../api/client";
import type { Settings } from "../config";
import { html, setText } from "./dom";
import type { View } from "./page";

const LINKS = [
  ["/", "Status"],
  ["/sessions", "Sessions"],
] as const;

/** The frame's moving parts. */
export interface Shell {
  /** Puts a page in the frame; `path` marks the current link. After the first page the focus follows the reader. */
  show(view: View, path: string, isFirst: boolean): void;
  /** Notes an answer's request id in the footer. */
  noteAnswer(answer: Answer): void;
}

/** Draws the frame into `root`. */
export function mountShell(root: HTMLElement, settings: Settings): Shell {
  const links = LINKS.map(([path, text]) => html("a", { href: path }, text));
  const main = html("main", { id: "main", tabindex: "-1" });
  const requestId = html("code", { class: "request-id" }, "none yet");
  root.replaceChildren(
    html("a", { href: "#main", class: "skip-link" }, "Skip to content"),
    header(links),
    ...(settings.warning === null ? [] : [html("p", { class: "notice", role: "alert" }, settings.warning)]),
    main,
    footer(settings, requestId),
  );
  let current: View | null = null;

  return {
    show(view, path, isFirst) {
      current?.dispose();
      current = view;
      main.replaceChildren(view.element);
      document.title = `${view.title} · Reference stack`;
      for (const link of links) markCurrent(link, path);
      if (!isFirst) main.focus({ preventScroll: true });
      if (!isFirst) window.scrollTo(0, 0);
    },
    noteAnswer: (answer) => setText(requestId, answer.requestId ?? "the answer carried none"),
  };
}

function header(links: readonly HTMLElement[]): HTMLElement {
  const brand = html("a", { href: "/", class: "brand" }, html("span", { class: "brand-mark", "aria-hidden": "true" }));
  brand.append("Reference stack");
  const navigation = html("nav", { "aria-label": "Pages" }, ...links);
  return html("header", { class: "bar" }, html("div", { class: "bar-inner" }, brand, navigation));
}

function footer(settings: Settings, requestId: HTMLElement): HTMLElement {
  const address = settings.apiBaseUrl === "" ? "this origin" : settings.apiBaseUrl;
  const source = settings.source === "same origin" ? "" : ` (set at ${settings.source})`;
  return html(
    "footer",
    { class: "foot" },
    html("p", {}, "Last request id ", requestId),
    html("p", {}, "API at ", html("code", {}, address), source),
  );
}

function markCurrent(link: HTMLAnchorElement, path: string): void {
  if (link.pathname === (path.replace(/\/+$/, "") || "/")) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}
