import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visibleWidth } from "../../src/report/columns.js";
import { glyph, plainTerminal, stackedBar } from "../../src/report/terminal.js";

const classes = ["moved", "kept", "lost"] as const;
const unicode = { moved: "█", kept: "▒", lost: "░" };
const ascii = { moved: "#", kept: "+", lost: "." };

function bar(shares: readonly number[], width: number, terminal = plainTerminal): string {
  return stackedBar(
    shares.map((share, i) => ({ share, of: classes[i] })),
    width,
    terminal,
  );
}

/** Columns of each class. */
function columns(shares: readonly number[], width: number): number[] {
  const text = bar(shares, width);
  return classes.map((className) => text.split(unicode[className]).length - 1);
}

/** Shares of three counts that are not all zero, from all alike to one in a billion. */
const someShares = fc
  .tuple(...[1, 2, 3].map(() => fc.oneof(fc.constant(0), fc.nat(3), fc.nat(1000), fc.nat(1e9))))
  .filter((counts) => counts.some((n) => n > 0))
  .map((counts) => counts.map((n) => n / counts.reduce((sum, m) => sum + m)));

describe("stackedBar", () => {
  test("is as wide as it should be, in the order of its parts", () => {
    fc.assert(
      fc.property(someShares, fc.integer({ min: 6, max: 40 }), (shares, width) => {
        expect(bar(shares, width)).toMatch(/^█*▒*░*$/);
        expect(bar(shares, width)).toHaveLength(width);
      }),
    );
  });

  test("shows every share from 0.05 % on, and none that is zero", () => {
    fc.assert(
      fc.property(someShares, fc.integer({ min: 6, max: 40 }), (shares, width) => {
        columns(shares, width).forEach((drawn, i) => {
          if (shares[i] === 0) expect(drawn).toBe(0);
          if (shares[i] >= 0.0005) expect(drawn).toBeGreaterThan(0);
        });
      }),
    );
  });

  test("gives a part its share, but for one column, or one more for each part that is too small to be seen", () => {
    fc.assert(
      fc.property(someShares, fc.integer({ min: 6, max: 40 }), (shares, width) => {
        const widened = shares.filter((share) => share > 0 && share * width < 1).length;
        columns(shares, width).forEach((drawn, i) => {
          expect(Math.abs(drawn - shares[i] * width)).toBeLessThan(1 + widened);
        });
      }),
    );
  });

  test.each<[number[], number, number[]]>([
    [[1, 0, 0], 24, [24, 0, 0]],
    [[0, 0, 1], 6, [0, 0, 6]],
    [[0.5, 0.25, 0.25], 8, [4, 2, 2]],
    [[0.98, 0.01, 0.01], 6, [4, 1, 1]],
    [[0.01, 0.01, 0.98], 6, [1, 1, 4]],
    [[0.9996, 0.0004, 0], 12, [12, 0, 0]],
    [[0.38, 0.31, 0.31], 10, [4, 3, 3]],
    [[0, 0, 0], 10, [0, 0, 0]],
  ])("of %j in %d columns gives %j", (shares, width, expected) => {
    expect(columns(shares, width)).toEqual(expected);
  });

  test("can do without Unicode, and with colours", () => {
    expect(bar([0.5, 0.25, 0.25], 8, { ...plainTerminal, unicode: false })).toBe("####++..");
    const coloured = bar([0.5, 0.25, 0.25], 8, { ...plainTerminal, colour: true });
    expect(coloured).toBe("\u001b[32m████\u001b[39m\u001b[33m▒▒\u001b[39m\u001b[31m░░\u001b[39m");
    expect(visibleWidth(coloured)).toBe(8);
  });
});

describe("glyph", () => {
  test.each(classes)("of %s", (className) => {
    expect(glyph(className, plainTerminal)).toBe(unicode[className]);
    expect(glyph(className, { ...plainTerminal, unicode: false }, 3)).toBe(ascii[className].repeat(3));
  });
});
