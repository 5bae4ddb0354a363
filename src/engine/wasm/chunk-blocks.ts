import type { Layout } from "./layout.js";
import type { Kernel } from "./platform.js";
import type { TensorBlocks } from "./tensor-blocks.js";

/**
 * The blocks of a chunk, for jobs on the calling thread; workers have the same functions (worker-script.ts). Finds
 * the blocks of its groups, and provides their largest magnitudes before each kernel that computes scales.
 */
export class ChunkBlocks {
  readonly #layout: Layout;
  readonly #memory: Uint8Array;
  readonly #kernels: Readonly<Record<string, Kernel>>;
  #blocks: TensorBlocks | null = null;

  constructor(layout: Layout, memory: Uint8Array, kernels: Readonly<Record<string, Kernel>>) {
    this.#layout = layout;
    this.#memory = memory;
    this.#kernels = kernels;
  }

  /** The blocks of the tensor whose chunks follow. */
  set blocks(blocks: TensorBlocks | null) {
    this.#blocks = blocks;
  }

  /** Finds the blocks of a chunk's groups. */
  locate(start: number, count: number): void {
    for (const [c, blocks] of this.#blocks?.cases.entries() ?? []) {
      if (blocks === null) continue;
      const { width, height, rows, across, down } = blocks;
      const row = Math.floor(start / width);
      const rowOfMatrix = row % height;
      const band = Math.floor(row / height) * down + Math.floor(rowOfMatrix / rows);
      const place = [start % width, rowOfMatrix, rowOfMatrix % rows, band * across];
      this.#kernels[`locate ${c}`](0, count, width, height, across, ...place);
    }
  }

  /** Updates the tensor's largest magnitudes after a number of steps by those of the chunk's fp32 run. */
  measure(steps: number, count: number): void {
    const { ofTensor, tables } = this.#blocks!;
    this.#kernels.magnitudes(0, count);
    const magnitudes = this.#words(this.#layout.magnitudes, count / 8);
    if (ofTensor) for (const bits of magnitudes) if (bits > ofTensor[steps]) ofTensor[steps] = bits;
    for (const { case: c, blocks, words } of tables) {
      const blockOf = this.#words(this.#layout.cases[c].shared!.blocks, count / 8);
      for (const [group, block] of blockOf.entries()) {
        const at = steps * blocks + block;
        if (magnitudes[group] > words[at]) words[at] = magnitudes[group];
      }
    }
  }

  /** To be called before a kernel computes the scales of a case after a number of steps. */
  beforeScales(c: number, steps: number, count: number): void {
    const blocks = this.#blocks?.cases[c];
    if (!blocks || (steps > 0 && !blocks.isRenewed)) return;
    const { shared } = this.#layout.cases[c];
    const { ofTensor, tables } = this.#blocks!;
    if (ofTensor) this.#words(shared!.tensor, 2).set([ofTensor[Math.max(steps - 1, 0)], ofTensor[steps]]);
    if (blocks.table === null) {
      this.#kernels[`${steps === 0 ? "beginLargest" : "largest"} ${c}`](0, count);
      return;
    }
    const { blocks: each, words } = tables[blocks.table];
    const largest = this.#words(shared!.largest, count / 8);
    const blockOf = this.#words(shared!.blocks, count / 8);
    for (const [group, block] of blockOf.entries()) largest[group] = words[steps * each + block];
  }

  #words(offset: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, offset, length);
  }
}
