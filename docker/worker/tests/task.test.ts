// What is a task, and what is wrong with what is none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTask } from "../src/task.js";

test("a digest has one round and no pause unless it says otherwise", () => {
  const short = parseTask('{"id":"a","kind":"digest","payload":"x"}');
  assert.deepEqual(short, { id: "a", kind: "digest", payload: "x", rounds: 1, pauseMs: 0 });
  const long = parseTask('{"id":"a","kind":"digest","payload":"x","rounds":3,"pause_ms":10}');
  assert.deepEqual(long, { id: "a", kind: "digest", payload: "x", rounds: 3, pauseMs: 10 });
});

for (const [given, told] of [
  ["nonsense", /JSON/],
  ["[]", /a task is a JSON object/],
  ['{"kind":"digest","payload":"x"}', /`id` must be a text/],
  ['{"id":"../x","kind":"digest","payload":"x"}', /`id` has up to 64/],
  ['{"id":"a","kind":"dig"}', /`kind` must be/],
  ['{"id":"a","kind":"digest"}', /`payload` must be a text/],
  ['{"id":"a","kind":"digest","payload":"x","rounds":0}', /`rounds` must be a whole number between 1 and 100000/],
  ['{"id":"a","kind":"agent","agent":"x"}', /`prompt` must be a text/],
] as const) {
  test(`no task: ${given}`, () => {
    assert.throws(() => parseTask(given), told);
  });
}
