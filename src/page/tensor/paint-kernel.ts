import { bindings } from "../../engine/webgpu/device.js";
import { type Planned, statePlanes } from "../../engine/webgpu/layout.js";
import { type PictureInks, rampOf, type Span, shades } from "./paint.js";

/** {@link paintChanges} on the GPU; a pixel is the mean colour of a square of weights. */

const threads = 128;

export function paintGroups(picture: number): number {
  return Math.ceil(picture ** 2 / threads);
}

/** The ramp of colours, then that of the ground and that of what is not finite. */
export function paintConstants(inks: PictureInks): Uint32Array {
  return Uint32Array.of(...rampOf(inks), inks.ground, inks.nonfinite);
}

/**
 * @param plane words of a plane of the state.
 * @param full the change that gets the full colour.
 */
export function paintParameters(side: number, picture: number, plane: number, full: number): Uint32Array {
  const scale = full > 0 ? Math.min(shades / full, 1e38) : 1e38;
  const [bits] = new Uint32Array(Float32Array.of(scale).buffer);
  return Uint32Array.of(picture, side / picture, plane, bits);
}

/** Words of a case's stored weights, as they lie in its state. */
export function storedWords(settings: Planned, plane: number): number {
  return (statePlanes(settings).packed ? 1 : 2) * plane;
}

/** The first of these words. */
export function storedAt(settings: Planned, plane: number): number {
  return statePlanes(settings).weights * plane;
}

/** Writes pixels into `updates`. For the last step, `fp32` has the stored weights before it. */
export function paintKernel(settings: Planned, span: Span): string {
  const { packed, start, weights } = statePlanes(settings);
  const word = (buffer: string, plane: number) =>
    packed
      ? `let both = ${buffer}[${plane}u * params.plane + at]; return select(both << 16u, both & 0xffff0000u, odd);`
      : `return ${buffer}[(${plane}u + select(0u, 1u, odd)) * params.plane + at];`;
  return `struct Params { picture: u32, factor: u32, plane: u32, scale: u32 }
${bindings}
fn nowOf(at: u32, odd: bool) -> u32 { ${word("state", weights)} }
fn beforeOf(at: u32, odd: bool) -> u32 { ${span === "start" ? word("state", start) : word("fp32", 0)} }
// Integers in the order of the numbers.
fn order(x: u32) -> i32 { return select(bitcast<i32>(x), bitcast<i32>(0u - (x & 0x7fffffffu)), (x >> 31u) == 1u); }
fn inkOf(e: u32) -> u32 {
  // engine/webgpu/layout.ts: where the thread of an element has the pair of it.
  let thread = ((e >> 12u) << 2u) + ((e >> 1u) & 3u);
  let at = (thread >> 5u) * 16384u + ((e & 4095u) >> 3u) * 32u + (thread & 31u);
  let odd = (e & 1u) == 1u;
  let now = nowOf(at, odd); let before = beforeOf(at, odd);
  let mn = now & 0x7fffffffu; let mb = before & 0x7fffffffu;
  if ((mn > 0x7f800000u) | (mb > 0x7f800000u) | ((now == before) & (mn == 0x7f800000u))) { return constants[${2 * shades + 1}u]; }
  if ((now == before) | ((mn | mb) == 0u)) { return constants[${2 * shades}u]; }
  let change = floor((bitcast<f32>(now) - bitcast<f32>(before)) * bitcast<f32>(params.scale));
  let shade = i32(clamp(change, -${shades}.0, ${shades - 1}.0));
  // A device may take a difference below the normal numbers for zero.
  return constants[u32(${shades} + select(min(shade, -1), max(shade, 0), order(now) > order(before)))];
}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) local: u32) {
let pixel = (id.x + id.y * grid.x) * ${threads}u + local;
if (pixel >= params.picture * params.picture) { return; }
let f = params.factor;
let side = f * params.picture;
let first = (pixel / params.picture) * f * side + (pixel % params.picture) * f;
var red = 0u; var green = 0u; var blue = 0u;
for (var i = 0u; i < f * f; i++) {
  let ink = inkOf(first + (i / f) * side + i % f);
  red += ink & 0xffu; green += (ink >> 8u) & 0xffu; blue += (ink >> 16u) & 0xffu;
}
let half = f * f / 2u;
updates[pixel] = 0xff000000u | (((blue + half) / (f * f)) << 16u) | (((green + half) / (f * f)) << 8u) | ((red + half) / (f * f));
}
`;
}
