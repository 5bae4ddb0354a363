/**
 * Threefry2x32-20, the counter-based generator of Random123 (Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011) and of JAX, and a run's random bits: keyed by seed, tensor name and step, with the
 * element as counter. A draw depends on nothing else, so results do not depend on chunking, threads or order.
 */

/** Two 32-bit words, unsigned. */
export type Words = readonly [number, number];

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
/** Skein's key schedule parity, 32-bit. */
const parity = 0x1bd11bda;

/** The key schedule: the two key words and their parity, unsigned. */
export function keySchedule(key: Words): readonly [number, number, number] {
  return [key[0], key[1], (parity ^ key[0] ^ key[1]) >>> 0];
}

/**
 * Threefry2x32 with 20 rounds: additions, rotations and exclusive-ors on 32-bit words only.
 *
 * @param key two words.
 * @param counter two words.
 * @returns two words, unsigned.
 * @throws nothing: words are taken modulo 2^32.
 * @example threefry2x32([0, 0], [0, 0]); // [0x6b200159, 0x99ba4efe]
 */
export function threefry2x32(key: Words, counter: Words): Words {
  const schedule = keySchedule(key);
  let x0 = (counter[0] + schedule[0]) | 0;
  let x1 = (counter[1] + schedule[1]) | 0;
  for (let group = 0; group < 5; group++) {
    for (const rotation of rotations[group % 2]) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    }
    x0 = (x0 + schedule[(group + 1) % 3]) | 0;
    x1 = (x1 + schedule[(group + 2) % 3] + group + 1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** Second counter word when folding a name or a step into a key: separates the two domains. */
const nameDomain = 1;
const stepDomain = 2;

/**
 * The key of a tensor: the UTF-16 units of the name are folded into the seed in turn.
 *
 * @param seed an integer from 0 to 2^53 - 1.
 * @param name the tensor's name.
 * @returns two words.
 * @throws RangeError for any other seed.
 * @example tensorKey(7, ""); // [7, 0]
 */
export function tensorKey(seed: number, name: string): Words {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed ${seed}: expected an integer from 0 to 2^53 - 1`);
  }
  let key: Words = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  for (let i = 0; i < name.length; i++) key = threefry2x32(key, [name.charCodeAt(i), nameDomain]);
  return key;
}

/**
 * The key of one step of a tensor.
 *
 * @param key the tensor's key.
 * @param step its number in the recording, an integer from 0 to 2^53 - 1. Bits beyond 32 are added to the
 * domain, otherwise 2, so that steps 2^32 apart have different keys.
 * @returns two words.
 * @throws RangeError for any other step.
 * @example stepKey(tensorKey(0, "w"), 1)[0] !== stepKey(tensorKey(0, "w"), 2 ** 32 + 1)[0]; // true
 */
export function stepKey(key: Words, step: number): Words {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`step ${step}: expected an integer from 0 to 2^53 - 1`);
  }
  return threefry2x32(key, [step >>> 0, stepDomain + Math.floor(step / 2 ** 32)]);
}

/**
 * The 32 random bits of one rounding. Elements 2i and 2i + 1 share one generator block, one word each.
 *
 * @param key the step's key.
 * @param element its index in its tensor, below 2^53.
 * @param draw the index of the rounding in the step, 0 to 4095.
 * @returns an unsigned integer of 32 bits.
 * @throws nothing: it is called for every rounding.
 * @example randomBits([0, 0], 1, 0); // 0x99ba4efe
 */
export function randomBits(key: Words, element: number, draw: number): number {
  const pair = Math.floor(element / 2);
  return threefry2x32(key, [pair >>> 0, Math.floor(pair / 2 ** 32) + draw * 2 ** 20])[element % 2];
}
