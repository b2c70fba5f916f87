// Asking a server as precisely as a test needs: exact headers, repeated headers, bytes that are no request at all.

import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";

/** An answer with nothing interpreted. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every value of a header, in order; more than one means it was sent twice. */
  all(name: string): readonly string[];
  readonly body: Buffer;
}

/** What a request may carry beside its path. */
export interface Request {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** Sends one request to a loopback port, on a connection of its own. */
export async function ask(
  port: number,
  path: string,
  { method = "GET", headers, body }: Request = {},
): Promise<RawAnswer> {
  const outgoing = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  const chunks: Buffer[] = await response.toArray();
  const raw: readonly string[] = response.rawHeaders;
  return {
    status: response.statusCode,
    headers: response.headers,
    all: (name) => raw.filter((_value, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name.toLowerCase()),
    body: Buffer.concat(chunks),
  };
}

/** Sends bytes and returns everything that comes back until the server closes. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(bytes);
  const chunks: Buffer[] = await socket.toArray();
  return Buffer.concat(chunks).toString();
}
