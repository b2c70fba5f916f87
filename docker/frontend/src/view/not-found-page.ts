// The page for a path that means nothing here.

import { html } from "./dom";
import type { View } from "./page";

/** Says that `path` is no page, and shows the way back. */
export function notFoundPage(path: string): View {
  const element = html(
    "section",
    { class: "panel not-found" },
    html("p", { class: "eyebrow" }, "404"),
    html("h1", {}, "There is no page here"),
    html("p", {}, "Nothing answers to ", html("code", {}, path), "."),
    html("p", {}, html("a", { href: "/", class: "button" }, "Back to the status")),
  );
  return { title: "Not found", element, dispose() {} };
}
