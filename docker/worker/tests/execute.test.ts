// Tasks of each kind, from the task to the file that holds its result.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { execute, forget, prepare } from "../src/execute.js";
import type { Settings } from "../src/settings.js";
import type { AgentTask, DigestTask } from "../src/task.js";
import { settingsIn } from "./fixture.js";

const task: DigestTask = { id: "a", kind: "digest", payload: "abc", rounds: 1, pauseMs: 0 };
/** SHA-256 of `abc`, from FIPS 180-4's examples. */
const DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const never = new AbortController().signal;

async function prepared(env: Record<string, string> = {}): Promise<Settings> {
  const settings = settingsIn(env);
  await prepare(settings);
  return settings;
}

test("a digest is in its file and in the track", async () => {
  const settings = await prepared();
  const result = await execute(task, settings, never);
  assert.deepEqual([result.status, result.output, result.worker], ["done", DIGEST, "here"]);
  assert.deepEqual(readdirSync(join(settings.dataDir, "state")), ["a.json"]);
  assert.deepEqual(JSON.parse(readFileSync(join(settings.dataDir, "state", "a.json"), "utf8")), result);
  const [track] = readdirSync(join(settings.dataDir, "tracking"));
  assert.equal(JSON.parse(readFileSync(join(settings.dataDir, "tracking", track ?? ""), "utf8")).id, "a");
});

test("each round digests what the one before gave", async () => {
  const settings = await prepared();
  const twice = await execute({ ...task, rounds: 2 }, settings, never);
  assert.equal(twice.output, (await execute({ ...task, payload: DIGEST }, settings, never)).output);
});

test("a task that is given up leaves nothing", async () => {
  const settings = await prepared();
  const giveUp = new AbortController();
  const executing = execute({ ...task, rounds: 2, pauseMs: 60_000 }, settings, giveUp.signal);
  giveUp.abort(new Error("enough"));
  await assert.rejects(executing);
  assert.deepEqual(readdirSync(join(settings.dataDir, "state")), []);
});

const agentTask: AgentTask = { id: "b", kind: "agent", agent: "echo", prompt: "hello" };

async function withAgent(script: string): Promise<Settings> {
  const settings = await prepared({ GITHUB_TOKEN: "token", CLICKUP_API_KEY: "key" });
  const agents = { echo: { command: [process.execPath, "-e", script], credentials: ["GITHUB_TOKEN"] } };
  writeFileSync(join(settings.configDir, "agents.json"), JSON.stringify(agents));
  return settings;
}

test("an agent reads its prompt, works in the workspace and has its own credentials only", async () => {
  const script = `process.stdin.on("data", (prompt) => console.log(String(prompt), process.cwd(), process.env.GITHUB_TOKEN, process.env.CLICKUP_API_KEY))`;
  const settings = await withAgent(script);
  const result = await execute(agentTask, settings, never);
  const said = `hello ${settings.workspaceDir} token undefined\n`;
  assert.deepEqual([result.status, result.output], ["done", said]);
  assert.equal(readFileSync(join(settings.logsDir, "b.log"), "utf8"), said);
});

test("an agent that fails is a task that failed", async () => {
  const settings = await withAgent("console.log('no'); process.exit(3)");
  const result = await execute(agentTask, settings, never);
  assert.deepEqual([result.status, result.output], ["failed", "`echo` ended with exit code 3: no"]);
  const unknown = await execute({ ...agentTask, agent: "nobody" }, settings, never);
  assert.deepEqual([unknown.status, unknown.output], ["failed", "no agent is called `nobody` here"]);
});

test("an agent that is given up is ended", async () => {
  const settings = await withAgent("setInterval(() => {}, 1000)");
  const giveUp = new AbortController();
  const executing = execute(agentTask, settings, giveUp.signal);
  setTimeout(() => giveUp.abort(new Error("enough")), 200);
  await assert.rejects(executing, /enough/);
});

test("what is older than results are kept is removed", async () => {
  const settings = await prepared();
  for (const name of ["old", "new"]) writeFileSync(join(settings.dataDir, "state", name), "");
  utimesSync(join(settings.dataDir, "state", "old"), 0, 0);
  await forget(settings);
  assert.deepEqual(readdirSync(join(settings.dataDir, "state")), ["new"]);
});
