import { afterEach, describe, expect, it, vi } from "vitest";
import { address, ApiError, get } from "./client";

afterEach(() => vi.unstubAllGlobals());

describe("address", () => {
  it("escapes what stands in the path and behind it", () => {
    expect(address("/events/{auditID}", { path: { auditID: "../a b?c" } })).toBe(
      "/api/v1/events/..%2Fa%20b%3Fc",
    );
    expect(address("/contexts", { query: { query: 'actor == "a&b"', limit: 10 } })).toBe(
      "/api/v1/contexts?query=actor+%3D%3D+%22a%26b%22&limit=10",
    );
  });
  it("leaves out what is not given", () => {
    expect(address("/contexts", { query: { query: "", from: undefined } })).toBe("/api/v1/contexts");
  });
});

describe("get", () => {
  const answer = (status: number, body: unknown) =>
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify(body), { status })));

  it("gives what the server answers", async () => {
    answer(200, { tokenRequired: false, authenticated: true });
    expect((await get("/session", {})).authenticated).toBe(true);
  });
  it("gives the server's words for what went wrong", async () => {
    answer(400, { error: { message: "no such field", field: "query", position: 3 } });
    const err = await get("/contexts", {}).catch((e: unknown) => e);
    expect(err).toBeInstanceOf(ApiError);
    expect((err as ApiError).problem).toEqual({ message: "no such field", field: "query", position: 3 });
  });
  it("finds words when the server has none", async () => {
    answer(502, "bad gateway");
    await expect(get("/info", {})).rejects.toThrow("status 502");
  });
  it("says when nobody answers", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(get("/info", {})).rejects.toThrow("does not answer");
  });
});
