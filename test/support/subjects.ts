import { defineFormat, type Format } from "../../src/format/format.js";
import { format } from "../../src/format/registry.js";
import { bf16, e4m3fn, fp32, type OracleFormat, smallFormats } from "./oracle-formats.js";

/** A format under test, and its oracle format. */
export interface Subject {
  readonly name: string;
  readonly record: Format;
  readonly oracle: OracleFormat;
}

function builtIn(oracle: OracleFormat): Subject {
  return { name: oracle.name, record: format(oracle.name), oracle };
}

export const bf16WithoutSubnormals: Subject = {
  name: "bf16 without subnormals",
  record: defineFormat({ ...format("bf16"), name: "bf16-flush", subnormals: false }),
  oracle: { ...bf16, name: "bf16-flush", leastExponent: -126 },
};

/** One Inf and one NaN at the top of four exponent bits. */
export const e4m3OneInfinity: Subject = {
  name: "e4m3 with one Inf and one NaN",
  record: defineFormat({ ...format("e4m3fn"), name: "e4m3-inf", topCodes: 2 }),
  oracle: { ...e4m3fn, name: "e4m3-inf", largest: 416, beyond: "infinity" },
};

/** The formats small enough to enumerate: built-in ones, and two defined by parameters only. */
export const subjects: readonly Subject[] = [
  ...smallFormats.map(builtIn),
  bf16WithoutSubnormals,
  e4m3OneInfinity,
];

/** The same and fp32. */
export const allSubjects: readonly Subject[] = [builtIn(fp32), ...subjects];
