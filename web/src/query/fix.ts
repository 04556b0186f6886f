// What the server proposes in place of a mistake.

import type { Problem } from "../api/types";

/** The query with the proposal of a problem in it; null where there is none. */
export function fixed(query: string, problem: Problem): string | null {
  const proposal = /^did you mean (\S+)\?$/.exec(problem.hint ?? "")?.[1];
  if (proposal === undefined || problem.column === undefined || (problem.field ?? "query") !== "query")
    return null;
  // Columns count characters, text counts UTF-16 units.
  const characters = [...query];
  const from = problem.column - 1;
  characters.splice(from, problem.length ?? 0, proposal);
  return characters.join("");
}
