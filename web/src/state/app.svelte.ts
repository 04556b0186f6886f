// The state that all of the app shares: the view, what the data set is, and how
// things are shown. There is one of it, made by main.ts and handed down as a
// Svelte context.

import { getContext, setContext } from "svelte";
import { ApiError, get } from "../api/client";
import type { Info } from "../api/types";
import { parseTime, type Zone } from "../lib/time";
import { bounded, equals } from "../query/write";
import { follow } from "../timeline/viewport";
import { Live } from "./live.svelte";
import { emptyView, formatView, parseView, wholeQuery, type Choice, type View } from "./view";

/** Dark, light, or what the system says. */
export type Theme = "system" | "light" | "dark";

const KEY = Symbol("app");

/** The state of the app. */
export class App {
  view = $state<View>(emptyView());
  info = $state<Info | null>(null);
  error = $state<ApiError | null>(null);
  needsToken = $state(false);
  theme = $state<Theme>("system");
  dark = $state(false);
  zone = $state<Zone>("utc");
  help = $state(false);
  palette = $state(false);
  /** What a screen reader is told. */
  notice = $state("");
  /** What is shown for a moment, as the answer to something done. */
  toast = $state("");
  /** Text that was asked and is no query; the query bar takes it and says why. */
  draft = $state("");
  /** What the open context is called, for the title of the page. */
  contextName = $state("");
  /** Set when the keyboard opened something: the panel takes the focus then. */
  byKey = false;
  /** What happens now, where the data set grows. */
  readonly live = new Live(this);
  /** Counts how often the page was brought up to date: what depends on it asks anew. */
  revision = $state(0);
  /** The query as the API takes it. */
  readonly query = $derived(wholeQuery(this.view));

  #system = window.matchMedia("(prefers-color-scheme: dark)");
  #settle = 0;
  #fade = 0;

  /** Reads the address and the user's settings, and asks what there is. */
  start(): void {
    this.view = parseView(new URL(location.href));
    addEventListener("popstate", () => {
      this.view = parseView(new URL(location.href));
    });
    this.#system.addEventListener("change", () => this.setTheme(this.theme));
    const theme = localStorage.getItem("theme");
    this.setTheme(theme === "light" || theme === "dark" ? theme : "system");
    this.zone = localStorage.getItem("zone") === "local" ? "local" : "utc";
    // Paper is white, whatever the screen is.
    addEventListener("beforeprint", () => {
      document.documentElement.dataset["theme"] = "light";
    });
    addEventListener("afterprint", () => {
      this.setTheme(this.theme);
    });
    // A browser has few connections to a server, for all its tabs together.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.live.stop();
      else if (this.info?.live) this.live.start();
    });
    void this.load();
  }

  /** Asks what the data set holds. */
  async load(): Promise<void> {
    try {
      this.error = null;
      this.info = await get("/info", {});
      this.needsToken = false;
      if (this.info.live) this.live.start();
    } catch (err) {
      if (!(err instanceof ApiError)) throw err;
      if (err.status === 401) this.needsToken = true;
      else this.error = err;
    }
  }

  /** Shows what a data set that grows holds by now. */
  renew(info: Info): void {
    const { from, to } = this.view;
    const before = this.info?.last;
    if (from !== null && to !== null && before !== undefined && info.last !== undefined) {
      const range = follow({ from, to }, parseTime(before), parseTime(info.last));
      this.goTime(range.from, range.to);
    }
    this.info = info;
    this.revision++;
  }

  /** Pauses the live view, or goes on. */
  toggleLive(): void {
    this.live.toggle();
    this.notice = this.live.paused ? "Paused" : "Live";
  }

  /** Answers something done, on the page and to a screen reader. */
  say(words: string): void {
    this.notice = words;
    this.toast = words;
    clearTimeout(this.#fade);
    this.#fade = window.setTimeout(() => (this.toast = ""), 3500);
  }

  /** Changes the view and its address; with replace the step back skips it. */
  go(change: Partial<View>, replace = false): void {
    clearTimeout(this.#settle);
    this.view = { ...this.view, ...change };
    const address = formatView(this.view);
    if (replace) history.replaceState(history.state, "", address);
    else if (address !== location.pathname + location.search)
      history.pushState({ steps: stepsOf(history.state) + 1 }, "", address);
  }

  /** Where one came from; a link that somebody sent came from nowhere in the app. */
  back(): void {
    if (stepsOf(history.state) > 0) history.back();
    else this.go({ ask: "" });
  }

  /** Changes the times looked at; the address follows when they rest. */
  goTime(from: number | null, to: number | null): void {
    if (from === this.view.from && to === this.view.to) return;
    this.view = { ...this.view, from, to };
    clearTimeout(this.#settle);
    // Browsers allow about a hundred changes of the address in half a minute.
    this.#settle = window.setTimeout(
      () => history.replaceState(history.state, "", formatView(this.view)),
      400,
    );
  }

  /** Opens the panel of a context, "" closes it. */
  open(context: string): void {
    this.go({ page: "timeline", context, ask: "", object: "", revision: "" });
  }

  /** Asks a query that somebody wrote elsewhere, once it is known to be one. */
  async ask(query: string): Promise<void> {
    const answer = await get("/parse", { query: { query } }).catch(() => null);
    if (answer?.ok === false) this.draft = query;
    else this.go({ page: "timeline", query });
  }

  /** Puts a context beside another one: it is the second where a first was chosen. */
  compareWith(context: string): void {
    const { left, right } = this.view;
    const second = left !== "" && right === "" && left !== context;
    this.go({ page: "compare", ask: "", ...(second ? { right: context } : { left: context, right: "" }) });
  }

  /** Takes up or lets go of a facet's value. */
  choose(asked: Choice): void {
    const choice = bounded(asked);
    const same = (c: Choice) => c.field === choice.field && c.value === choice.value;
    const before = this.view.choices.find(same);
    const rest = this.view.choices.filter((c) => !same(c));
    this.go({ choices: before?.not === choice.not ? rest : [...rest, choice] });
  }

  /** Shows only what a user did, at all times. */
  whatElse(username: string): void {
    const choice = bounded({ field: "actor", value: username, query: equals("actor", username), not: false });
    this.go({ page: "timeline", query: "", choices: [choice], from: null, to: null, ask: "" });
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.dark = theme === "dark" || (theme === "system" && this.#system.matches);
    document.documentElement.dataset["theme"] = this.dark ? "dark" : "light";
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  }

  setZone(zone: Zone): void {
    this.zone = zone;
    localStorage.setItem("zone", zone);
  }
}

/** How many steps inside the app led to where the browser is. */
function stepsOf(state: unknown): number {
  const steps = (state as { steps?: unknown } | null)?.steps;
  return typeof steps === "number" ? steps : 0;
}

/** Hands the state down to all components below. */
export function provideApp(app: App): void {
  setContext(KEY, app);
}

/** The state as mount takes it, for a component that stands alone. */
export function contextOf(app: App): Map<unknown, unknown> {
  return new Map([[KEY, app]]);
}

/** The state of the app, in a component. */
export function useApp(): App {
  return getContext<App>(KEY);
}
