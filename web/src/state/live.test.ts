import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Info } from "../api/types";
import { Live } from "./live.svelte";

/** An EventSource that a test speaks through. */
class Source extends EventTarget {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readyState = 1;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
    Source.all.push(this);
  }
  close(): void {
    this.readyState = Source.CLOSED;
  }
  say(contexts: number): void {
    this.dispatchEvent(new MessageEvent("data", { data: JSON.stringify({ contexts }) }));
  }
  fail(closed: boolean): void {
    this.readyState = closed ? Source.CLOSED : 0;
    this.dispatchEvent(new Event("error"));
  }
}

const renewed: number[] = [];
const shown = {
  info: null as Info | null,
  renew(info: Info) {
    shown.info = info;
    renewed.push(info.contexts);
  },
};
let live: Live;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  Source.all = [];
  renewed.length = 0;
  shown.info = null;
  live = new Live(shown);
  live.start();
});
afterEach(() => {
  live.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const source = () => Source.all.at(-1)!;

it("brings the page up to date at once, and then once a second at most", () => {
  source().say(1);
  expect(renewed).toEqual([1]);
  source().say(2);
  source().say(3);
  expect(renewed).toEqual([1]);
  vi.advanceTimersByTime(1000);
  expect(renewed).toEqual([1, 3]);
  vi.advanceTimersByTime(5000);
  source().say(3);
  expect(renewed).toEqual([1, 3]);
});

it("leaves the page alone while it is paused, and says how much waits", () => {
  source().say(10);
  vi.advanceTimersByTime(1000);
  live.toggle();
  source().say(12);
  source().say(15);
  vi.advanceTimersByTime(5000);
  expect(renewed).toEqual([10]);
  expect([live.paused, live.waiting]).toEqual([true, 5]);
  live.toggle();
  expect(renewed).toEqual([10, 15]);
  expect([live.paused, live.waiting]).toEqual([false, 0]);
});

it("does not go on by itself when it was paused during its rest", () => {
  source().say(1);
  source().say(2);
  live.toggle();
  vi.advanceTimersByTime(5000);
  expect(renewed).toEqual([1]);
  expect(live.waiting).toBe(1);
});

it("says when the server is gone, and comes back to one that refuses", () => {
  source().dispatchEvent(new Event("open"));
  expect(live.connection).toBe("open");
  source().fail(false);
  expect(live.connection).toBe("lost");
  vi.advanceTimersByTime(60_000);
  expect(Source.all).toHaveLength(1);
  source().fail(true);
  vi.advanceTimersByTime(5000);
  expect(Source.all).toHaveLength(2);
  source().dispatchEvent(new Event("open"));
  expect(live.connection).toBe("open");
});

it("stops", () => {
  source().fail(true);
  live.stop();
  vi.advanceTimersByTime(60_000);
  expect(Source.all).toHaveLength(1);
  expect(live.connection).toBe("none");
});
