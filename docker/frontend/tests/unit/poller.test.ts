// The pace of asking: steady, slower on failure, silent while hidden, at once on return, over when stopped.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pauseAfter, startPolling } from "../../src/poller";

const PACE = { intervalMs: 5_000, slowestMs: 30_000 };

test.each([
  [0, 5_000],
  [1, 5_000],
  [2, 10_000],
  [3, 20_000],
  [4, 30_000],
  [50, 30_000],
])("after %d failures it waits %d ms", (failures, pause) => expect(pauseAfter(failures, PACE)).toBe(pause));

describe("startPolling", () => {
  let page: EventTarget & { hidden: boolean };

  beforeEach(() => {
    vi.useFakeTimers();
    page = Object.assign(new EventTarget(), { hidden: false });
    vi.stubGlobal("document", page);
    vi.stubGlobal("window", new EventTarget());
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("asks at once, then every interval", async () => {
    const ask = vi.fn(async () => true);
    startPolling(ask, PACE);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ask).toHaveBeenCalledTimes(3);
  });

  test("asks more slowly while it fails, and at full pace once it succeeds", async () => {
    const ask = vi.fn(async () => ask.mock.calls.length > 3);
    startPolling(ask, PACE);
    await vi.advanceTimersByTimeAsync(5_000 + 10_000 + 20_000);
    expect(ask).toHaveBeenCalledTimes(4);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ask).toHaveBeenCalledTimes(5);
  });

  test("does not ask while nobody looks, and asks at once when somebody does", async () => {
    const ask = vi.fn(async () => true);
    startPolling(ask, PACE);
    page.hidden = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(1);
    page.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test("never has two questions under way", async () => {
    const ask = vi.fn(() => new Promise<boolean>(() => {}));
    const poller = startPolling(ask, PACE);
    poller.refresh();
    window.dispatchEvent(new Event("online"));
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test("stopping gives the question up and asks no more", async () => {
    const signals: AbortSignal[] = [];
    const poller = startPolling((signal) => {
      signals.push(signal);
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve(false)));
    }, PACE);
    poller.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    window.dispatchEvent(new Event("online"));
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });
});
