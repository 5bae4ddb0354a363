import { threefry2x32, threefryKey } from "../../lane/threefry.js";
import { bindings } from "../device.js";
import { digits, parameterNames, pieceWords, threads } from "../layout.js";
import { fp32Text } from "../wgsl/fp32.js";
import { fp64Text } from "../wgsl/fp64.js";
import { u32, WgslWriter } from "../wgsl/writer.js";

/** The parts shared by all kernels. */

/** Threefry of lane/threefry.ts. */
const threefryText = (() => {
  const k = new WgslWriter();
  const [low, high, c0, c1] = ["low", "high", "c0", "c1"].map(u32);
  const [x, y] = threefry2x32(k, threefryKey(k, low, high), [c0, c1]);
  return `fn threefry(low: u32, high: u32, c0: u32, c1: u32) -> vec2<u32> {
${k.text}
return vec2<u32>(${x.text}, ${y.text});
}
`;
})();

/** The parts of a kernel; each sees the names of those before it. */
export interface KernelParts {
  /** Functions and variables of the module. */
  readonly module?: string;
  /** Whether `state` is one of atomic words. */
  readonly atomicState?: boolean;
  /** Before the pairs; `piece`, `thread`, `length`, `first` and `pairHigh` are known. */
  readonly before?: string;
  /** Before and after each 16 pairs, whose flags are one word, at `flags`. */
  readonly beforeChunk?: string;
  readonly afterChunk?: string;
  /**
   * For each pair. Its index is `at` in a plane, `pair` in the batch, `pairLow` in the tensor, `i` among 16;
   * `element` is in the block.
   */
  readonly pair: string;
  /** After the pairs, in all threads of the workgroup, including those without pairs. */
  readonly after?: string;
}

/**
 * A kernel that is run for every workgroup of a batch; `group`, `local`, `piece` and `thread` are known.
 *
 * @param atomicState whether `state` is one of atomic words.
 */
export function groupKernelText(module: string, body: string, atomicState = false): string {
  const declared = atomicState
    ? bindings.replace("> state: array<u32>", "> state: array<atomic<u32>>")
    : bindings;
  return `struct Params { ${parameterNames.map((name) => `${name}: u32`).join(", ")} }
${declared}
${fp32Text}
${fp64Text}
${threefryText}
${module}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) local: u32) {
let group = id.x + id.y * grid.x;
if (group >= params.groups) { return; }
let piece = constants[group];
let thread = group * ${threads}u + local;
${body}
}
`;
}

/** A kernel that takes every pair of a batch in the order of the sums. */
export function kernelText({
  module = "",
  atomicState = false,
  before = "",
  beforeChunk = "",
  pair,
  afterChunk = "",
  after = "",
}: KernelParts): string {
  return groupKernelText(
    module,
    `let first = ((thread >> 2u) - ${ofPiece("firstBlock")}) * 4096u;
let length = min(${ofPiece("length")} - min(first, ${ofPiece("length")}), 4096u);
let rounds = (length + 7u) >> 3u;
let firstPair = (first >> 1u) + (thread & 3u);
let firstLow = ${ofPiece("pairLow")} + firstPair;
let pairHigh = ${ofPiece("pairHigh")} + select(0u, 1u, firstLow < firstPair);
${before}
for (var chunk = 0u; chunk * 16u < rounds; chunk++) {
let flags = ((thread >> 5u) * 32u + chunk) * 32u + (thread & 31u);
${beforeChunk}
let most = min(rounds - chunk * 16u, 16u);
for (var i = 0u; i < most; i++) {
let j = chunk * 16u + i;
let at = (thread >> 5u) * 16384u + j * 32u + (thread & 31u);
let pair = (thread >> 2u) * 2048u + j * 4u + (thread & 3u);
let pairLow = firstLow + j * 4u;
let element = j * 8u + (thread & 3u) * 2u;
${pair}
}
${afterChunk}
}
${after}`,
    atomicState,
  );
}

/** A word of the piece's constants. */
export function ofPiece(name: (typeof pieceWords)[number]): string {
  return `constants[params.groups + piece * ${pieceWords.length}u + ${pieceWords.indexOf(name)}u]`;
}

/** Declares two variables, the numbers of a pair, read from a plane by `read`. */
export function loadPair(
  names: readonly [string, string],
  buffer: string,
  plane: number,
  packed: boolean,
  read = wordOf,
) {
  const [even, odd] = names;
  if (!packed) {
    return `var ${even} = ${read(buffer, plane)}; var ${odd} = ${read(buffer, plane + 1)};`;
  }
  return `let ${even}${odd} = ${read(buffer, plane)};
var ${even} = ${even}${odd} << 16u; var ${odd} = ${even}${odd} & 0xffff0000u;`;
}

export function storePair(names: readonly [string, string], buffer: string, plane: number, packed: boolean) {
  const [even, odd] = names;
  if (packed) return `${wordOf(buffer, plane)} = (${even} >> 16u) | (${odd} & 0xffff0000u);`;
  return `${wordOf(buffer, plane)} = ${even}; ${wordOf(buffer, plane + 1)} = ${odd};`;
}

function wordOf(buffer: string, plane: number): string {
  return `${buffer}[${plane}u * params.plane + at]`;
}

/**
 * Words read one pair ahead, because too few threads share a compute unit to hide the latency of memory. Valid for
 * words that only the thread itself writes.
 */
export class ReadAhead {
  readonly #words: string[] = [];

  readonly word = (buffer: string, plane: number): string => {
    this.#words.push(`${buffer}[${plane}u * params.plane + `);
    return `word${this.#words.length - 1}`;
  };

  /** Before all pairs. */
  get before(): string {
    const firsts = this.#words.map((word, i) => `var next${i} = ${word}ahead];`);
    return ["let ahead = (thread >> 5u) * 16384u + (thread & 31u);", ...firsts].join("\n");
  }

  /** Before the text of a pair. */
  get pair(): string {
    const nexts = this.#words.map((word, i) => `let word${i} = next${i}; next${i} = ${word}nextAt];`);
    return ["let nextAt = ahead + min(j + 1u, rounds - 1u) * 32u;", ...nexts].join("\n");
  }
}

/** Whether a number changed; +0 and -0 are equal. */
export function changed(was: string, is: string): string {
  return `(${is} != ${was}) & (((${is} | ${was}) & 0x7fffffffu) != 0u)`;
}

/** The word of the thread's chunk in the plane of flags with index `flag`, after the planes of numbers. */
export function flagsOf(buffer: string, planes: number, flag: number): string {
  return `${buffer}[${planes}u * params.plane + ${flag}u * (params.plane >> 4u) + flags]`;
}

/** Two random words for a pair, from the words of a key. */
export function drawText(low: string, high: string, draw: number): string {
  return `threefry(${low}, ${high}, pairLow, pairHigh + ${(draw * 2 ** 20) >>> 0}u)`;
}

/** Workgroup variables for {@link countText} and {@link sumText}. */
export function talliesText(counts: number, sums: number): string {
  return `
var<workgroup> tallies: array<atomic<u32>, ${counts}>;
var<workgroup> sumQ: array<i32, ${2 * threads}>;
var<workgroup> sumHi: array<u32, ${2 * threads}>;
var<workgroup> sumLo: array<u32, ${2 * threads}>;
var<workgroup> sumDigits: array<atomic<u32>, ${digits * sums}>;
`;
}

/** Adds counts of a thread, each an expression, to the row of its piece. */
export function countText(counts: readonly string[], rowWords: number): string {
  return `
let row = params.row + piece * ${rowWords}u;
${counts.map((count, i) => `atomicAdd(&tallies[${i}], ${count});`).join("\n")}
workgroupBarrier();
if (local < ${counts.length}u) {
  let count = atomicLoad(&tallies[local]);
  if (count != 0u) { atomicAdd(&counts[row + local], count); }
}
`;
}

/**
 * Adds the lanes of each block pairwise, like sumOfLanes of lens/sum.ts, and the block sums exactly, in digits
 * after the counts of the row. The sums use the same workgroup memory, one after the other.
 *
 * @param lanes a variable with the thread's two lanes of each sum.
 */
export function sumText(sums: number, counts: number, lanes: string): string {
  return `
for (var s = 0u; s < ${sums}u; s++) {
  for (var h = 0u; h < 2u; h++) {
    let lane = ${lanes}[2u * s + h];
    sumQ[2u * local + h] = lane.q; sumHi[2u * local + h] = lane.hi; sumLo[2u * local + h] = lane.lo;
  }
  for (var stride = 1u; stride < 8u; stride *= 2u) {
    workgroupBarrier();
    if (local < ${threads}u / stride) {
      let a = local * 2u * stride; let b = a + stride;
      let sum = add64(Sum(sumQ[a], sumHi[a], sumLo[a]), (sumLo[b] & 1u) == 1u, sumHi[b], sumLo[b] & 0xfffffc00u, sumQ[b]);
      sumQ[a] = sum.q; sumHi[a] = sum.hi; sumLo[a] = sum.lo;
    }
  }
  workgroupBarrier();
  let hi = sumHi[min(8u * local, ${2 * threads - 8}u)]; let lo = sumLo[min(8u * local, ${2 * threads - 8}u)] & 0xfffffc00u;
  if ((local < ${threads / 4}u) & (hi != 0u)) {
    let place = bitcast<u32>(sumQ[8u * local] + 64);
    let by = place & 15u;
    let digit = s * ${digits}u + (place >> 4u);
    let w0 = lo << by; let w1 = (hi << by) | ((lo >> 1u) >> (31u - by)); let w2 = (hi >> 1u) >> (31u - by);
    let sign = select(1u, 0xffffffffu, (sumLo[8u * local] & 1u) == 1u);
    atomicAdd(&sumDigits[digit], sign * (w0 & 0xffffu)); atomicAdd(&sumDigits[digit + 1u], sign * (w0 >> 16u));
    atomicAdd(&sumDigits[digit + 2u], sign * (w1 & 0xffffu)); atomicAdd(&sumDigits[digit + 3u], sign * (w1 >> 16u));
    atomicAdd(&sumDigits[digit + 4u], sign * (w2 & 0xffffu));
  }
  workgroupBarrier();
}
for (var i = local; i < ${sums * digits}u; i += ${threads}u) {
  let digit = atomicLoad(&sumDigits[i]);
  if (digit != 0u) { atomicAdd(&counts[row + ${counts}u + i], digit); }
}
`;
}
