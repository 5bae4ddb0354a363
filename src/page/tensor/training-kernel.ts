import { bitsOf } from "../../engine/lane/numbers.js";
import { bindings } from "../../engine/webgpu/device.js";
import { fp32Text } from "../../engine/webgpu/wgsl/fp32.js";
import { u32, WgslWriter } from "../../engine/webgpu/wgsl/writer.js";
import { lensPicture } from "./picture.js";
import { noiseTable, stepConstants, type TrainingSettings } from "./training.js";

/** A step of {@link Training} on the GPU, bit for bit: its fp32 arithmetic is that of the engine, on integers. */

const threads = 128;

/** Workgroups that take all weights. */
export function trainingGroups({ side }: TrainingSettings): number {
  return Math.ceil(side ** 2 / 2 / threads);
}

/** The noise table, then the picture, a bit a weight. */
export function trainingConstants({ side }: TrainingSettings): Uint32Array {
  const picture = lensPicture(side);
  const words = new Uint32Array(noiseTable.length + Math.ceil(picture.length / 32));
  new Float32Array(words.buffer).set(noiseTable);
  for (const [i, sign] of picture.entries())
    if (sign > 0) words[noiseTable.length + (i >>> 5)] |= 1 << (i & 31);
  return words;
}

const names = ["pairs", "low", "high", "size", "rest", "first", "second", "signal"] as const;

/** The parameters of step t, counted from 1. */
export function trainingParameters(settings: TrainingSettings, t: number): Uint32Array {
  const { size, floor, first, second, key } = stepConstants(settings, t);
  const [low, high] = key;
  const signal = Math.fround(settings.signal);
  const numbers = [size, floor, first, second, signal].map(bitsOf);
  return Uint32Array.of(settings.side ** 2 / 2, low, high, ...numbers);
}

/** Puts the updates of a step into `updates`, in the order of the weights; `state` are the first moments, then the second. */
export const trainingKernel = (() => {
  const elements = [0, 1].map((half) => {
    const k = new WgslWriter();
    const { add, sub, mul, div, sqrt } = k.f32x4;
    const [m, v, noise, signal] = ["m", "v", "noise", "signal"].map(u32);
    const [size, rest, first, second] = names.slice(3, 7).map((name) => u32(`params.${name}`));
    const gradient = sub(noise, signal);
    const mean = add(m, mul(first, sub(gradient, m)));
    const square = add(v, mul(second, sub(mul(gradient, gradient), v)));
    const update = div(mul(size, mean), add(sqrt(square), rest));
    return `{
let e = 2u * pair + ${half}u;
let m = state[e]; let v = state[2u * params.pairs + e];
let noise = constants[${half === 0 ? "word & 0xffffu" : "word >> 16u"}];
let lit = ((constants[${noiseTable.length}u + (e >> 5u)] >> (e & 31u)) & 1u) == 1u;
let signal = params.signal ^ select(0x80000000u, 0u, lit);
${k.text}
state[e] = ${mean.text}; state[2u * params.pairs + e] = ${square.text};
updates[e] = ${update.text};
}`;
  });
  return `struct Params { ${names.map((name) => `${name}: u32`).join(", ")} }
${bindings}
${fp32Text}
fn mixed(word: u32) -> u32 {
  var x = (word ^ (word >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) local: u32) {
let pair = (id.x + id.y * grid.x) * ${threads}u + local;
if (pair >= params.pairs) { return; }
let word = mixed(mixed((2u * pair) ^ params.low) ^ params.high);
${elements.join("\n")}
}
`;
})();
