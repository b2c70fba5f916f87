// A stand-in for the backend: says what it was asked, and misbehaves on request. And a name server that knows one name.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A running server of this file. */
export interface Running {
  readonly port: number;
  stop(): void;
}

const ANSWERS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  "/api/redirect": (_request, response) => response.writeHead(302, { Location: "/sessions" }).end(),
  "/api/failure": (_request, response) => response.writeHead(500).end('{"error":"on purpose"}'),
  "/api/cacheable": (_request, response) =>
    response.writeHead(200, { "Cache-Control": "private, max-age=5" }).end("{}"),
  "/api/silence": () => {},
  "/api/slow": (_request, response) => void setTimeout(() => response.end("{}"), 500),
  "/api/hangup": (request) => request.socket.destroy(),
};

/** Starts an upstream that answers with what it was asked; its own headers clash with nginx's on purpose. */
export async function startUpstream(address = "127.0.0.1", port = 0): Promise<Running> {
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.setHeader("Content-Security-Policy", "default-src *");
    response.setHeader("X-Frame-Options", "SAMEORIGIN");
    response.setHeader("X-Request-ID", "from-the-upstream");
    const answer = ANSWERS[request.url ?? ""];
    if (answer) answer(request, response);
    else
      response.end(JSON.stringify({ address, url: request.url, headers: request.headers, filler: "x".repeat(2_000) }));
  });
  server.listen(port, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A name server whose every A question gets `address`, or "no such name" while it is null. */
export interface NameServer extends Running {
  address: string | null;
}

/** Starts a name server on loopback. */
export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket("udp4");
  const server: NameServer = { address: null, port: 0, stop: () => socket.close() };
  socket.on("message", (query, client) => socket.send(dnsAnswer(query, server.address), client.port, client.address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return Object.assign(server, { port: socket.address().port });
}

/** RFC 1035: the question is sent back with the answer's flags and, if there is one, one A record that lives a second. */
function dnsAnswer(query: Buffer, address: string | null): Buffer {
  const question = query.subarray(12);
  const flags = address === null ? [0x81, 0x83] : [0x81, 0x80];
  const answers = address === null ? 0 : 1;
  const header = Buffer.from([...query.subarray(0, 2), ...flags, 0, 1, 0, answers, 0, 0, 0, 0]);
  if (address === null) return Buffer.concat([header, question]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)]);
  return Buffer.concat([header, question, record]);
}
