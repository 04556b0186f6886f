// A value that comes from the server.

import { ApiError } from "../api/client";

/** A value that is asked for anew whenever what it depends on changes. */
export class Loader<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);
  #abort: AbortController | null = null;

  /** Asks; what was asked before is given up. The old value stays until then. */
  async load(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    try {
      const value = await ask(abort.signal);
      if (abort.signal.aborted) return;
      this.value = value;
      this.error = null;
    } catch (err) {
      if (abort.signal.aborted) return;
      this.error = err instanceof ApiError ? err : new ApiError(0, { message: String(err) });
    }
    this.loading = false;
  }

  /** Gives up what is being asked, and forgets the value. */
  clear(): void {
    this.#abort?.abort();
    this.value = null;
    this.error = null;
    this.loading = false;
  }
}
