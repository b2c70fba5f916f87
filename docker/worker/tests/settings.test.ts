// Defaults, and everything wrong told at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "../src/settings.js";

test("everything has a default", () => {
  const settings = readSettings({});
  assert.deepEqual([settings.statusPort, settings.stopPatience, settings.logFormat], [3002, 30, "json"]);
  assert.equal(settings.credentials.size, 0);
});

test("credentials are those that were given", () => {
  const { credentials } = readSettings({ GITHUB_TOKEN: "t", CLICKUP_API_KEY: "" });
  assert.deepEqual([...credentials], [["GITHUB_TOKEN", "t"]]);
});

test("everything that is wrong is told, one problem per line", () => {
  const wrong = { STATUS_PORT: "0", STOP_PATIENCE: "soon", LOG_LEVEL: "loud", GITHUB_TOKEN_FILE: "/nowhere" };
  const told = [
    "STATUS_PORT must be a whole number between 1 and 65535, not `0`",
    "STOP_PATIENCE must be a whole number between 1 and 3600, not `soon`",
    "LOG_LEVEL must be one of error, warn, info, debug, trace, not `loud`",
    "GITHUB_TOKEN_FILE: ENOENT: no such file or directory, open '/nowhere'",
  ];
  assert.throws(() => readSettings(wrong), { message: told.join("\n") });
});
