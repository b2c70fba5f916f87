// What the official nginx image's entry point does before nginx starts, done here without the image: source our settings
// script, then fill in the template's variables. The files are the image's own; only paths and the port are rewritten.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A literal in a configuration file and what the test puts in its place. */
export type Edit = readonly [from: string, to: string];

/** Where the rendered configuration finds and puts things on this machine. */
export interface Place {
  /** Stands for the container's /tmp. */
  readonly scratch: string;
  /** Stands for /srv/frontend. */
  readonly site: string;
  readonly port: number;
}

const FRONTEND = join(import.meta.dirname, "../..");
const SETTINGS = join(FRONTEND, "nginx/16-frontend-settings.envsh");
const TEMPLATE = join(FRONTEND, "nginx/server.conf.template");

const RENDER = `set -eu
. "$1"
exec envsubst "$3" < "$2"`;

/**
 * Writes nginx.conf and the rendered server.conf for `place` and returns the path of nginx.conf.
 *
 * @throws Error when the settings are refused (with the script's own words), or an edit matches nothing
 */
export function render(place: Place, environment: NodeJS.ProcessEnv, edits: readonly Edit[] = []): string {
  const server = execFileSync("sh", ["-c", RENDER, "entry-point", SETTINGS, TEMPLATE, substitutedVariables()], {
    env: { PATH: process.env.PATH, ...environment },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const main = readFileSync(join(FRONTEND, "nginx/nginx.conf"), "utf8");
  const files = { [join(place.scratch, "nginx/server.conf")]: server, [join(place.scratch, "nginx.conf")]: main };
  const moves: readonly Edit[] = [
    ["/tmp/", `${place.scratch}/`],
    ["root /srv/frontend;", `root ${place.site};`],
    ["listen 8080;", `listen 127.0.0.1:${place.port};`],
    ...edits,
  ];
  const text = Object.values(files).join("");
  const unmatched = moves.filter(([from]) => !text.includes(from));
  if (unmatched.length > 0) throw new Error(`not in the configuration: ${unmatched.map(([from]) => from).join(", ")}`);

  mkdirSync(join(place.scratch, "nginx"), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(
      path,
      moves.reduce((result, [from, to]) => result.replaceAll(from, to), content),
    );
  }
  return join(place.scratch, "nginx.conf");
}

/** The variables that the image lets the entry point fill in, as envsubst wants them: `${A} ${B}`. */
function substitutedVariables(): string {
  const dockerfile = readFileSync(join(FRONTEND, "Dockerfile"), "utf8");
  const filter = /NGINX_ENVSUBST_FILTER="\^\(([A-Z_|]+)\)\$"/.exec(dockerfile)?.[1];
  if (filter === undefined) throw new Error("Dockerfile: NGINX_ENVSUBST_FILTER is not of the form ^(A|B)$");
  return filter
    .split("|")
    .map((name) => `\${${name}}`)
    .join(" ");
}
