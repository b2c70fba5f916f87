// One service of the stack as a card: its state in a word, its latency, what it says.

import type { Health, ServiceReport } from "../api/status";
import { label, latency } from "../format";
import { html } from "./dom";
import { sparkline } from "./sparkline";

const PRODUCTS: ReadonlyMap<string, string> = new Map([
  ["postgres", "PostgreSQL"],
  ["redis", "Redis"],
  ["mqtt", "MQTT"],
]);

/** A health as a coloured word; the word and the mark's shape say it without the colour. */
export function healthBadge(health: Health): HTMLElement {
  return html("span", { class: "badge", "data-health": health }, label(health));
}

/** The card of one service; `history` holds its latencies, newest last, in milliseconds. */
export function serviceCard(service: ServiceReport, history: readonly (number | null)[]): HTMLElement {
  const name = PRODUCTS.get(service.name) ?? label(service.name);
  const hasLatency = service.latencyMs !== null;
  return html(
    "li",
    { class: "card", "data-health": service.health },
    html("div", { class: "card-head" }, html("h3", {}, name), healthBadge(service.health)),
    html(
      "div",
      { class: "card-body" },
      html("p", { class: "figure" }, hasLatency ? latency(service.latencyMs ?? 0) : "–"),
      hasLatency ? sparkline(history) : null,
    ),
    html(
      "p",
      { class: "quiet" },
      service.message ?? (hasLatency ? "round trip from the backend" : "no latency reported"),
    ),
  );
}
