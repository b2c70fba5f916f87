// A real nginx with the image's configuration, on a random loopback port, as an ordinary user. What is asked of it lives
// in the tests.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Edit, render } from "./entry-point";

const DIST = join(import.meta.dirname, "../../dist");
const START_DEADLINE_MS = 5_000;
/** `nobody` on every distribution; used when the tests run as root, because the image never does. */
const NOBODY = 65_534;

/** How an nginx is started. */
export interface Options {
  /** Stands for the container's environment. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Changes to the configuration, for what would otherwise take too long to see. */
  readonly edits?: readonly Edit[];
}

/** A running nginx. */
export interface Nginx {
  readonly port: number;
  readonly process: ChildProcess;
  /** The access log so far, one parsed object per request. */
  accessLog(): readonly Record<string, unknown>[];
  errorLog(): string;
  /** Ends it at once and removes what it wrote. */
  stop(): Promise<void>;
}

/** Starts nginx and waits until it takes connections. @throws Error with nginx's own words when it does not start */
export async function startNginx(options: Options = {}): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "frontend-nginx-"));
  try {
    const nginx = launch(folder, await freePort(), options);
    await waitUntilListening(nginx).catch(async (error) => {
      await nginx.stop();
      throw error;
    });
    return nginx;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function launch(folder: string, port: number, { environment = {}, edits = [] }: Options): Nginx {
  const site = join(folder, "site");
  cpSync(DIST, site, { recursive: true });
  const resolvers = { NGINX_LOCAL_RESOLVERS: "127.0.0.1" };
  const configuration = render({ scratch: folder, site, port }, { ...resolvers, ...environment }, edits);
  const logs = { access: join(folder, "access.log"), error: join(folder, "error.log") };
  const stdio = [openSync(logs.access, "a"), openSync(logs.error, "a")] as const;
  const child = spawn("nginx", ["-e", "stderr", "-c", configuration, "-g", "daemon off;"], {
    stdio: ["ignore", ...stdio],
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    ...(process.getuid?.() === 0 ? giveTo(folder, NOBODY) : {}),
  });
  for (const file of stdio) closeSync(file);

  return {
    port,
    process: child,
    accessLog: () => jsonLines(readFileSync(logs.access, "utf8")),
    errorLog: () => readFileSync(logs.error, "utf8"),
    async stop() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A loopback port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return address.port;
}

async function waitUntilListening({ port, process: child, errorLog }: Nginx): Promise<void> {
  let notStarted: Error | undefined;
  child.once("error", (error) => {
    notStarted = error;
  });
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!(await accepts(port))) {
    if (notStarted) throw new Error("cannot run nginx; on Debian: nginx-light, gettext-base", { cause: notStarted });
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}: ${errorLog()}`);
    if (Date.now() > deadline) throw new Error(`nginx takes no connections: ${errorLog()}`);
    await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function giveTo(folder: string, id: number): { uid: number; gid: number } {
  chmodSync(folder, 0o755);
  for (const path of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })]) {
    chownSync(join(folder, path), id, id);
  }
  return { uid: id, gid: id };
}

function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
