/**
 * Threefry2x32-20, the counter-based generator of Random123 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011) and of JAX, and how a run draws its random bits from it: keyed by seed, tensor name and
 * step, counted by element. A draw depends on nothing else, so no result depends on chunking, threads or order.
 */

/** Two 32-bit words, unsigned. */
export type Words = readonly [number, number];

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
/** Skein's key schedule parity, 32-bit. */
const parity = 0x1bd11bda;

/** The words that a key is added as, in turn: its own two and their parity, unsigned. */
export function keySchedule(key: Words): readonly [number, number, number] {
  return [key[0], key[1], (parity ^ key[0] ^ key[1]) >>> 0];
}

/** Threefry2x32 with 20 rounds: additions, rotations and exclusive-ors on 32-bit words only. */
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

/** Second counter word while a name or a step is folded into a key: keeps the two from meeting. */
const nameDomain = 1;
const stepDomain = 2;

/** The key of a tensor: the seed, into which the UTF-16 units of the name are folded one after the other. */
export function tensorKey(seed: number, name: string): Words {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed ${seed}: expected an integer from 0 to 2^53 - 1`);
  }
  let key: Words = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  for (let i = 0; i < name.length; i++) key = threefry2x32(key, [name.charCodeAt(i), nameDomain]);
  return key;
}

/** The key of one step of a tensor; `step` is the number that the recording gives it. */
export function stepKey(key: Words, step: number): Words {
  return threefry2x32(key, [step >>> 0, stepDomain]);
}

/**
 * The 32 random bits of one rounding: of `element` (index in its tensor, below 2^53), the `draw`-th rounding of
 * the step (0 to 4095). Elements 2i and 2i + 1 share one block of the generator, a word each.
 */
export function randomBits(key: Words, element: number, draw: number): number {
  const pair = Math.floor(element / 2);
  return threefry2x32(key, [pair >>> 0, Math.floor(pair / 2 ** 32) + draw * 2 ** 20])[element % 2];
}
