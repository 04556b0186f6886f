// What happens now: a log that is still being written. The server says when it
// has something new to answer with (server-sent events of /live), and the app
// then asks again for what it shows. Pausing keeps what is shown as it is.

import type { Info } from "../api/types";

/** What the live view needs of the app. */
export interface Shown {
  /** What the data set held when the page was last brought up to date. */
  readonly info: Info | null;
  /** Brings the page up to date. */
  renew(info: Info): void;
}

/** How the connection is. */
export type Connection = "none" | "open" | "lost";

/** How long a page rests before it is brought up to date again, in milliseconds. */
const REST = 1000;
/** How long to wait before coming back to a server that refused, in milliseconds. */
const AGAIN = 5000;

/** The live view of a data set that grows. */
export class Live {
  connection = $state<Connection>("none");
  paused = $state(false);
  /** How many contexts have come since the page was paused. */
  waiting = $state(0);

  #shown: Shown;
  #source: EventSource | null = null;
  #newest: Info | null = null;
  #rest = 0;
  #again = 0;

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  /** Listens to the server; a second call does nothing. */
  start(): void {
    if (this.#source) return;
    const source = new EventSource("/api/v1/live?contexts=none");
    this.#source = source;
    source.addEventListener("open", () => {
      this.connection = "open";
    });
    source.addEventListener("data", (event: MessageEvent<string>) => {
      this.#newest = JSON.parse(event.data) as Info;
      this.#look();
    });
    source.addEventListener("error", () => {
      this.connection = "lost";
      if (source.readyState !== EventSource.CLOSED) return; // it comes back by itself
      this.#source = null;
      this.#again = window.setTimeout(() => {
        this.start();
      }, AGAIN);
    });
  }

  /** Stops listening. */
  stop(): void {
    clearTimeout(this.#again);
    clearTimeout(this.#rest);
    this.#rest = 0;
    this.#source?.close();
    this.#source = null;
    this.connection = "none";
  }

  /** Pauses, or goes on with all that came meanwhile. */
  toggle(): void {
    this.paused = !this.paused;
    this.#look();
  }

  /** Brings the page up to date, where it is not paused, and not too often. */
  #look(): void {
    const newest = this.#newest;
    if (!newest) return;
    const { info } = this.#shown;
    if (this.paused) {
      this.waiting = Math.max(0, newest.contexts - (info?.contexts ?? 0));
      return;
    }
    this.waiting = 0;
    if (this.#rest !== 0 || same(newest, info)) return;
    this.#shown.renew(newest);
    this.#rest = window.setTimeout(() => {
      this.#rest = 0;
      this.#look();
    }, REST);
  }
}

/** Whether nothing has come between two answers. */
function same(a: Info, b: Info | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
