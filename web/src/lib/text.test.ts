import { describe, expect, it } from "vitest";
import { cut, pieces, plain } from "./text";

describe("pieces", () => {
  it.each([
    ["plain text is one piece", "web-1", [{ text: "web-1", mark: false }]],
    ["empty text is none", "", []],
    [
      "an override of direction becomes a mark",
      "a\u202etxt.exe",
      [
        { text: "a", mark: false },
        { text: "U+202E", mark: true },
        { text: "txt.exe", mark: false },
      ],
    ],
    [
      "escape sequences lose their escape",
      "\u001b[31m",
      [
        { text: "U+001B", mark: true },
        { text: "[31m", mark: false },
      ],
    ],
    [
      "tag characters beyond the first plane",
      "x\u{e0041}",
      [
        { text: "x", mark: false },
        { text: "U+E0041", mark: true },
      ],
    ],
    ["a lone surrogate", "\ud800", [{ text: "U+D800", mark: true }]],
    ["other alphabets stay", "мир 世界 مرحبا", [{ text: "мир 世界 مرحبا", mark: false }]],
  ])("%s", (_, text, want) => {
    expect(pieces(text)).toEqual(want);
  });
});

describe("plain", () => {
  it("names what it does not show", () => {
    expect(plain("a\u200bb\n")).toBe("a⟨U+200B⟩b⟨U+000A⟩");
  });
  it("holds no hidden character, whatever goes in", () => {
    const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
    for (let i = 0; i < 0x3000; i++) {
      expect(hidden.test(plain(String.fromCharCode(i))), i.toString(16)).toBe(false);
    }
  });
});

describe("cut", () => {
  it("cuts long text and says so", () => {
    expect(cut("abcdef", 3)).toBe("abc…");
    expect(cut("abc", 3)).toBe("abc");
  });
  it("leaves pairs of surrogates whole", () => {
    expect(cut("ab😀😀", 3)).toBe("ab…");
  });
  it("is quick with a megabyte", () => {
    expect(plain("\u202e".repeat(1 << 20), 50).length).toBeLessThan(500);
  });
});
