import type { Format } from "../format/format.js";
import { type Draw, gapOf } from "./draw.js";
import { inverseModPower, squareRootsModPower } from "./integers.js";
import type { OperationName } from "./operation.js";

/**
 * Operands whose exact results lie on or very near the numbers and midpoints of the format, in its subnormal
 * range, or at overflow: the result is chosen first, then operands that give it. An imperfect draw makes a
 * case easier, never wrong.
 */
type Kind = (draw: Draw, format: Format) => readonly number[];

const raw: Kind = (draw, format) => [draw.number(format), draw.number(format), draw.number(format)];

const specials: Kind = (draw, format) => {
  const ordinary = draw.below(4);
  return [0, 1, 2].map((i) => (i === ordinary ? draw.number(format) : draw.special(format)));
};

const sums: readonly Kind[] = [
  raw,
  specials,
  function numberAndHalfGap(draw, format) {
    const a = draw.number(format);
    return [a, draw.near((draw.sign() * gapOf(a, format)) / 2, format)];
  },
  function numberAndHair(draw, format) {
    const a = draw.number(format);
    return [a, draw.nearest(draw.hair(a, format), format)];
  },
  function powerOfTwoLessHair(draw, format) {
    const a = draw.sign() * 2 ** draw.exponent(format);
    return [a, draw.nearest(-Math.sign(a) * Math.abs(draw.hair(a, format)), format)];
  },
  function cancellation(draw, format) {
    const a = draw.number(format);
    return [a, draw.near(-a, format)];
  },
  function partsOfBoundary(draw, format) {
    const sum = draw.boundary(format);
    const a = draw.nearest((sum * draw.bits()) / 2 ** 31, format);
    return [a, draw.nearest(sum - a, format)];
  },
  function overflow(draw, format) {
    const sign = draw.sign();
    return [sign * format.maxFinite, sign * draw.near(gapOf(format.maxFinite, format) / 2, format)];
  },
  function subnormal(draw, format) {
    const tiny = () => draw.sign() * draw.below(2 ** (format.precision + 1)) * format.minPositive;
    return [draw.nearest(tiny(), format), draw.nearest(tiny(), format)];
  },
];

/** Digits of the significand that a subnormal result lacks; mostly none. */
function lostDigits(draw: Draw, format: Format): number {
  return draw.below(3) === 0 ? draw.below(format.precision) : 0;
}

const products: readonly Kind[] = [
  raw,
  specials,
  function lastDigitsGiven(draw, format) {
    const lost = lostDigits(draw, format);
    const exponent = lost > 0 ? format.minExponent - lost : draw.exponent(format);
    const dropped = format.precision - draw.below(2) + lost;
    const given = Math.min(dropped, format.precision);
    const free = format.precision - given;
    const a = draw.odd(format.precision);
    // What is rounded away: half a gap or none, and a little.
    const digits = draw.below(2) * 2 ** (given - 1) + draw.between(-3, 3);
    let b = Number(BigInt.asUintN(given, inverseModPower(BigInt(a), given) * BigInt(digits))) || 1;
    if (free > 0) b += (2 ** (free - 1) + draw.below(2 ** (free - 1))) * 2 ** given;
    return scaled(draw, a, b, exponent - Math.floor(Math.log2(a * b)), format);
  },
  function boundary(draw, format) {
    const digits = format.precision + draw.below(2) - lostDigits(draw, format);
    const first = draw.between(1, Math.max(digits - 1, 1));
    const [a, b] = [draw.odd(first), draw.odd(Math.max(digits - first, 1))];
    const least = Math.log2(format.minPositive) - draw.below(2);
    return scaled(draw, a, b, draw.below(2) === 0 ? least : draw.exponent(format) - digits, format);
  },
  function aroundLeast(draw, format) {
    const near = () => 1 + draw.between(-1, 1) * 2 ** -draw.between(1, Math.max(format.precision - 1, 1));
    return scaled(draw, near(), near(), Math.log2(format.minPositive) + draw.between(-3, 2), format);
  },
  function aroundOverflow(draw, format) {
    const a = draw.number(format) || 1;
    const most = format.maxFinite + draw.below(3) * 0.5 * gapOf(format.maxFinite, format);
    return [a, draw.near((draw.sign() * most) / a, format)];
  },
];

const quotients: readonly Kind[] = [
  raw,
  specials,
  function fewDigitsAndHair(draw, format) {
    // a 2^digits = N b + distance: the quotient is N 2^-digits and a hair of distance / b more.
    const lost = lostDigits(draw, format);
    const beyond = draw.oneOf([0, 1, 1]);
    const digits = format.precision - lost + beyond;
    const b = draw.odd(format.precision);
    const distance = BigInt(draw.sign() * draw.between(1, 4));
    const n = BigInt.asUintN(digits, -distance * inverseModPower(BigInt(b), digits));
    const a = Number((n * BigInt(b) + distance) >> BigInt(digits)) || 1;
    const exponent =
      lost > 0 ? digits + Math.log2(format.minPositive) - beyond : draw.exponent(format) + draw.between(0, 1);
    const [first, second] = draw.split(exponent, format);
    return [draw.nearest(draw.sign() * a * 2 ** first, format), draw.nearest(b * 2 ** -second, format)];
  },
  function powerOfTwoAndHair(draw, format) {
    const b = draw.number(format) || 1;
    return [draw.near(b * 2 ** draw.between(-3, 3), format), b];
  },
  function aroundLeastAndOverflow(draw, format) {
    const a = draw.number(format) || 1;
    const { maxFinite, minPositive } = format;
    const edges = [maxFinite, maxFinite + gapOf(maxFinite, format) / 2, minPositive / 2, minPositive];
    return [a, draw.near((draw.sign() * a) / draw.oneOf(edges), format)];
  },
];

const radicands: readonly Kind[] = [
  specials,
  function positive(draw, format) {
    return [Math.abs(draw.number(format))];
  },
  function squareAndHair(draw, format) {
    const root = draw.odd(draw.between(1, format.precision + 1));
    return [draw.near(root * root * 4 ** evenRoom(draw, format), format)];
  },
  function fewDigitsAndHair(draw, format) {
    // a 2^dropped = N^2 - c with N of one digit more than the result has: the root is a hair from a midpoint.
    const digits = format.precision + draw.below(2);
    const dropped = 2 * digits - format.precision - draw.below(2);
    if (dropped < 3) return [draw.near(draw.odd(digits) ** 2, format)];
    const c = BigInt(draw.sign() * draw.below(2 ** draw.below(10)) * 8 + 1);
    const root = BigInt.asUintN(digits, draw.oneOf(squareRootsModPower(c, dropped)));
    const a = Number((root * root - c) >> BigInt(dropped));
    return [draw.nearest(Math.abs(a) * 2 ** -(dropped % 2) * 4 ** evenRoom(draw, format), format)];
  },
];

/** Half an exponent, such that an integer of the precision's digits scaled by it stays in the range. */
function evenRoom(draw: Draw, format: Format): number {
  const most = format.maxExponent - 2 * format.precision - 2;
  return draw.between(Math.ceil(Math.log2(format.minPositive) / 2), Math.max(Math.floor(most / 2), 0));
}

const productSums: readonly Kind[] = [
  raw,
  specials,
  function productCancelled(draw, format) {
    const [a, b] = draw.oneOf(products)(draw, format);
    return [a, b, draw.near(-a * b, format)];
  },
  function productAndHair(draw, format) {
    const [a, b] = draw.oneOf(products)(draw, format);
    return [a, b, draw.nearest(draw.hair(a * b, format), format)];
  },
  function boundaryAndHairProduct(draw, format) {
    const c = draw.nearest(draw.boundary(format), format);
    const hair = Math.abs(draw.hair(c, format)) || format.minPositive;
    const [first, second] = draw.split(Math.floor(Math.log2(hair)), format);
    return [draw.nearest(draw.sign() * 2 ** first, format), draw.nearest(2 ** second, format), c];
  },
  function halfGapAndHair(draw, format) {
    // The product is half a gap of c times 1 - 2^-2i: what is rounded before it is added becomes half a gap.
    const c = draw.number(format);
    const i = draw.between(format.precision >> 1, Math.max(format.precision - 1, 1));
    const [first, second] = draw.split(Math.floor(Math.log2(gapOf(c, format) / 2)), format);
    const a = draw.nearest(draw.sign() * (1 + 2 ** -i) * 2 ** first, format);
    return [a, draw.nearest((1 - 2 ** -i) * 2 ** second, format), c];
  },
  function partsOfBoundary(draw, format) {
    const [a, b] = draw.oneOf(products)(draw, format);
    const sum = draw.nearest(a * b * draw.oneOf([0.5, 1, 2, 3]), format);
    return [a, b, draw.nearest(sum + draw.below(2) * 0.5 * gapOf(sum, format) - a * b, format)];
  },
  function aroundOverflow(draw, format) {
    const a = draw.number(format) || 1;
    const b = draw.nearest((draw.sign() * format.maxFinite) / a, format);
    return [a, b, draw.near(Math.sign(a * b) * (format.maxFinite - Math.abs(a * b)), format)];
  },
];

/** a and b with 2^exponent divided between them. */
function scaled(
  draw: Draw,
  a: number,
  b: number,
  exponent: number,
  format: Format,
): readonly [number, number] {
  const [first, second] = draw.split(exponent, format);
  return [draw.nearest(draw.sign() * a * 2 ** first, format), draw.nearest(b * 2 ** second, format)];
}

const kinds: Readonly<Record<OperationName, readonly Kind[]>> = {
  add: sums,
  sub: sums,
  mul: products,
  div: quotients,
  sqrt: radicands,
  fma: productSums,
};

/** Three operands for an operation; unused ones are to be ignored. */
export function hardOperands(
  operation: OperationName,
  draw: Draw,
  format: Format,
): readonly [number, number, number] {
  const [a, b = 0, c = 0] = draw.oneOf(kinds[operation])(draw, format);
  if (!format.unsignedZero) return [a, b, c];
  // -0 is none of its numbers.
  return [a + 0, b + 0, c + 0];
}
