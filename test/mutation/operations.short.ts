import { describe, it } from "vitest";
import { opmaths } from "../../src/format/operations.js";
import { random32 } from "../support/bits.js";
import { Draw } from "../support/draw.js";
import { hardOperands } from "../support/hard-operands.js";
import { Mismatches } from "../support/mismatches.js";
import { compareEveryRounding, operationCases } from "../support/operations.js";
import { overflowModes } from "../support/oracle.js";
import { allSubjects } from "../support/subjects.js";

const subjects = allSubjects.filter(({ name }) => ["fp32", "fp16", "e4m3fn"].includes(name));

/** The first draws of test/format/operations.test.ts, which is too long for a run for each mutant. */
describe.each(operationCases)("a few of $name", (operation) => {
  it.each(subjects)("to $name", (subject) => {
    const mismatches = new Mismatches();
    const random = random32(0x2545_f491);
    const draw = new Draw(subject.oracle, random);
    for (let i = 0; i < 150; i++) {
      const operands = hardOperands(operation.name, draw);
      for (const opmath of opmaths) {
        const setting = { subject, opmath, overflow: overflowModes[i % 2]!, randomBits: random() };
        compareEveryRounding(operation, operands, setting, mismatches);
      }
    }
    mismatches.expectNone();
  });
});
