// The line's geometry.

import { expect, test } from "vitest";
import { points } from "../../src/view/sparkline";

test.each([
  [[], ""],
  [[5], ""],
  [[null, 5, null], ""],
  [[0, 10], "2,26 118,2"],
  [[0, 0], "2,26 118,26"],
  [[5, null, 10, 0], "2,14 60,2 118,26"],
])("%j", (values, expected) => expect(points(values)).toBe(expected));
