import type { Draw } from "./draw.js";
import { inverseModPower, squareRootsModPower } from "./integers.js";
import type { OracleFormat } from "./oracle-formats.js";

/**
 * Operands whose exact results lie on, or a hair from, the numbers and midpoints of the result format, in its
 * subnormal range, or where it overflows: the result is chosen first, then operands that give it. Each kind takes
 * the formats of the operands.
 */
type Kind = (draw: Draw, f: OracleFormat, g: OracleFormat, h: OracleFormat) => readonly number[];

const raw: Kind = (draw, f, g, h) => [draw.number(f), draw.number(g), draw.number(h)];

const specials: Kind = (draw, f, g, h) => {
  const formats = [f, g, h];
  const ordinary = draw.below(4);
  return formats.map((format, i) => (i === ordinary ? draw.number(format) : draw.special(format)));
};

const sums: readonly Kind[] = [
  raw,
  specials,
  function numberAndHalfGap(draw, f, g) {
    const a = draw.number(f);
    return [a, draw.near((draw.sign() * draw.gap(a, draw.format)) / 2, g)];
  },
  function boundaryAndHair(draw, f, g) {
    const a = draw.nearest(draw.boundary(), f);
    return [a, draw.nearest(draw.hair(a), g)];
  },
  function powerOfTwoLessHair(draw, f, g) {
    const a = draw.nearest(2 ** draw.exponent(), f);
    const sign = draw.sign();
    return [sign * a, -sign * Math.abs(draw.nearest(draw.hair(a), g))];
  },
  function cancellation(draw, f, g) {
    const a = draw.number(f);
    return [a, draw.near(-a, g)];
  },
  function partsOfBoundary(draw, f, g) {
    const sum = draw.boundary();
    const a = draw.nearest((sum * draw.random()) / 2 ** 31, f);
    return [a, draw.nearest(sum - a, g)];
  },
  function overflow(draw, f, g) {
    const { largest } = draw.format;
    const a = draw.nearest(largest, f);
    const sign = draw.sign();
    return [sign * a, sign * draw.near(draw.gap(largest, draw.format) / 2, g)];
  },
  function subnormal(draw, f, g) {
    const { leastExponent, precision } = draw.format;
    const tiny = () => draw.sign() * draw.below(2 ** (precision + 2)) * 2 ** (leastExponent - draw.below(3));
    return [draw.nearest(tiny(), f), draw.nearest(tiny(), g)];
  },
];

/** Digits of the significand that a subnormal result lacks; mostly none. */
function lostDigits(draw: Draw): number {
  return draw.below(3) === 0 ? draw.below(draw.format.precision) : 0;
}

const products: readonly Kind[] = [
  raw,
  specials,
  function lastDigitsGiven(draw, f, g) {
    const lost = lostDigits(draw);
    const exponent = lost > 0 ? draw.format.normalExponent - lost : draw.exponent();
    const dropped = f.precision + g.precision - draw.format.precision - draw.below(2) + lost;
    const given = Math.min(dropped, g.precision);
    const free = g.precision - given;
    const beyond = 2 ** (draw.format.precision - lost + dropped);
    let a = 1;
    let b = 1;
    // The number of digits to drop is right if the product has the expected length: about every other time.
    for (let attempt = 0; attempt < 6; attempt++) {
      a = draw.odd(f.precision);
      // What is rounded away: half a gap or none, and a little.
      const digits = draw.below(2) * 2 ** (given - 1) + draw.between(-3, 3);
      b = Number(BigInt.asUintN(given, inverseModPower(BigInt(a), given) * BigInt(digits))) || 1;
      if (free > 0) b += (2 ** (free - 1) + draw.below(2 ** (free - 1))) * 2 ** given;
      if (a * b < beyond && 2 * a * b >= beyond) break;
    }
    return scaled(draw, a, b, exponent - Math.floor(Math.log2(a * b)), f, g);
  },
  function onePlusTimesOneMinus(draw, f, g) {
    // t (1 + 2^-i) (1 - 2^-i) = t (1 - 2^-2i).
    const t = draw.odd(draw.between(1, 6));
    const i = draw.between(2, Math.min(f.precision, g.precision) - 1);
    const rest = Math.max(f.precision - i, 1);
    const u = draw.odd(draw.between(1, Math.min(rest, 6)));
    return scaled(draw, u * (1 + 2 ** -i), t * (1 - 2 ** -i), draw.exponent() - 5, f, g);
  },
  function boundary(draw, f, g) {
    const digits = draw.format.precision + draw.below(2) - lostDigits(draw);
    const first = draw.between(1, Math.max(digits - 1, 1));
    const a = draw.odd(first);
    const b = draw.odd(Math.max(digits - first, 1));
    const least = draw.format.leastExponent - draw.below(2);
    return scaled(draw, a, b, draw.below(2) === 0 ? least : draw.exponent() - digits, f, g);
  },
  function aroundLeast(draw, f, g) {
    const a = 1 + draw.between(-1, 1) * 2 ** -draw.between(1, f.precision - 1);
    const b = 1 + draw.between(-1, 1) * 2 ** -draw.between(1, g.precision - 1);
    return scaled(draw, a, b, draw.format.leastExponent + draw.between(-3, 2), f, g);
  },
  function aroundOverflow(draw, f, g) {
    const a = draw.number(f) || 1;
    const most = draw.format.largest + draw.below(3) * 0.5 * draw.gap(draw.format.largest, draw.format);
    return [a, draw.near((draw.sign() * most) / a, g)];
  },
];

const quotients: readonly Kind[] = [
  raw,
  specials,
  function fewDigitsAndHair(draw, f, g) {
    // a 2^digits = N b + distance: the quotient is N 2^-digits and a hair of distance / b more.
    const lost = lostDigits(draw);
    const beyond = draw.oneOf([0, 1, 1, 32]);
    const digits = draw.format.precision - lost + beyond;
    const b = draw.odd(Math.min(f.precision, g.precision));
    const distance = BigInt(draw.sign() * draw.between(1, 4));
    const n = BigInt.asUintN(digits, -distance * inverseModPower(BigInt(b), digits));
    const a = Number((n * BigInt(b) + distance) >> BigInt(digits)) || 1;
    const exponent =
      lost > 0 ? digits + draw.format.leastExponent - beyond : draw.exponent() + draw.between(0, 1);
    const [first, second] = draw.split(exponent);
    return [draw.nearest(draw.sign() * a * 2 ** first, f), draw.nearest(b * 2 ** -second, g)];
  },
  function boundary(draw, f, g) {
    const quotient = draw.boundary();
    const spare = Math.max(f.precision - draw.format.precision - 1, 0);
    const b = draw.odd(draw.between(1, Math.min(spare + 1, g.precision)));
    const [first] = draw.split(0);
    return [draw.nearest(quotient * b * 2 ** first, f), draw.nearest(b * 2 ** first, g)];
  },
  function powerOfTwoAndHair(draw, f, g) {
    const b = draw.number(draw.format) || 1;
    return [draw.near(b * 2 ** draw.between(-3, 3), f), draw.nearest(b, g)];
  },
  function aroundLeastAndOverflow(draw, f, g) {
    const a = draw.number(f) || 1;
    const { largest, leastExponent } = draw.format;
    const edge = draw.oneOf([
      largest,
      largest + draw.gap(largest, draw.format) / 2,
      2 ** (leastExponent - 1),
      2 ** leastExponent,
    ]);
    return [a, draw.near((draw.sign() * a) / edge, g)];
  },
];

const radicands: readonly Kind[] = [
  specials,
  function positive(draw, f) {
    return [Math.abs(draw.number(f))];
  },
  function squareAndHair(draw, f) {
    const root = draw.odd(draw.between(1, draw.format.precision + 1));
    return [draw.near(root * root * 4 ** evenRoom(draw, f), f)];
  },
  function fewDigitsAndHair(draw, f) {
    // a 2^dropped = N^2 - c with N of one digit more than the result has: the root is a hair from a midpoint.
    const digits = draw.format.precision + draw.below(2);
    const dropped = 2 * digits - f.precision - draw.below(2);
    const c = BigInt(draw.sign() * draw.below(2 ** draw.below(10)) * 8 + 1);
    if (dropped < 3) return [draw.near(draw.odd(digits) ** 2, f)];
    const roots = squareRootsModPower(c, dropped).map((root) => BigInt.asUintN(digits, root));
    const root = draw.oneOf(roots);
    const a = Number((root * root - c) >> BigInt(dropped));
    return [draw.nearest(Math.abs(a) * 2 ** -(dropped % 2) * 4 ** evenRoom(draw, f), f)];
  },
];

/** Half an exponent, such that an integer of the precision's digits scaled by it stays in the range of `format`. */
function evenRoom(draw: Draw, format: OracleFormat): number {
  const most = Math.floor(Math.log2(format.largest)) - 2 * draw.format.precision - 2;
  return draw.between(Math.ceil(format.leastExponent / 2), Math.max(Math.floor(most / 2), 0));
}

const productSums: readonly Kind[] = [
  raw,
  specials,
  function productCancelled(draw, f, g, h) {
    const [a, b] = draw.oneOf(products)(draw, f, g, h);
    return [a!, b!, draw.near(-a! * b!, h)];
  },
  function productAndHair(draw, f, g, h) {
    const [a, b] = draw.oneOf(products)(draw, f, g, h);
    return [a!, b!, draw.nearest(draw.hair(a! * b!), h)];
  },
  function boundaryAndHairProduct(draw, f, g, h) {
    const c = draw.nearest(draw.boundary(), h);
    const hair = draw.hair(c);
    const [first, second] = draw.split(Math.floor(Math.log2(Math.abs(hair) || 1)));
    return [draw.nearest(draw.sign() * 2 ** first, f), draw.nearest(2 ** second, g), c];
  },
  function halfGapAndHair(draw, f, g, h) {
    // The product is half a gap of c times 1 - 2^-2i, where rounding to fp64 first would make it half a gap.
    const c = draw.nearest(draw.boundary(), h);
    const half = draw.gap(c, draw.below(2) === 0 ? draw.format : h) / 2;
    const i = draw.between(Math.min(f.precision, g.precision) >> 1, Math.min(f.precision, g.precision) - 1);
    const sign = draw.sign();
    const [first, second] = draw.split(Math.floor(Math.log2(half)));
    return [
      draw.nearest(sign * (1 + 2 ** -i) * 2 ** first, f),
      draw.nearest((1 - 2 ** -i) * 2 ** second, g),
      c,
    ];
  },
  function partsOfBoundary(draw, f, g, h) {
    const [a, b] = draw.oneOf(products)(draw, f, g, h);
    const product = a! * b!;
    const sum = draw.nearest(product * draw.oneOf([0.5, 1, 2, 3]), draw.format);
    return [a!, b!, draw.nearest(sum + draw.below(2) * 0.5 * draw.gap(sum, draw.format) - product, h)];
  },
  function aroundOverflow(draw, f, g, h) {
    const a = draw.number(f) || 1;
    const { largest } = draw.format;
    const b = draw.nearest((draw.sign() * largest) / a, g);
    return [a, b, draw.near(Math.sign(a * b) * (largest - Math.abs(a * b)), h)];
  },
];

/** a and b with 2^exponent divided between them. */
function scaled(
  draw: Draw,
  a: number,
  b: number,
  exponent: number,
  f: OracleFormat,
  g: OracleFormat,
): [number, number] {
  const [first, second] = draw.split(exponent);
  return [draw.nearest(draw.sign() * a * 2 ** first, f), draw.nearest(b * 2 ** second, g)];
}

const kinds = {
  add: sums,
  sub: sums,
  mul: products,
  div: quotients,
  sqrt: radicands,
  fma: productSums,
} as const;

/** Three operands for an operation, which ignores those that it does not need. */
export function hardOperands(operation: keyof typeof kinds, draw: Draw): readonly number[] {
  const kind = draw.oneOf(kinds[operation]);
  return kind(draw, draw.operandFormat(), draw.operandFormat(), draw.operandFormat());
}
