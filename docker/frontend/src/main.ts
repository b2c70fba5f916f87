// A table of contents: settings, client, frame, routes. Everything else has a file of its own.

import { createClient } from "./api/client";
import { loadRuntimeConfig, resolveSettings } from "./config";
import { type Page, pageAt, startRouter } from "./router";
import { notFoundPage } from "./view/not-found-page";
import type { PageContext, View } from "./view/page";
import { sessionsPage } from "./view/sessions-page";
import { mountShell } from "./view/shell";
import { statusPage } from "./view/status-page";

const PAGES: Readonly<Record<Page, (context: PageContext, path: string) => View>> = {
  status: statusPage,
  sessions: sessionsPage,
  "not-found": (_context, path) => notFoundPage(path),
};

async function start(root: HTMLElement): Promise<void> {
  const settings = resolveSettings(await loadRuntimeConfig(), import.meta.env.VITE_API_BASE_URL);
  const shell = mountShell(root, settings);
  const client = createClient({ baseUrl: settings.apiBaseUrl, onAnswer: shell.noteAnswer });
  startRouter((path, isFirst) => shell.show(PAGES[pageAt(path)]({ client }, path), path, isFirst));
}

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no element `app`");
void start(root);
