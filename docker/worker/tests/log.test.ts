// What is left out, and the two shapes of a line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "../src/log.js";

test("json lines are objects, and what is less urgent is left out", () => {
  const lines: string[] = [];
  const log = createLog("info", "json", (line) => lines.push(line));
  log.debug("no");
  log.warn("two\nlines", { task: "a" });
  assert.equal(lines.length, 1);
  const { timestamp, ...rest } = JSON.parse(lines[0] ?? "");
  assert.deepEqual(rest, { level: "warn", message: "two\nlines", task: "a" });
  assert.ok(Date.parse(timestamp) > 0);
});

test("pretty lines are for people", () => {
  const lines: string[] = [];
  createLog("info", "pretty", (line) => lines.push(line)).info("task taken", { task: "a" });
  assert.match(lines[0] ?? "", /^[\d:.]{12} INFO {2}task taken task="a"$/);
});
