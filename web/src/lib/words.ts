// Words for what the API says in one.

/** An outcome as people say it. */
export function outcomeWords(outcome: string): string {
  switch (outcome) {
    case "ok":
      return "succeeded";
    case "refused":
      return "refused";
    case "notfound":
      return "not found";
    case "exists":
      return "existed already";
    case "conflict":
      return "conflict";
    case "invalid":
      return "invalid";
    case "toomany":
      return "too many requests";
    case "failed":
      return "failed";
    default:
      return "outcome unknown";
  }
}

/** Whether an outcome is one that somebody should look at. */
export function isBad(outcome: string): boolean {
  return outcome !== "ok" && outcome !== "unknown";
}
