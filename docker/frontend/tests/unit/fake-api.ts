// A client over a scripted fetch, for tests that need an API without a network.

import { type Answer, type Client, createClient } from "../../src/api/client";

/** One request as the fake saw it. */
export interface Seen {
  readonly url: string;
  readonly init: RequestInit;
}

/** A client whose every request is answered by `respond`, what it asked for, and every answer it reported. */
export function fakeApi(respond: (seen: Seen) => Response | Promise<Response>, baseUrl = "") {
  const seen: Seen[] = [];
  const answers: Answer[] = [];
  const fetcher = (async (url: string, init: RequestInit) => {
    const request = { url, init };
    seen.push(request);
    return respond(request);
  }) as typeof fetch;
  const client: Client = createClient({ baseUrl, fetcher, timeoutMs: 50, onAnswer: (answer) => answers.push(answer) });
  return { client, seen, answers };
}

/** A promise that only ends when the request is given up, as a hanging server makes one. */
export function hanging({ init }: Seen): Promise<Response> {
  return new Promise((_resolve, reject) => {
    const giveUp = () => reject(init.signal?.reason);
    if (init.signal?.aborted) giveUp();
    else init.signal?.addEventListener("abort", giveUp);
  });
}
