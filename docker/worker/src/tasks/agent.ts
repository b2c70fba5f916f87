// The agent task: runs a command-line agent in the workspace, with its prompt on stdin. Which agents there are, and which
// credentials each is given, stands in `agents.json` of the configuration, or of the image where that has none.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type { Settings } from "../settings.js";
import type { AgentTask } from "../task.js";

/** An agent of `agents.json`. */
interface Agent {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The credentials that it finds in its environment. */
  readonly credentials?: readonly string[];
}

/** How much of what an agent says becomes the result, in characters from the end; all of it is in its log. */
const OUTPUT = 64 * 1024;

/**
 * What the agent said on stdout; with stderr it is also in the logs, in a file named after the task.
 *
 * @throws if there is no such agent, it cannot be started or fails; the signal's reason once it is aborted, which ends the agent and
 * everything it has started.
 */
export async function runAgent(task: AgentTask, settings: Settings, signal: AbortSignal): Promise<string> {
  const agent = (await readAgents(settings))[task.agent];
  const [program, ...args] = agent?.command ?? [];
  if (agent === undefined || program === undefined) throw new Error(`no agent is called \`${task.agent}\` here`);
  signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd: settings.workspaceDir,
    env: environment(agent, settings),
    // A group of its own, so that all of it can be ended.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  // An agent that ends without reading its prompt is judged by its exit code.
  child.stdin.on("error", () => undefined);
  child.stdin.end(task.prompt);
  const log = createWriteStream(join(settings.logsDir, `${task.id}.log`));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-OUTPUT);
    log.write(text);
  });
  child.stderr.on("data", (bytes: Buffer) => log.write(bytes));
  const code = await ended(child, signal).finally(() => finished(log.end()));
  if (code !== 0) throw new Error(`\`${task.agent}\` ended with exit code ${code}: ${said.slice(-1000).trim()}`);
  return said;
}

async function readAgents({ configDir, agentsFile }: Settings): Promise<Record<string, Agent>> {
  const own = join(configDir, "agents.json");
  return JSON.parse(await readFile(existsSync(own) ? own : agentsFile, "utf8"));
}

function environment(agent: Agent, { credentials, dataDir }: Settings): NodeJS.ProcessEnv {
  const cache = join(dataDir, "cache");
  const given = (agent.credentials ?? []).flatMap((name) => {
    const value = credentials.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { PATH: process.env.PATH, HOME: cache, XDG_CACHE_HOME: cache, ...Object.fromEntries(given) };
}

/** Its exit code, or the signal that ended it. */
async function ended(child: ChildProcess, signal: AbortSignal): Promise<number | string> {
  const end = () => {
    // None if it could not be started.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, name) =>
        signal.aborted ? reject(signal.reason) : resolve(code ?? name ?? "unknown"),
      );
    });
  } finally {
    signal.removeEventListener("abort", end);
  }
}
