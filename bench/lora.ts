/**
 * Merges a LoRA adapter over all linear layers of a 7B model (the shapes of Qwen2.5-7B) by the built command line:
 * `diff BASE ADAPTER`. Base and adapter are drawn: repeated blocks of Gaussian weights stored as bf16, and factors such
 * that updates are about half a gap.
 * Usage: npm run bench -- lora [layers] [rank]
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { encodeHeader } from "../src/source/safetensors/write.js";
import { models } from "../src/source/synthetic/models.js";
import { gaussian } from "../test/support/values.js";
import { peakOf } from "./peak.js";

interface Matrix {
  readonly module: string;
  readonly shape: readonly [rows: number, columns: number];
}

export function lora(layers = 28, rank = 16): void {
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-lora-"));
  try {
    const matrices = matricesOf(layers);
    const weights = matrices.reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0);
    const [base, adapter] = [join(folder, "base.safetensors"), join(folder, "adapter")];
    writeBase(base, matrices);
    writeAdapter(adapter, matrices, rank);
    process.stdout.write(
      `${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}\n` +
        `${matrices.length} matrices, ${weights.toLocaleString("en")} weights, rank ${rank}\n`,
    );
    for (const [what, more] of [
      ["merge", []],
      ["merge and unmerge", ["--unmerge"]],
    ] as const) {
      const { peak, seconds, cpu } = peakOf(["diff", base, adapter, "--quiet", ...more]);
      process.stdout.write(
        `${what}: ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of all threads together, ` +
          `${((cpu / weights) * 1e9).toFixed(2)} ns a weight, peak ${peak.toFixed(0)} MiB\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Queries, keys, values, outputs, and the three of the MLP. */
function matricesOf(layers: number): Matrix[] {
  const { hidden, headSize, heads, keyValueHeads, intermediate } = models.get("qwen2.5-7b")!;
  const [q, kv] = [heads * headSize, keyValueHeads * headSize];
  const shapes: Readonly<Record<string, readonly [number, number]>> = {
    "self_attn.q_proj": [q, hidden],
    "self_attn.k_proj": [kv, hidden],
    "self_attn.v_proj": [kv, hidden],
    "self_attn.o_proj": [hidden, q],
    "mlp.gate_proj": [intermediate, hidden],
    "mlp.up_proj": [intermediate, hidden],
    "mlp.down_proj": [hidden, intermediate],
  };
  return Array.from({ length: layers }, (_, layer) =>
    Object.entries(shapes).map(([name, shape]) => ({ module: `model.layers.${layer}.${name}`, shape })),
  ).flat();
}

function writeBase(path: string, matrices: readonly Matrix[]): void {
  const normal = gaussian(1);
  const block = new Uint16Array(2 ** 22).map(() => bfloat16(0.02 * normal()));
  const layout = matrices.map(({ module, shape }) => ({
    name: `${module}.weight`,
    dtype: "BF16",
    shape,
    bytes: 2 * shape[0] * shape[1],
  }));
  const file = openSync(path, "w");
  writeSync(file, encodeHeader(layout));
  for (let left = layout.reduce((sum, { bytes }) => sum + bytes, 0); left > 0; left -= block.byteLength) {
    writeSync(file, new Uint8Array(block.buffer, 0, Math.min(left, block.byteLength)));
  }
  closeSync(file);
}

function bfloat16(x: number): number {
  const [word] = new Uint32Array(Float32Array.of(x).buffer);
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

function writeAdapter(folder: string, matrices: readonly Matrix[], rank: number): void {
  const normal = gaussian(2);
  mkdirSync(folder);
  writeFileSync(
    join(folder, "adapter_config.json"),
    JSON.stringify({ peft_type: "LORA", r: rank, lora_alpha: 2 * rank }),
  );
  const factors = matrices.flatMap(({ module, shape: [rows, columns] }) => [
    { name: `base_model.model.${module}.lora_A.weight`, shape: [rank, columns], size: 0.01 },
    { name: `base_model.model.${module}.lora_B.weight`, shape: [rows, rank], size: 0.0005 },
  ]);
  const bytes = ({ shape }: { readonly shape: readonly number[] }) => 4 * shape[0] * shape[1];
  const layout = factors.map(({ name, shape }) => ({ name, shape, dtype: "F32", bytes: bytes({ shape }) }));
  const file = openSync(join(folder, "adapter_model.safetensors"), "w");
  writeSync(file, encodeHeader(layout));
  for (const factor of factors) {
    writeSync(
      file,
      new Float32Array(bytes(factor) / 4).map(() => factor.size * normal()),
    );
  }
  closeSync(file);
}
