// A failed request in words for people: what happened, and what it means. The errors themselves live in api/client.ts.

import { NoAnswerError, RefusedError } from "../api/client";

/** One sentence for a reader about why a request failed. */
export function describeFailure(error: unknown): string {
  if (error instanceof NoAnswerError) {
    if (!navigator.onLine) return "This device is offline. The page goes on by itself when the network is back.";
    if (error.reason === "timeout") return "The API did not answer in time. It may be starting or overloaded.";
    return "The API could not be reached. The frontend may be down, or another origin may not allow this page.";
  }
  if (error instanceof RefusedError) return describeRefusal(error);
  return "Something in this page went wrong. Load it again; if that does not help, the browser's console says more.";
}

function describeRefusal({ answer, message }: RefusedError): string {
  switch (answer.status) {
    case 401:
    case 403:
      return `The API did not accept this session's token (${answer.status}). Start a new session.`;
    case 429:
      return "Too many requests (429). Wait a moment and try again.";
    case 503:
      return `The stack is not ready: ${message} (503).`;
    case 502:
    case 504:
      return `The backend does not answer (${answer.status}). It may be starting or restarting.`;
    default:
      if (answer.ok) return "The API answered something this page does not understand.";
      return `Not accepted: ${message} (${answer.status}).`;
  }
}
