// What the environment says, as one checked value that everything else is given.

import { hostname } from "node:os";
import { type Level, levels } from "./log.js";
import { type Environment, readSecret } from "./secret.js";

/** The secrets that programs may be given, by the names of their variables. */
const CREDENTIALS = ["ANTHROPIC_API_KEY", "GITHUB_TOKEN", "CLICKUP_API_KEY"] as const;

/** How this worker is set up. */
export interface Settings {
  /** Tells instances apart: no two that run at the same time have the same. */
  readonly id: string;
  readonly redisUrl: string;
  /** The port of health and metrics. */
  readonly statusPort: number;
  /** Holds `cache`, `state` and `tracking`. */
  readonly dataDir: string;
  /** What agents say goes here. */
  readonly logsDir: string;
  /** Where agents work. */
  readonly workspaceDir: string;
  /** May hold an `agents.json`; never written to. */
  readonly configDir: string;
  /** The agents that come with the image, where there is no such file. */
  readonly agentsFile: string;
  /** How long results are kept, in seconds. */
  readonly resultTtl: number;
  /** How long the current task may go on once the worker is asked to stop, in seconds. */
  readonly stopPatience: number;
  readonly logLevel: Level;
  readonly logFormat: "json" | "pretty";
  /** The credentials that were given; in nobody's environment but that of the agents that need them. */
  readonly credentials: ReadonlyMap<string, string>;
}

/**
 * Reads the settings.
 *
 * @throws an error that tells everything that is wrong, one problem per line.
 */
export function readSettings(env: Environment): Settings {
  const problems: string[] = [];
  const oneOf = <T extends string>(name: string, known: readonly T[], fallback: T): T => {
    const found = known.find((one) => one === (env[name] || fallback));
    if (found === undefined) problems.push(`${name} must be one of ${known.join(", ")}, not \`${env[name]}\``);
    return found ?? fallback;
  };
  const whole = (name: string, fallback: number, most: number): number => {
    const value = Number(env[name] || fallback);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    problems.push(`${name} must be a whole number between 1 and ${most}, not \`${env[name]}\``);
    return fallback;
  };
  const settings: Settings = {
    id: env.WORKER_ID || hostname(),
    redisUrl: env.REDIS_URL || "redis://127.0.0.1:6379/0",
    statusPort: whole("STATUS_PORT", 3002, 65535),
    dataDir: env.DATA_DIR || "/app/data",
    logsDir: env.LOGS_DIR || "/app/logs",
    workspaceDir: env.WORKSPACE_DIR || "/workspace",
    configDir: env.CONFIG_DIR || "/config",
    agentsFile: env.AGENTS_FILE || "/app/agents.json",
    resultTtl: whole("RESULT_TTL", 86_400, 31_536_000),
    stopPatience: whole("STOP_PATIENCE", 30, 3600),
    logLevel: oneOf("LOG_LEVEL", levels, "info"),
    logFormat: oneOf("LOG_FORMAT", ["json", "pretty"], "json"),
    credentials: readCredentials(env, problems),
  };
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return settings;
}

function readCredentials(env: Environment, problems: string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of CREDENTIALS) {
    try {
      const value = readSecret(name, env);
      if (value !== undefined) found.set(name, value);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return found;
}
