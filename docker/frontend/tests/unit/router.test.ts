// Paths and the pages they mean.

import { expect, test } from "vitest";
import { pageAt } from "../../src/router";

test.each([
  ["/", "status"],
  ["", "status"],
  ["//", "status"],
  ["/sessions", "sessions"],
  ["/sessions/", "sessions"],
  ["/sessions/1", "not-found"],
  ["/Sessions", "not-found"],
  ["/index.html", "not-found"],
])("%j is %s", (path, page) => expect(pageAt(path)).toBe(page));
