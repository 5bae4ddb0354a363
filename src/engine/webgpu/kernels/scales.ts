import type { BlockFormat } from "../../../format/block/block-format.js";
import type { BlockSettings } from "../../../update/block-settings.js";
import { magnitude } from "../../lane/numbers.js";
import { round } from "../../lane/round.js";
import { blockScale, blockScaleLanes, laneRule, tensorScale } from "../../lane/scale-rules.js";
import { blocksOfGroup, elementsOfGroup, fp32Planes, threads } from "../layout.js";
import { entryWords } from "../scale-tables.js";
import { u32, type Wgsl, WgslWriter } from "../wgsl/writer.js";
import { groupKernelText, kernelText, loadPair, ofPiece, storePair } from "./text.js";
import { beforeUpdates, type UpdateSource, updateText } from "./updates.js";

/**
 * For weights that share scales: how kernels find the block of a weight, and the two kernels that compute all scales before a step. The
 * first finds the largest magnitudes of blocks and tensors; the second computes the scales from them, one thread per block. Within the
 * step kernel, the threads of a block would have to wait for each other, and those of a tensor for all.
 */

/** Text that tracks the block of a thread's pairs. Rows are multiples of eight, so the pairs of four threads are in one block. */
export interface BlockWalk {
  /** Before the loop over pairs. */
  readonly before: string;
  /** Before a pair: declares `block`, its position in the tables, and `isFirst`, whether the pair is the first one in its block. */
  readonly here: string;
  /** After a pair. */
  readonly next: string;
}

export function blockWalk({ rows, columns }: BlockFormat): BlockWalk {
  const [byColumns, byRows] = [columns, rows].map(Math.log2);
  const isRow = rows === 1;
  return {
    before: `
let width = ${ofPiece("width")};
let across = (width + ${columns - 1}u) >> ${byColumns}u;
let firstOfPiece = constants[params.pieceScales + 3u * piece];
let place = ${ofPiece("column")} + first;
let placeRow = place / width;
var column = place - placeRow * width;
${
  isRow
    ? "var band = placeRow;"
    : `let height = ${ofPiece("height")};
let down = (height + ${rows - 1}u) >> ${byRows}u;
let rowBegun = ${ofPiece("row")};
let matrix = (rowBegun + placeRow) / height;
var matrixRow = rowBegun + placeRow - matrix * height;
var band = matrix * down + (matrixRow >> ${byRows}u) - (rowBegun >> ${byRows}u);`
}`,
    here: `
let block = firstOfPiece + band * across + (column >> ${byColumns}u);
let isFirst = ((thread & 3u) == 0u) & ((column & ${columns - 1}u) == 0u)${isRow ? "" : ` & ((matrixRow & ${rows - 1}u) == 0u)`};`,
    next: `
column += 8u;
if (column >= width) {
column = 0u;
${
  isRow
    ? "band += 1u;"
    : `matrixRow += 1u;
if (matrixRow == height) { matrixRow = 0u; band += 1u; } else if ((matrixRow & ${rows - 1}u) == 0u) { band += 1u; }`
}
}`,
  };
}

/** A condition: whether the pair is the first of a piece. False for threads without pairs. */
export const isFirstOfPiece = "((first == 0u) & ((thread & 3u) == 0u))";

/** The word of the scale of a piece's tensor in one of the tables. */
export function tensorWord(table: "startScales" | "scalesBefore" | "scalesAfter"): string {
  return `state[params.${table} + ${entryWords}u * params.scaleBlocks + piece]`;
}

const ofTensor = "params.magnitudes + params.scaleBlocks + piece";

/** Resets the largest magnitude of the tensor after all scales were computed; those of blocks are reset before. */
export function forgetTensor({ blocks }: BlockSettings): string {
  return laneRule(blocks).tensorScale ? `if ${isFirstOfPiece} { state[${ofTensor}] = 0u; }` : "";
}

/** The number to quantize: rounded to the format `through`, if there is one. */
export function sent(k: WgslWriter, number: Wgsl, { through }: BlockSettings): Wgsl {
  if (through === null) return number;
  const to = { format: through, rounding: "nearest-even", overflow: "ieee" } as const;
  return round(k, number, to, () => k.i32x4.constant(0));
}

/**
 * Finds the largest magnitudes of blocks and tensors among the numbers to be stored by a step, or by the start if there are no updates.
 * The rounding to the format `through` is applied later, to the largest only: rounding keeps the order of magnitudes. The bits of
 * magnitudes, as integers, are in the order of the numbers, with NaN above all.
 */
export function magnitudesKernel(settings: BlockSettings, updates: UpdateSource | null): string {
  const { blocks } = settings;
  const walk = blockWalk(blocks);
  const hasTensor = laneRule(blocks).tensorScale !== null;
  const sizes = [0, 1].map((half) => {
    const k = new WgslWriter(`n${half}_`);
    const before = u32(`c${half}`);
    const size = magnitude(k, updates === null ? before : k.f32x4.add(before, u32(`u${half}`)));
    return `${k.text}\nlargest = max(largest, ${size.text});`;
  });
  const keep = `if (largest != 0u) {
atomicMax(&state[params.magnitudes + held], largest);
${hasTensor ? "largestOfAll = max(largestOfAll, largest);" : ""}
}`;
  return kernelText({
    module: hasTensor ? "var<workgroup> largestOfGroup: atomic<u32>;" : "",
    atomicState: true,
    before: `${updates === null ? "" : beforeUpdates(updates)}
${walk.before}
var held = 0u; var largest = 0u; ${hasTensor ? "var largestOfAll = 0u;" : ""}`,
    pair: `
${updates === null ? "" : updateText(updates)}
${loadPair(["c0", "c1"], "fp32", fp32Planes.now, false)}
${walk.here}
if (block != held) {
${keep}
held = block; largest = 0u;
}
${sizes.join("\n")}
${walk.next}`,
    after: `${keep}
${
  hasTensor
    ? `atomicMax(&largestOfGroup, largestOfAll);
workgroupBarrier();
if (local == 0u) { atomicMax(&state[${ofTensor}], atomicLoad(&largestOfGroup)); }`
    : ""
}`,
  });
}

/** Computes the scales of all blocks from their largest magnitudes, and resets these. */
export function scalesKernel(settings: BlockSettings): string {
  const { blocks } = settings;
  const t = new WgslWriter("t");
  const tensor = tensorScale(t, () => magnitude(t, sent(t, u32(`state[${ofTensor}]`), settings)), blocks);
  const k = new WgslWriter("s");
  const scale = blockScale(k, magnitude(k, sent(k, u32("largest"), settings)), blocks, tensor);
  const { factor, step } = blockScaleLanes(k, scale, blocks, tensor);
  const hasTensor = laneRule(blocks).tensorScale !== null;
  return groupKernelText(
    "",
    `let table = params.pieceScales + 3u * piece;
let blocks = constants[table + 2u];
let groupOfPiece = group - ${ofPiece("firstBlock")} / ${blocksOfGroup}u;
let groupsOfPiece = (${ofPiece("length")} + ${elementsOfGroup - 1}u) / ${elementsOfGroup}u;
${t.text}
${hasTensor ? `if ((groupOfPiece == 0u) & (local == 0u)) { ${tensorWord("scalesAfter")} = ${tensor.stored.text}; }` : ""}
for (var b = groupOfPiece * ${threads}u + local; b < blocks; b += groupsOfPiece * ${threads}u) {
let block = constants[table + 1u] + b;
let largest = state[params.magnitudes + block];
state[params.magnitudes + block] = 0u;
${k.text}
let at = params.scalesAfter + ${entryWords}u * block;
state[at] = ${scale.text}; state[at + 1u] = ${factor.text}; state[at + 2u] = ${step.text};
}`,
  );
}

/** Advances the fp32 run in a pass that only finds magnitudes. */
export function advanceKernel(updates: UpdateSource): string {
  const sums = [0, 1].map((half) => {
    const k = new WgslWriter(`n${half}_`);
    const sum = k.f32x4.add(u32(`c${half}`), u32(`u${half}`));
    return `${k.text}\nc${half} = ${sum.text};`;
  });
  return kernelText({
    before: beforeUpdates(updates),
    pair: `${updateText(updates)}
${loadPair(["c0", "c1"], "fp32", fp32Planes.now, false)}
${sums.join("\n")}
${storePair(["c0", "c1"], "fp32", fp32Planes.now, false)}`,
  });
}
