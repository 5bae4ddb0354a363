import type { Format } from "../format/format.js";
import { type Draw, gapOf } from "./draw.js";
import { inverseModPower, squareRootsModPower } from "./integers.js";
import type { OperationName } from "./operation.js";

/**
 * Operands whose exact results lie on, or a hair from, the numbers and midpoints of the format, in its subnormal range,
 * or where it overflows: the result is chosen first, then operands that give it. What a draw misses makes a case less
 * hard, never wrong.
 */
type Kind = (draw: Draw, of: Format) => readonly number[];

const raw: Kind = (draw, of) => [draw.number(of), draw.number(of), draw.number(of)];

const specials: Kind = (draw, of) => {
  const ordinary = draw.below(4);
  return [0, 1, 2].map((i) => (i === ordinary ? draw.number(of) : draw.special(of)));
};

const sums: readonly Kind[] = [
  raw,
  specials,
  function numberAndHalfGap(draw, of) {
    const a = draw.number(of);
    return [a, draw.near((draw.sign() * gapOf(a, of)) / 2, of)];
  },
  function numberAndHair(draw, of) {
    const a = draw.number(of);
    return [a, draw.nearest(draw.hair(a, of), of)];
  },
  function powerOfTwoLessHair(draw, of) {
    const a = draw.sign() * 2 ** draw.exponent(of);
    return [a, draw.nearest(-Math.sign(a) * Math.abs(draw.hair(a, of)), of)];
  },
  function cancellation(draw, of) {
    const a = draw.number(of);
    return [a, draw.near(-a, of)];
  },
  function partsOfBoundary(draw, of) {
    const sum = draw.boundary(of);
    const a = draw.nearest((sum * draw.bits()) / 2 ** 31, of);
    return [a, draw.nearest(sum - a, of)];
  },
  function overflow(draw, of) {
    const sign = draw.sign();
    return [sign * of.maxFinite, sign * draw.near(gapOf(of.maxFinite, of) / 2, of)];
  },
  function subnormal(draw, of) {
    const tiny = () => draw.sign() * draw.below(2 ** (of.precision + 1)) * of.minPositive;
    return [draw.nearest(tiny(), of), draw.nearest(tiny(), of)];
  },
];

/** Digits of the significand that a subnormal result lacks; mostly none. */
function lostDigits(draw: Draw, of: Format): number {
  return draw.below(3) === 0 ? draw.below(of.precision) : 0;
}

const products: readonly Kind[] = [
  raw,
  specials,
  function lastDigitsGiven(draw, of) {
    const lost = lostDigits(draw, of);
    const exponent = lost > 0 ? of.minExponent - lost : draw.exponent(of);
    const dropped = of.precision - draw.below(2) + lost;
    const given = Math.min(dropped, of.precision);
    const free = of.precision - given;
    const a = draw.odd(of.precision);
    // What is rounded away: half a gap or none, and a little.
    const digits = draw.below(2) * 2 ** (given - 1) + draw.between(-3, 3);
    let b = Number(BigInt.asUintN(given, inverseModPower(BigInt(a), given) * BigInt(digits))) || 1;
    if (free > 0) b += (2 ** (free - 1) + draw.below(2 ** (free - 1))) * 2 ** given;
    return scaled(draw, a, b, exponent - Math.floor(Math.log2(a * b)), of);
  },
  function boundary(draw, of) {
    const digits = of.precision + draw.below(2) - lostDigits(draw, of);
    const first = draw.between(1, Math.max(digits - 1, 1));
    const [a, b] = [draw.odd(first), draw.odd(Math.max(digits - first, 1))];
    const least = Math.log2(of.minPositive) - draw.below(2);
    return scaled(draw, a, b, draw.below(2) === 0 ? least : draw.exponent(of) - digits, of);
  },
  function aroundLeast(draw, of) {
    const near = () => 1 + draw.between(-1, 1) * 2 ** -draw.between(1, Math.max(of.precision - 1, 1));
    return scaled(draw, near(), near(), Math.log2(of.minPositive) + draw.between(-3, 2), of);
  },
  function aroundOverflow(draw, of) {
    const a = draw.number(of) || 1;
    const most = of.maxFinite + draw.below(3) * 0.5 * gapOf(of.maxFinite, of);
    return [a, draw.near((draw.sign() * most) / a, of)];
  },
];

const quotients: readonly Kind[] = [
  raw,
  specials,
  function fewDigitsAndHair(draw, of) {
    // a 2^digits = N b + distance: the quotient is N 2^-digits and a hair of distance / b more.
    const lost = lostDigits(draw, of);
    const beyond = draw.oneOf([0, 1, 1]);
    const digits = of.precision - lost + beyond;
    const b = draw.odd(of.precision);
    const distance = BigInt(draw.sign() * draw.between(1, 4));
    const n = BigInt.asUintN(digits, -distance * inverseModPower(BigInt(b), digits));
    const a = Number((n * BigInt(b) + distance) >> BigInt(digits)) || 1;
    const exponent =
      lost > 0 ? digits + Math.log2(of.minPositive) - beyond : draw.exponent(of) + draw.between(0, 1);
    const [first, second] = draw.split(exponent, of);
    return [draw.nearest(draw.sign() * a * 2 ** first, of), draw.nearest(b * 2 ** -second, of)];
  },
  function powerOfTwoAndHair(draw, of) {
    const b = draw.number(of) || 1;
    return [draw.near(b * 2 ** draw.between(-3, 3), of), b];
  },
  function aroundLeastAndOverflow(draw, of) {
    const a = draw.number(of) || 1;
    const { maxFinite, minPositive } = of;
    const edges = [maxFinite, maxFinite + gapOf(maxFinite, of) / 2, minPositive / 2, minPositive];
    return [a, draw.near((draw.sign() * a) / draw.oneOf(edges), of)];
  },
];

const radicands: readonly Kind[] = [
  specials,
  function positive(draw, of) {
    return [Math.abs(draw.number(of))];
  },
  function squareAndHair(draw, of) {
    const root = draw.odd(draw.between(1, of.precision + 1));
    return [draw.near(root * root * 4 ** evenRoom(draw, of), of)];
  },
  function fewDigitsAndHair(draw, of) {
    // a 2^dropped = N^2 - c with N of one digit more than the result has: the root is a hair from a midpoint.
    const digits = of.precision + draw.below(2);
    const dropped = 2 * digits - of.precision - draw.below(2);
    if (dropped < 3) return [draw.near(draw.odd(digits) ** 2, of)];
    const c = BigInt(draw.sign() * draw.below(2 ** draw.below(10)) * 8 + 1);
    const root = BigInt.asUintN(digits, draw.oneOf(squareRootsModPower(c, dropped)));
    const a = Number((root * root - c) >> BigInt(dropped));
    return [draw.nearest(Math.abs(a) * 2 ** -(dropped % 2) * 4 ** evenRoom(draw, of), of)];
  },
];

/** Half an exponent, such that an integer of the precision's digits scaled by it stays in the range. */
function evenRoom(draw: Draw, of: Format): number {
  const most = of.maxExponent - 2 * of.precision - 2;
  return draw.between(Math.ceil(Math.log2(of.minPositive) / 2), Math.max(Math.floor(most / 2), 0));
}

const productSums: readonly Kind[] = [
  raw,
  specials,
  function productCancelled(draw, of) {
    const [a, b] = draw.oneOf(products)(draw, of);
    return [a, b, draw.near(-a * b, of)];
  },
  function productAndHair(draw, of) {
    const [a, b] = draw.oneOf(products)(draw, of);
    return [a, b, draw.nearest(draw.hair(a * b, of), of)];
  },
  function boundaryAndHairProduct(draw, of) {
    const c = draw.nearest(draw.boundary(of), of);
    const hair = Math.abs(draw.hair(c, of)) || of.minPositive;
    const [first, second] = draw.split(Math.floor(Math.log2(hair)), of);
    return [draw.nearest(draw.sign() * 2 ** first, of), draw.nearest(2 ** second, of), c];
  },
  function halfGapAndHair(draw, of) {
    // The product is half a gap of c times 1 - 2^-2i: what is rounded before it is added becomes half a gap.
    const c = draw.number(of);
    const i = draw.between(of.precision >> 1, Math.max(of.precision - 1, 1));
    const [first, second] = draw.split(Math.floor(Math.log2(gapOf(c, of) / 2)), of);
    const a = draw.nearest(draw.sign() * (1 + 2 ** -i) * 2 ** first, of);
    return [a, draw.nearest((1 - 2 ** -i) * 2 ** second, of), c];
  },
  function partsOfBoundary(draw, of) {
    const [a, b] = draw.oneOf(products)(draw, of);
    const sum = draw.nearest(a * b * draw.oneOf([0.5, 1, 2, 3]), of);
    return [a, b, draw.nearest(sum + draw.below(2) * 0.5 * gapOf(sum, of) - a * b, of)];
  },
  function aroundOverflow(draw, of) {
    const a = draw.number(of) || 1;
    const b = draw.nearest((draw.sign() * of.maxFinite) / a, of);
    return [a, b, draw.near(Math.sign(a * b) * (of.maxFinite - Math.abs(a * b)), of)];
  },
];

/** a and b with 2^exponent divided between them. */
function scaled(draw: Draw, a: number, b: number, exponent: number, of: Format): readonly [number, number] {
  const [first, second] = draw.split(exponent, of);
  return [draw.nearest(draw.sign() * a * 2 ** first, of), draw.nearest(b * 2 ** second, of)];
}

const kinds: Readonly<Record<OperationName, readonly Kind[]>> = {
  add: sums,
  sub: sums,
  mul: products,
  div: quotients,
  sqrt: radicands,
  fma: productSums,
};

/** Three operands for an operation; those that it does not take are to be ignored. */
export function hardOperands(
  operation: OperationName,
  draw: Draw,
  of: Format,
): readonly [number, number, number] {
  const [a, b = 0, c = 0] = draw.oneOf(kinds[operation])(draw, of);
  if (!of.unsignedZero) return [a, b, c];
  // -0 is none of its numbers.
  return [a + 0, b + 0, c + 0];
}
