import { describe, expect, it } from "vitest";
import { insert, quote, wanted } from "./complete";

// A bar stands for the caret.
const at = (text: string) => wanted(text.replace("|", ""), text.indexOf("|"));

describe("wanted", () => {
  it.each([
    ["|", "field", ""],
    ["act|", "field", "act"],
    ["actor == |", "value", ""],
    ["actor == al|", "value", "al"],
    ['actor == "system:no|', "value", "system:no"],
    ['actor == "system:no|de:worker1"', "value", "system:no"],
    ["actor == alice |", "join", ""],
    ["actor == alice an|", "join", "an"],
    ["actor == alice and |", "field", ""],
    ["not |", "field", ""],
    ["(|", "field", ""],
    ["verb in (|", "value", ""],
    ["verb in (get, li|)", "value", "li"],
    ["touches(se|)", "value", "se"],
    ["effects > |", "value", ""],
    ["exists(namespace) |", "join", ""],
  ])("%s wants a %s", (text, kind, prefix) => {
    const got = at(text);
    expect([got.kind, got.prefix]).toEqual([kind, prefix]);
  });
  it("knows whose value it is", () => {
    expect(at("verb in (get, li|)")).toMatchObject({ field: "verb" });
    expect(at("namespace ~ sh|")).toMatchObject({ field: "namespace" });
    expect(at("touches(se|)")).toMatchObject({ field: "resource" });
    expect(at("verb not in (|")).toMatchObject({ field: "verb" });
  });
  it("never fails", () => {
    for (const text of ['"', "'", "((((", "a == 'b\\", "]])", ",,", "== ==", "🙂 == ü"]) {
      for (let caret = 0; caret <= text.length; caret++)
        expect(wanted(text, caret).from).toBeLessThanOrEqual(caret);
    }
  });
});

describe("insert", () => {
  it("takes the place of what was typed", () => {
    const text = "verb == de and effects > 1";
    expect(insert(text, wanted(text, 10), "delete")).toEqual({
      text: "verb == delete and effects > 1",
      caret: 14,
    });
    expect(insert("ac", wanted("ac", 2), "actor")).toEqual({ text: "actor ", caret: 6 });
  });
});

it("quotes what needs it", () => {
  expect(["alice", "web-1", "system:node:n1", "and", 'a"b', "1x"].map(quote)).toEqual([
    "alice",
    "web-1",
    '"system:node:n1"',
    '"and"',
    '"a\\"b"',
    '"1x"',
  ]);
});
