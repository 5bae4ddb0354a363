import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytes,
  cellAtMost,
  count,
  counted,
  percent,
  percentAtMost,
  percentIn,
  percentWithin,
  ratio,
  ratioWithin,
  share,
  short,
} from "../../src/report/numbers.js";

describe("count", () => {
  test("groups digits by three", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        expect(count(n)).toMatch(/^\d{1,3}(,\d{3})*$/);
        expect(Number(count(n).replaceAll(",", ""))).toBe(n);
      }),
    );
    expect(count(26048)).toBe("26,048");
  });
});

test("counted has one of one, and more of none or many", () => {
  expect([0, 1, 1200].map((n) => counted(n, "tensor"))).toEqual(["0 tensors", "1 tensor", "1,200 tensors"]);
});

describe("shares of a sample", () => {
  test.each<[number, number, string]>([
    [0.943, 0, "94.3%"],
    [0.943, 0.0005, "94.3%"],
    [0.943, 0.0006, "94%"],
    [0.943, 0.005, "94%"],
    [0.004, 0.005, "<1%"],
    [0.996, 0.005, ">99%"],
    [0.943, 0.006, "93 to 95%"],
    [0.02, 0.045, "0 to 7%"],
    [0.5, 0.11, "–"],
  ])("%s, to %s on either side, is %s", (share, half, text) => {
    expect(percentWithin(share, half)).toBe(text);
  });

  test("of a million weights tenths, of a thousand whole percents, of all every digit", () => {
    expect(percentIn(1_000_000)(0.98)).toBe("98.0%");
    expect(percentIn(40_000)(0.98)).toBe("98%");
    expect(percentIn(undefined)(0.98)).toBe("98.0%");
    expect(percentIn(1000)(null)).toBe("–");
  });
});

describe("ratios of a sample", () => {
  test.each<[number, number, string]>([
    [1, 0, "1.00"],
    [1.0123, 0.004, "1.01"],
    [1.0123, 0.02, "1.0"],
    [4.93, 0.3, "5"],
    [0.0108, 0.0004, "0.011"],
    [0.0108, 0.002, "0.01"],
    [0.0003, 0.0001, "0.000"],
    [0.0003, 0.00004, "3e-4"],
    [-0.004, 0.02, "0.0"],
    [7, 1.5, "–"],
  ])("%s, to %s on either side, is %s", (x, half, text) => {
    expect(ratioWithin(x, half)).toBe(text);
  });
});

test("an upper bound is rounded up, with a second decimal below 100%, and is one bound", () => {
  const shares: readonly [share: number, words: string, cell: string][] = [
    [0, "at most 0.0%", "≤ 0.0%"],
    [1e-12, "at most 0.1%", "≤ 0.1%"],
    [0.07, "at most 7.0%", "≤ 7.0%"],
    [0.973, "at most 97.3%", "≤ 97.3%"],
    [0.97301, "at most 97.4%", "≤ 97.4%"],
    [0.999, "at most 99.9%", "≤ 99.9%"],
    [0.9996, "at most 99.96%", "≤ 99.96%"],
    [0.99961, "at most 99.97%", "≤ 99.97%"],
    [0.99991, "less than 100%", "< 100%"],
    [1, "at most 100.0%", "≤ 100.0%"],
  ];
  expect(shares.map(([share]) => [share, percentAtMost(share), cellAtMost(share)])).toEqual(shares);
  expect(cellAtMost(null)).toBe("–");
});

test("the upper bound shown of a share of counts is never below it, nor a tenth of a percent above", () => {
  for (const whole of [7, 1000, 4096, 26_048]) {
    for (let part = 0; part <= whole; part += Math.ceil(whole / 999)) {
      const shown = Number(/[\d.]+/.exec(percentAtMost(part / whole))![0]);
      // In integers where one decimal is shown: 10 * shown / 1000 >= part / whole.
      expect(Math.round(shown * 100) * whole, `${part} of ${whole}`).toBeGreaterThanOrEqual(10_000 * part);
      expect(shown - (100 * part) / whole).toBeLessThan(0.1 + 1e-9);
    }
  }
});

describe("percent", () => {
  test.each<[number | null, string]>([
    [null, "–"],
    [0, "0.0%"],
    [1, "100.0%"],
    [0.5, "50.0%"],
    [2 / 3, "66.7%"],
    [1e-300, "<0.1%"],
    [0.000499, "<0.1%"],
    [0.0005, "0.1%"],
    [0.0036855, "0.4%"],
    [0.9994, "99.9%"],
    [0.9996, ">99.9%"],
    [1 - 2 ** -53, ">99.9%"],
    [1.5, "150.0%"],
    [-999.99, "-99999.0%"],
    [1000, "1.00e+5%"],
    [-1.487e34, "-1.49e+36%"],
  ])("of %s is %s", (share, text) => {
    expect(percent(share)).toBe(text);
  });

  test("only none reads as none, only all as all", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        expect(percent(share) === "0.0%").toBe(share === 0);
        expect(percent(share) === "100.0%").toBe(share === 1);
      }),
    );
  });
});

describe("ratio", () => {
  test.each<[number | null, string]>([
    [null, "–"],
    [0, "0.00"],
    [1, "1.00"],
    [-1.005, "-1.00"],
    [127.74, "127.74"],
    [0.0346, "0.035"],
    [-0.0346, "-0.035"],
    [0.00049, "5e-4"],
    [-3e-9, "-3e-9"],
    [99999.99, "99999.99"],
    [-123456, "-1.23e+5"],
    [1.5328344022689135e29, "1.53e+29"],
  ])("of %s is %s", (x, text) => {
    expect(ratio(x)).toBe(text);
  });

  test("keeps its sign and is off by no more than half of what it shows last", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e300, max: 1e300, noNaN: true }), (x) => {
        const shown = Number(ratio(x));
        const magnitude = Math.abs(x);
        const unit =
          magnitude >= 1e5 ? 0.01 * magnitude : magnitude >= 0.1 ? 0.01 : Math.min(0.001, magnitude);
        expect(ratio(x).length).toBeLessThanOrEqual(10);
        expect(Math.abs(shown - x)).toBeLessThanOrEqual(0.5001 * unit);
        expect(Math.sign(shown) * Math.sign(x)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("short", () => {
  test.each<[number | null, string]>([
    [null, "–"],
    [0, "0"],
    [2 ** -13, "0.00012207"],
    [2 ** -14, "6.10352e-5"],
    [65504, "65504"],
    [1234567, "1234570"],
    [9.99999e9, "9999990000"],
    [12345678901234, "1.23457e+13"],
    [2.1778e31, "2.1778e+31"],
    [-9.18355e-41, "-9.18355e-41"],
  ])("of %s is %s", (x, text) => {
    expect(short(x)).toBe(text);
  });

  test("has six significant digits", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Math.abs(Number(short(x)) - x)).toBeLessThanOrEqual(0.500001e-5 * Math.abs(x));
        expect(short(x).length).toBeLessThanOrEqual(13);
      }),
    );
  });
});

describe("share", () => {
  test("has no value without a whole", () => {
    expect(share(0, 0)).toBe(null);
    expect(share(0, 3)).toBe(0);
    expect(share(1, 3)).toBe(1 / 3);
  });
});

describe("bytes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [52_096, "52.1 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [4e9, "4.00 GB"],
    [1.4e11, "140 GB"],
    [2 ** 53, "9.01 PB"],
  ])("of %i are %s", (n, text) => {
    expect(bytes(n)).toBe(text);
  });
});
