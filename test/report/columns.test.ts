import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOut, visibleWidth, wrap } from "../../src/report/columns.js";
import { styles } from "../../src/report/terminal.js";

const { bold, green } = styles({ columns: 80, colour: true, unicode: true });
const word = fc.string({ unit: fc.constantFrom(..."abc.,%-"), minLength: 1, maxLength: 12 });

describe("visibleWidth", () => {
  test("does not count colours", () => {
    expect(visibleWidth("")).toBe(0);
    expect(visibleWidth("–█")).toBe(2);
    expect(bold(green("abc")).length).toBeGreaterThan(3);
    expect(visibleWidth(`${bold(green("abc"))} ${green("d")}`)).toBe(5);
  });
});

describe("wrap", () => {
  test("keeps the text and the width, and fills its lines", () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 12, max: 40 }), (words, width) => {
        const lines = wrap(words.join(" "), width);
        expect(lines.join(" ")).toBe(words.join(" "));
        for (const [i, line] of lines.entries()) {
          expect(line.length).toBeLessThanOrEqual(width);
          if (i === 0) continue;
          const [first] = line.split(" ");
          expect(lines[i - 1].length + 1 + first.length).toBeGreaterThan(width);
        }
      }),
    );
  });

  test("a word that is too long has a line of its own", () => {
    expect(wrap("a bbbbbb c", 3)).toEqual(["a", "bbbbbb", "c"]);
    expect(wrap("aaaa", 0)).toEqual(["aaaa"]);
  });

  test("a path that is too long is broken after a slash", () => {
    expect(wrap("see one/two/three/four now", 10)).toEqual(["see", "one/two/", "three/four", "now"]);
    expect(wrap("a b/c", 10)).toEqual(["a b/c"]);
  });

  test("keeps the columns of a line that fits, and counts no colours", () => {
    expect(wrap("  a   b", 7)).toEqual(["  a   b"]);
    expect(wrap(`${bold("aa")} ${bold("bb")}`, 5)).toEqual([`${bold("aa")} ${bold("bb")}`]);
  });
});

describe("layOut", () => {
  const left = (heading: string, ...cells: string[]) => ({ heading, align: "left" as const, cells });
  const right = (heading: string, ...cells: string[]) => ({ heading, align: "right" as const, cells });

  test("aligns cells and headings", () => {
    expect(
      layOut([left("stored as", "bf16", "fp16 master"), right("lost", "97.9%", "0"), left("", "x")]),
    ).toEqual(["stored as     lost", "bf16         97.9%  x", "fp16 master      0"]);
  });

  test("is not misled by colours", () => {
    const plain = layOut([left("", "a", "bbb"), right("n", "1", "22")]);
    const coloured = layOut([left("", green("a"), "bbb"), right("n", bold("1"), "22")]);
    expect(coloured.map(visibleWidth)).toEqual(plain.map(visibleWidth));
  });

  test("without rows there are headings, without columns an empty line", () => {
    expect(layOut([left("a"), right("b")])).toEqual(["a  b"]);
    expect(layOut([])).toEqual([""]);
  });
});
