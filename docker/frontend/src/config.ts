// Where the API is: the page's only setting. Decides between its sources and checks the value; asks the server for the
// run-time one. What is done with the address lives in api/client.ts.

/** Where the effective API address came from. */
export type SettingsSource = "run time" | "build time" | "same origin";

/** The page's settings, resolved once before anything is drawn. */
export interface Settings {
  /** Prefix of every API path, without a trailing slash; empty means the page's own origin. */
  readonly apiBaseUrl: string;
  readonly source: SettingsSource;
  /** Why a given value was not used, in words for the reader of the page. */
  readonly warning: string | null;
}

/** The outcome of asking the server for `/config.json`. */
export type RuntimeConfig =
  | { readonly kind: "loaded"; readonly body: unknown }
  | { readonly kind: "failed"; readonly reason: string };

const CONFIG_PATH = "/config.json";

/** Reads the run-time configuration; a failure is an outcome, never an exception. */
export async function loadRuntimeConfig(fetcher: typeof fetch = fetch): Promise<RuntimeConfig> {
  try {
    const response = await fetcher(CONFIG_PATH, { cache: "no-store", signal: AbortSignal.timeout(5_000) });
    if (!response.ok) return { kind: "failed", reason: `${CONFIG_PATH} answered ${response.status}` };
    return { kind: "loaded", body: await response.json() };
  } catch (error) {
    const detail = error instanceof SyntaxError ? "is not JSON" : "could not be loaded";
    return { kind: "failed", reason: `${CONFIG_PATH} ${detail}` };
  }
}

/**
 * Picks the API address: run time wins over build time, which wins over the page's own origin. Empty means "not set";
 * `/` means the page's own origin, whatever was built in. A value that is not an address is skipped, and the settings
 * say so.
 */
export function resolveSettings(runtime: RuntimeConfig, buildTime: string | undefined): Settings {
  const warnings: string[] = [];
  const candidates: readonly (readonly [SettingsSource, () => string])[] = [
    ["run time", () => runtimeValue(runtime)],
    ["build time", () => buildTime ?? ""],
  ];
  for (const [source, read] of candidates) {
    try {
      const value = read();
      if (value.trim() !== "") return { apiBaseUrl: normalizeBaseUrl(value), source, warning: joined(warnings) };
    } catch (error) {
      warnings.push(`${source} configuration not used: ${(error as Error).message}`);
    }
  }
  return { apiBaseUrl: "", source: "same origin", warning: joined(warnings) };
}

/**
 * Checks an API address and drops its trailing slashes.
 *
 * @throws Error naming the value when it is neither empty, an absolute path, nor an http(s) address
 */
export function normalizeBaseUrl(value: string): string {
  const trimmed = value.trim().replace(/\/+$/, "");
  const isPath = trimmed.startsWith("/") && !trimmed.startsWith("//");
  if (trimmed === "" || isPath) return trimmed;
  if (URL.canParse(trimmed)) {
    const url = new URL(trimmed);
    const isPlain = url.search === "" && url.hash === "" && url.username === "" && url.password === "";
    if (/^https?:$/.test(url.protocol) && isPlain) return trimmed;
  }
  throw new Error(`\`${value}\` is not an http(s) address or an absolute path`);
}

function runtimeValue(runtime: RuntimeConfig): string {
  if (runtime.kind === "failed") throw new Error(runtime.reason);
  const body = runtime.body;
  if (typeof body !== "object" || body === null) throw new Error(`${CONFIG_PATH} is not an object`);
  const value = "apiBaseUrl" in body ? body.apiBaseUrl : "";
  if (typeof value !== "string") throw new Error(`${CONFIG_PATH}: \`apiBaseUrl\` is not a string`);
  return value;
}

function joined(warnings: readonly string[]): string | null {
  return warnings.length === 0 ? null : warnings.join("; ");
}
