import type { Format } from "../format.js";
import { e8m0fnu, format } from "../registry.js";
import { unknownName } from "../unknown-name.js";
import { type Parts, type ScaleRule, type ScaleRuleName, scaleRules } from "./scale-rule.js";

/** A format in which the numbers of a block share a scale: a value, never a branch on a name. */
export interface BlockFormat extends Parts {
  /** With the rule if it is not the default: `mxfp4:rceil`. */
  readonly name: string;
  readonly element: Format;
  /** The shape of a block in a matrix; higher-dimensional tensors are treated as stacks of matrices. */
  readonly rows: number;
  readonly columns: number;
  /** The format of block scales; a tensor scale is fp32. */
  readonly scale: Format;
  readonly rule: ScaleRule;
}

/** A family of block formats, one per rule, the default first. */
interface Family {
  readonly name: string;
  readonly element: string;
  readonly block: readonly [rows: number, columns: number];
  readonly scale: Format;
  readonly rules: readonly ScaleRuleName[];
}

const powersOfTwo = ["floor", "ceil", "rceil", "even", "compressed-tensors"] as const;

function mx(name: string, element: string): Family {
  return { name, element, block: [1, 32], scale: e8m0fnu, rules: powersOfTwo };
}

const families: readonly Family[] = [
  mx("mxfp8-e4m3", "e4m3fn"),
  mx("mxfp8-e5m2", "e5m2"),
  mx("mxfp6-e2m3", "e2m3fn"),
  mx("mxfp6-e3m2", "e3m2fn"),
  mx("mxfp4", "e2m1fn"),
  {
    name: "nvfp4",
    element: "e2m1fn",
    block: [1, 16],
    scale: format("e4m3fn"),
    rules: ["torchao", "transformer-engine"],
  },
  // Weights in TransformerEngine, so that a matrix and its transpose have the same codes.
  {
    name: "nvfp4-16x16",
    element: "e2m1fn",
    block: [16, 16],
    scale: format("e4m3fn"),
    rules: ["transformer-engine", "torchao"],
  },
  {
    name: "fp8-128x128",
    element: "e4m3fn",
    block: [128, 128],
    scale: format("fp32"),
    rules: ["amax", "power-of-two"],
  },
];

/** The block formats by name, each with its default rule. */
export const blockFormats: ReadonlyMap<string, BlockFormat> = new Map(
  families.map((family) => [family.name, member(family, family.rules[0])]),
);

/**
 * Looks up a block format by name, such as `mxfp4`, or with a rule other than the default: `mxfp4:rceil`,
 * `nvfp4:transformer-engine`, `fp8-128x128:power-of-two`.
 *
 * @param name the format, optionally with a rule after a colon.
 * @returns a frozen record.
 * @throws RangeError for an unknown name or rule, suggesting the nearest known one.
 * @example blockFormat("mxfp8-e4m3").rule.name; // "floor"
 */
export function blockFormat(name: string): BlockFormat {
  const [familyName, rule, ...rest] = name.split(":");
  const family = families.find((candidate) => candidate.name === familyName);
  if (family === undefined || rest.length > 0) {
    throw unknownName("block format", name, blockFormats.keys(), {
      expected: `${[...blockFormats.keys()].join(", ")}, each with :RULE after it if need be`,
    });
  }
  const known = family.rules.find((candidate) => candidate === (rule ?? family.rules[0]));
  if (known === undefined) throw unknownName("scale rule", rule, family.rules, { owner: family.name });
  return member(family, known);
}

/** The rules of a format's family, the default first. */
export function rulesOf({ name }: Pick<BlockFormat, "name">): readonly ScaleRuleName[] {
  const [familyName] = name.split(":");
  return families.find((family) => family.name === familyName)?.rules ?? [];
}

/** Whether a name is that of a block format, whether or not its rule is known. */
export function isBlockFormat(name: string): boolean {
  return blockFormats.has(name.split(":")[0]);
}

/**
 * Looks up what weights may be stored in: a format, or one with shared scales.
 *
 * @throws RangeError for an unknown name.
 */
export function storageFormat(name: string): Format | BlockFormat {
  return isBlockFormat(name) ? blockFormat(name) : format(name);
}

function member(
  { name, element, block: [rows, columns], scale, rules }: Family,
  rule: ScaleRuleName,
): BlockFormat {
  return Object.freeze({
    name: rule === rules[0] ? name : `${name}:${rule}`,
    element: format(element),
    rows,
    columns,
    scale,
    rule: scaleRules[rule],
  });
}
