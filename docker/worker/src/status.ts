// The HTTP server that tells how this instance is: /health (this process), /ready (with what it needs) and /metrics.

import { createServer, type Server, type ServerResponse } from "node:http";
import { type Delay, examine } from "./health.js";
import { reason } from "./log.js";
import type { Metrics } from "./metrics.js";

/** What the server tells about. */
export interface Told {
  readonly dataDir: string;
  readonly delay: Pick<Delay, "average">;
  readonly metrics: Metrics;
  /** Whether tasks can be taken. */
  readonly isReady: () => Promise<boolean>;
}

/** A server that listens on a port of all addresses. */
export async function serve(port: number, told: Told): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request.url ?? "", told, response).catch((error) => json(response, 500, { error: reason(error) }));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, resolve));
  return server;
}

async function answer(path: string, told: Told, response: ServerResponse): Promise<void> {
  switch (path) {
    case "/health": {
      const health = await examine(told.dataDir, told.delay.average);
      return json(response, health.status === "healthy" ? 200 : 503, health);
    }
    case "/ready": {
      const isReady = await told.isReady();
      return json(response, isReady ? 200 : 503, { status: isReady ? "ready" : "redis does not answer" });
    }
    case "/metrics":
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
      response.end(told.metrics.render(told.delay.average));
      return;
    default:
      return json(response, 404, { error: "there is /health, /ready and /metrics" });
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
