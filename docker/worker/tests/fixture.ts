// What several tests need: settings in a folder of their own, and a log that nobody reads.

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../src/log.js";
import { readSettings, type Settings } from "../src/settings.js";

/** A log whose lines go nowhere. */
export const silent = createLog("error", "json", () => undefined);

/** Settings whose directories exist and are empty. */
export function settingsIn(env: Record<string, string> = {}): Settings {
  const root = mkdtempSync(join(tmpdir(), "worker-"));
  const directory = (name: string) => {
    mkdirSync(join(root, name), { recursive: true });
    return join(root, name);
  };
  return readSettings({
    WORKER_ID: "here",
    DATA_DIR: directory("data"),
    LOGS_DIR: directory("logs"),
    WORKSPACE_DIR: directory("workspace"),
    CONFIG_DIR: directory("config"),
    ...env,
  });
}
