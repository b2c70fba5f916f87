// The two answers that nginx gives in production and the development server has to give itself: `/health` and
// `/config.json`. Keeping them the same in both targets lets one probe and one page fit both.

import type { ServerResponse } from "node:http";
import type { Plugin } from "vite";

/** Answers `/health` and `/config.json` on the development server; `API_BASE_URL` is read from `environment`. */
export function stackEndpoints(environment: NodeJS.ProcessEnv): Plugin {
  return {
    name: "stack-endpoints",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use("/health", (_request, response) => sendJson(response, { status: "healthy" }));
      server.middlewares.use("/config.json", (_request, response) =>
        sendJson(response, { apiBaseUrl: environment.API_BASE_URL ?? "" }),
      );
    },
  };
}

function sendJson(response: ServerResponse, body: object): void {
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Cache-Control", "no-store");
  response.end(JSON.stringify(body));
}
