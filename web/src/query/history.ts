// The queries that were used, newest first, kept in the browser.

const KEY = "queries";
const MOST = 30;

/** The queries that were used. Whatever else stands there is no query. */
export function queries(store: Storage = localStorage): string[] {
  try {
    const list: unknown = JSON.parse(store.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter((q): q is string => typeof q === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Keeps a query as the newest one. */
export function remember(query: string, store: Storage = localStorage): void {
  if (query.trim() === "") return;
  const list = [query, ...queries(store).filter((q) => q !== query)].slice(0, MOST);
  store.setItem(KEY, JSON.stringify(list));
}
