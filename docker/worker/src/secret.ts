// Values that must not stand in the environment. A value is never part of an error or a log line.

import { readFileSync } from "node:fs";

/** Variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The trimmed value of a secret: of the file that `NAME_FILE` names, which wins, or of `NAME` itself. None where neither is set or
 * nothing but blanks is there.
 *
 * @throws if the file cannot be read: a secret that was promised and is missing is no secret that is not needed.
 */
export function readSecret(name: string, env: Environment): string | undefined {
  const file = env[`${name}_FILE`];
  const value = file ? contents(name, file) : env[name];
  return value?.trim() || undefined;
}

function contents(name: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${name}_FILE: ${(error as Error).message}`);
  }
}
