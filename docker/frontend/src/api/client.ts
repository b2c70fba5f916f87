// The only place that talks to the API: address, deadline, JSON in and out, request id. It knows no endpoint; those live
// beside it, one file per resource.

import { fieldsOf, textOf } from "./fields";

/** What the API answered, whatever the HTTP status. */
export interface Answer {
  readonly status: number;
  readonly ok: boolean;
  /** The parsed JSON body; `undefined` when the body is empty or not JSON. */
  readonly body: unknown;
  /** The id that names this request in the logs of nginx and the backend; null when the answer carries none. */
  readonly requestId: string | null;
  /** From sending to the whole body received. */
  readonly milliseconds: number;
}

/** No answer came: the API could not be reached, or not in time. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
  constructor(
    readonly reason: "unreachable" | "timeout",
    options?: ErrorOptions,
  ) {
    super(reason === "timeout" ? "the API did not answer in time" : "the API could not be reached", options);
  }
}

/** The API answered, but refused or failed. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  constructor(readonly answer: Answer) {
    super(reasonOf(answer));
  }
}

/** What a request may carry beside its method and path. */
export interface RequestOptions {
  readonly body?: object;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** Gives the request up; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How a client is put together; everything but the address has a sensible default. */
export interface ClientOptions {
  readonly baseUrl: string;
  readonly timeoutMs?: number;
  readonly fetcher?: typeof fetch;
  /** Told of every answer, refused ones included. */
  readonly onAnswer?: (answer: Answer) => void;
}

/** Sends requests to one API. */
export interface Client {
  /** @throws NoAnswerError when nothing came back; the signal's reason when the caller gave up */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
}

/** Makes a client for the API at `baseUrl`. */
export function createClient({ baseUrl, timeoutMs = 10_000, fetcher = fetch, onAnswer }: ClientOptions): Client {
  return {
    async request(method, path, options = {}) {
      const deadline = AbortSignal.timeout(timeoutMs);
      const started = performance.now();
      try {
        const response = await fetcher(baseUrl + path, {
          method,
          headers: headersFor(options),
          cache: "no-store",
          signal: options.signal ? AbortSignal.any([deadline, options.signal]) : deadline,
          ...(options.body ? { body: JSON.stringify(options.body) } : {}),
        });
        const text = await response.text();
        const answer = answerOf(response, text, performance.now() - started);
        onAnswer?.(answer);
        return answer;
      } catch (error) {
        if (options.signal?.aborted) throw options.signal.reason;
        throw new NoAnswerError(deadline.aborted ? "timeout" : "unreachable", { cause: error });
      }
    },
  };
}

function headersFor({ body, token }: RequestOptions): Record<string, string> {
  return {
    Accept: "application/json",
    ...(body ? { "Content-Type": "application/json" } : {}),
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
  };
}

function answerOf(response: Response, text: string, milliseconds: number): Answer {
  return {
    status: response.status,
    ok: response.ok,
    body: parseJson(text),
    requestId: response.headers.get("X-Request-ID"),
    milliseconds,
  };
}

/** An error page of a proxy is HTML; then the status alone speaks. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf({ body }: Answer): string {
  return errorIn(body) ?? "the API refused without a reason";
}

/** The message of `{"message": "…"}`, `{"error": {"message": "…"}}` or `{"error": "…"}`. */
function errorIn(body: unknown): string | null {
  const fields = fieldsOf(body);
  return textOf(fields?.message) ?? textOf(fieldsOf(fields?.error)?.message) ?? textOf(fields?.error);
}
