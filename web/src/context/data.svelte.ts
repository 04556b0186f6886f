// What the tabs of a context share: the context and its events.

import { get } from "../api/client";
import type { ContextAnswer, Event } from "../api/types";
import { Loader } from "../state/loader.svelte";
import { requestsOf, retriedOf, type Request } from "./story";

/** The most events of one context that the page takes in. */
export const MOST_EVENTS = 20_000;

/** A context and its events. */
export class ContextData {
  readonly answer = new Loader<ContextAnswer>();
  readonly events = new Loader<{ items: Event[]; total: number }>();
  readonly requests = $derived<Request[]>(requestsOf(this.events.value?.items ?? []));
  readonly byID = $derived(new Map(this.requests.map((request) => [request.event.auditID, request])));
  /** Conflicts that are no news: the same was tried again, and succeeded. */
  readonly retried = $derived(retriedOf(this.requests));
  #id = "";

  /** Asks for a context, and then for its events. */
  load(id: string): void {
    this.#id = id;
    const path = { id };
    void this.answer.load((signal) => get("/contexts/{id}", { path }, signal));
    void this.#loadEvents(id);
  }

  /** Asks once more after a failure. */
  again(): void {
    this.load(this.#id);
  }

  /** Asks whether the context has grown, and shows what came. */
  async renew(): Promise<void> {
    const id = this.#id;
    await this.answer.load((signal) => get("/contexts/{id}", { path: { id } }, signal));
    const now = this.answer.value?.context;
    // Its events may come later than the context itself.
    if (now?.id === id && now.events !== this.events.value?.total) await this.#ask(id);
  }

  async #loadEvents(id: string): Promise<void> {
    this.events.clear();
    await this.#ask(id);
  }

  async #ask(id: string): Promise<void> {
    await this.events.load(async (signal) => {
      const items: Event[] = [];
      let cursor: string | undefined;
      let total: number;
      do {
        const page = await get(
          "/contexts/{id}/events",
          { path: { id }, query: { limit: 1000, cursor } },
          signal,
        );
        items.push(...page.items);
        total = page.total ?? items.length;
        cursor = page.next;
        // The first page is shown while the others come.
        if (cursor !== undefined && items.length === page.items.length)
          this.events.value = { items: page.items, total };
      } while (cursor !== undefined && items.length < MOST_EVENTS);
      return { items, total };
    });
  }
}
