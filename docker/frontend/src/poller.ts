// Repeating a question at a steady pace: slower while it fails, not at all while nobody looks, at once when the network
// or the reader is back. What is asked, and what is done with the answer, is the caller's.

/** Pace of a poller, in milliseconds. */
export interface Pace {
  readonly intervalMs: number;
  /** The longest pause between two tries while they fail. */
  readonly slowestMs: number;
}

/** A running poller. */
export interface Poller {
  /** Asks now instead of waiting for the next turn. */
  refresh(): void;
  /** Ends it; a question under way is given up. */
  stop(): void;
}

/** The pause before the next try: doubled for every failure in a row after the first, up to the slowest. */
export function pauseAfter(failures: number, { intervalMs, slowestMs }: Pace): number {
  return Math.min(intervalMs * 2 ** Math.max(0, failures - 1), slowestMs);
}

/**
 * Asks now and then again and again; `ask` tells whether it succeeded, and has to stop when its signal says so.
 * There is never more than one question under way.
 */
export function startPolling(ask: (signal: AbortSignal) => Promise<boolean>, pace: Pace): Poller {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let underWay: AbortController | null = null;

  async function turn(): Promise<void> {
    clearTimeout(timer);
    if (underWay !== null || document.hidden) return;
    const current = new AbortController();
    underWay = current;
    const succeeded = await ask(current.signal);
    underWay = null;
    if (current.signal.aborted) return;
    failures = succeeded ? 0 : failures + 1;
    timer = setTimeout(turn, pauseAfter(failures, pace));
  }

  const refresh = () => void turn();
  document.addEventListener("visibilitychange", refresh);
  window.addEventListener("online", refresh);
  refresh();
  return {
    refresh,
    stop() {
      clearTimeout(timer);
      underWay?.abort();
      document.removeEventListener("visibilitychange", refresh);
      window.removeEventListener("online", refresh);
    },
  };
}
