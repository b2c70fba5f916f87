// Numbers in words.

import { expect, test } from "vitest";
import { duration, label, latency } from "../../src/format";

test.each([
  [0, "0s"],
  [-3, "0s"],
  [59.9, "59s"],
  [60, "1m"],
  [725, "12m 5s"],
  [3_600, "1h"],
  [3_605, "1h"],
  [273_600, "3d 4h"],
  [90_000, "1d 1h"],
])("%d seconds are %s", (seconds, words) => expect(duration(seconds)).toBe(words));

test.each([
  [0, "<0.01 ms"],
  [0.4249, "0.42 ms"],
  [7.26, "7.3 ms"],
  [128.4, "128 ms"],
  [2_440, "2.4 s"],
])("%d ms are %s", (milliseconds, words) => expect(latency(milliseconds)).toBe(words));

test("a name becomes a label", () => expect(label("http_requests_total")).toBe("HTTP requests total"));
