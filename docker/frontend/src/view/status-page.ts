// The stack's live health: asks every few seconds and redraws. What an answer means is decided in api/status.ts.

import { type Counter, fetchStatus, type Health, type StatusReport } from "../api/status";
import { clock, duration, label } from "../format";
import { type Pace, startPolling } from "../poller";
import { html, setText } from "./dom";
import { describeFailure } from "./failure";
import type { PageContext, View } from "./page";
import { serviceCard } from "./service-card";

const PACE: Pace = { intervalMs: 5_000, slowestMs: 30_000 };
const HISTORY_LENGTH = 40;

const VERDICTS: Readonly<Record<Health, string>> = {
  healthy: "All systems healthy",
  degraded: "Running, with trouble",
  unhealthy: "The stack is unhealthy",
  unknown: "Health not known",
};

/** Shows the stack's health, live until it is disposed of. */
export function statusPage({ client }: PageContext): View {
  const history = new LatencyHistory();
  const page = draw();
  const poller = startPolling(ask, PACE);
  page.refresh.addEventListener("click", () => poller.refresh());

  async function ask(signal: AbortSignal): Promise<boolean> {
    page.refresh.setAttribute("aria-busy", "true");
    try {
      page.showReport(await fetchStatus(client, signal), history);
      return true;
    } catch (error) {
      if (!signal.aborted) page.showFailure(error);
      return false;
    } finally {
      page.refresh.removeAttribute("aria-busy");
    }
  }

  return { title: "Status", element: page.element, dispose: () => poller.stop() };
}

/** The last latencies of every service, newest last, in milliseconds. */
class LatencyHistory {
  readonly #values = new Map<string, (number | null)[]>();

  /** Adds the report's latencies. */
  add(report: StatusReport): void {
    for (const { name, latencyMs } of report.services) {
      this.#values.set(name, [...this.of(name), latencyMs].slice(-HISTORY_LENGTH));
    }
  }

  of(name: string): readonly (number | null)[] {
    return this.#values.get(name) ?? [];
  }
}

function draw() {
  const verdict = html("span", { role: "status" }, "Asking the stack…");
  const detail = html("p", { class: "quiet" }, "The first answer is on its way.");
  const refresh = html("button", { type: "button", class: "button" }, "Refresh");
  const panel = html("section", { class: "panel verdict", "data-health": "unknown" });
  panel.append(
    html("span", { class: "lamp", "aria-hidden": "true" }),
    html("div", { class: "verdict-text" }, html("h1", {}, verdict), detail),
    refresh,
  );
  const facts = html("dl", { class: "facts" });
  const services = section("Services", html("ul", { class: "cards" }));
  const counters = section("Counters", html("dl", { class: "facts" }));
  const element = html("div", { class: "page" }, panel, facts, services.element, counters.element);

  function say(health: Health, headline: string, text: string): void {
    panel.dataset.health = health;
    setText(verdict, headline);
    setText(detail, text);
  }

  return {
    element,
    refresh,
    showReport(report: StatusReport, history: LatencyHistory): void {
      history.add(report);
      element.classList.remove("is-stale");
      say(report.health, VERDICTS[report.health], `Updated ${clock(new Date())}`);
      facts.replaceChildren(...factsOf(report).map(([name, value]) => fact(name, value)));
      services.fill(report.services.map((service) => serviceCard(service, history.of(service.name))));
      counters.fill(report.counters.map(counterFact));
    },
    showFailure(error: unknown): void {
      element.classList.add("is-stale");
      say("unhealthy", "No answer from the stack", describeFailure(error));
    },
  };
}

/** A titled part of the page that is hidden while it has nothing to show. */
function section(title: string, list: HTMLElement) {
  const element = html("section", { hidden: true }, html("h2", {}, title), list);
  return {
    element,
    fill(children: readonly HTMLElement[]): void {
      element.hidden = children.length === 0;
      list.replaceChildren(...children);
    },
  };
}

function factsOf(report: StatusReport): readonly (readonly [string, string])[] {
  const facts: readonly (readonly [string, string | null])[] = [
    ["Application", report.name],
    ["Version", report.version],
    ["Environment", report.environment],
    ["Uptime", report.uptimeSeconds === null ? null : duration(report.uptimeSeconds)],
    ["Backend's time", report.timestamp === null ? null : clock(report.timestamp)],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

function counterFact({ name, value }: Counter): HTMLElement {
  return fact(label(name), value.toLocaleString());
}

function fact(name: string, value: string): HTMLElement {
  return html("div", {}, html("dt", {}, name), html("dd", {}, value));
}
