// Where secrets come from, and what a missing one says.

import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readSecret } from "../src/secret.js";

const file = join(mkdtempSync(join(tmpdir(), "secret-")), "value");
writeFileSync(file, "  of the file\n");

test("the file wins over the variable, and is trimmed", () => {
  assert.equal(readSecret("KEY", { KEY: "of the variable", KEY_FILE: file }), "of the file");
});

test("without a file the variable is read, and trimmed", () => {
  assert.equal(readSecret("KEY", { KEY: " v\n" }), "v");
  assert.equal(readSecret("KEY", { KEY: "v", KEY_FILE: "" }), "v");
});

test("nothing and blanks are no value", () => {
  assert.equal(readSecret("KEY", {}), undefined);
  assert.equal(readSecret("KEY", { KEY: " \n" }), undefined);
});

test("a file that is not there is an error that names the variable and no value", () => {
  assert.throws(() => readSecret("KEY", { KEY: "v", KEY_FILE: "/nowhere" }), /^Error: KEY_FILE: ENOENT.*\/nowhere'$/);
});
