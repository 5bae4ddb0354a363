import { opmaths } from "../../src/format/operations.js";
import { random32 } from "../support/bits.js";
import { Draw } from "../support/draw.js";
import { hardOperands } from "../support/hard-operands.js";
import { compareEveryRounding, type OperationCase, operationCases } from "../support/operations.js";
import { overflowModes } from "../support/oracle.js";
import { allSubjects } from "../support/subjects.js";
import type { Count } from "./count.js";

/** Sets of operands that a piece draws for each operation. */
export const HARD_SETS = 512;

/** Every operation on hard operands against exact integer arithmetic, under all roundings and both opmaths. */
export function hard(name: string, operations: readonly OperationCase[] = operationCases) {
  const subject = allSubjects.find((candidate) => candidate.name === name)!;
  return (piece: number, count: Count): void => {
    // Never 0, from which xorshift does not move.
    const random = random32(Math.imul(piece + 1, 0x9e37_79b1) | 1);
    // The first numbers from seeds that are alike are alike.
    for (let i = 0; i < 16; i++) random();
    const draw = new Draw(subject.oracle, random);
    for (const operation of operations) {
      for (let i = 0; i < HARD_SETS; i++) {
        const operands = hardOperands(operation.name, draw);
        for (const opmath of opmaths) {
          const setting = { subject, opmath, overflow: overflowModes[i % 2]!, randomBits: random() };
          compareEveryRounding(operation, operands, setting, count);
        }
      }
    }
  };
}
