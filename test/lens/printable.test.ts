import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable } from "../../src/lens/printable.js";
import { anyText } from "../support/text.js";

describe("printable", () => {
  test("leaves text as it is", () => {
    const name = "model.layers.0.self_attn.q_proj.weight – naïve 重み 🙂";
    expect(printable(name)).toBe(name);
  });

  test.each<[string, string, string]>([
    ["a colour", "\u001b[31m", "\\u001b[31m"],
    ["a line break", "a\r\nb", "a\\u000d\\u000ab"],
    ["a line separator", "a\u2028b", "a\\u2028b"],
    ["a change of direction", "a\u202eb", "a\\u202eb"],
    ["a tag outside the basic plane", "a\u{e0041}b", "a\\udb40\\udc41b"],
    ["half a character", "a\ud800b", "a\\ud800b"],
  ])("escapes %s", (_, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  test("cuts what is longer than asked for", () => {
    expect(printable("abcdef", 6)).toBe("abcdef");
    expect(printable("abcdefg", 6)).toBe("abcdef…");
    expect(printable("x".repeat(1e6), 10)).toHaveLength(11);
  });

  test("gives one line without controls for any text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 500 },
    );
  });
});
