// The API's client. Paths, parameters and answers have the types of
// server/openapi.yaml (schema.d.ts is made from it by `npm run api`), so what
// the server does not have does not compile.

import type { paths, SchemaProblem } from "./schema";

const BASE = "/api/v1";

/** Something that went wrong, in words for the user. */
export class ApiError extends Error {
  /** The HTTP status, 0 when the server could not be reached. */
  readonly status: number;
  readonly problem: SchemaProblem;

  constructor(status: number, problem: SchemaProblem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }
}

type Json<O> = O extends { responses: { 200: { content: { "application/json": infer T } } } } ? T : never;

/** The paths that answer a GET with JSON. */
export type Path = {
  [P in keyof paths]: paths[P] extends { get: infer O } ? (Json<O> extends never ? never : P) : never;
}[keyof paths];

/** What a path answers. */
export type Answer<P extends Path> = paths[P] extends { get: infer O } ? Json<O> : never;

type Parameters<P extends Path> = paths[P] extends { get: { parameters: infer T } } ? T : never;
// A parameter that may be missing may be undefined too.
type Loose<T> = { [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };
type In<T, K extends string> =
  T extends Record<K, infer V>
    ? Record<K, Loose<V>>
    : T extends Partial<Record<K, infer V>>
      ? Partial<Record<K, Loose<NonNullable<V>>>>
      : unknown;

/** What a path can be given: the values in braces, and those behind the question mark. */
export type Given<P extends Path> = In<Parameters<P>, "path"> & In<Parameters<P>, "query">;

type Values = Record<string, string | number | boolean | undefined>;

/** The address of a path with its parameters; those that are "" or missing are left out. */
export function address<P extends Path>(path: P, given: Given<P>): string {
  const { path: inPath = {}, query = {} } = given as { path?: Values; query?: Values };
  const place = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return BASE + place + (text === "" ? "" : "?" + text);
}

/** Asks the API; an ApiError says what went wrong. */
export async function get<P extends Path>(
  path: P,
  given: Given<P>,
  signal?: AbortSignal,
): Promise<Answer<P>> {
  let response: Response;
  try {
    response = await fetch(address(path, given), {
      headers: { Accept: "application/json" },
      ...(signal ? { signal } : {}),
    });
  } catch (err) {
    if (err instanceof DOMException && err.name === "AbortError") throw err;
    throw new ApiError(0, {
      message: "The server does not answer.",
      hint: "Is whet serve still running? Its terminal may say more.",
    });
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Answer<P>;
}

/** Gives the token once, for a cookie that the browser then sends by itself. */
export async function beginSession(token: string): Promise<void> {
  const response = await fetch(`${BASE}/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (!response.ok) throw await problemOf(response);
}

async function problemOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null && "error" in body) {
    const problem = body.error as SchemaProblem;
    if (typeof problem.message === "string") return new ApiError(response.status, problem);
  }
  return new ApiError(response.status, { message: `The server answered with status ${response.status}.` });
}
