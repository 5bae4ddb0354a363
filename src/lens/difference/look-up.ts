/**
 * Looks up runs of codes in the tables of their scales and puts a bf16 code for each into `into`. Valid for
 * runs of a multiple of 16 bytes, or of 8 where a byte holds two codes. `left` has room for one word more
 * than there are runs: the number of runs left over, then their indices; their entries in `into` are
 * undefined.
 */
export type LookUp = (runs: CodeRuns, tables: Uint8Array, into: Uint16Array, left: Uint32Array) => void;

/**
 * Lists the blocks of `perBlock` runs, the last one shorter, in which a bf16 code is not the one that would be looked up, or that may
 * hold what is not finite: how many there are, then which. Valid for the runs of {@link LookUp}; nothing is written but the list.
 */
export type FindOther = (
  runs: CodeRuns,
  tables: Uint8Array,
  numbers: Uint16Array,
  perBlock: number,
  other: Uint32Array,
) => void;

export interface CodeRuns {
  readonly codes: Uint8Array;
  /** Bits of a code; of two codes in a byte the first is in the lower half. */
  readonly bits: 4 | 8;
  /** One a run: which table is its scale's. */
  readonly scales: Uint8Array;
  /** Bytes of a run. */
  readonly bytes: number;
}

/** Bytes of a table. */
export const tableBytes = { 4: 64, 8: 128 } as const;

/**
 * Where a table has what, 16 bytes each, looked up by half a code, which vectors of bytes do without memory. Of codes of 4 bits
 * it has the lower and upper bytes of their numbers, and `notFinite`, in which all bits are set if one of these is NaN or Inf.
 * Of codes of 8 bits there are those of the lower half, `low` and `high`;
 * `sign`, added to the upper byte, is what the upper half of a code makes of them: it multiplies by a power of two and sets
 * the sign. Codes that differ from that by their exponent, those of magnitude below 16, have `lowSmall` and `highSmall`
 * exclusive-ored to both.
 */
export const tableParts4 = { low: 0, high: 16, notFinite: 32 } as const;
export const tableParts = { low: 0, high: 16, sign: 32, lowSmall: 48, highSmall: 64, outside: 80 } as const;

/** Smallest normal number of bf16, and Inf. */
const [normal, infinity] = [0x80, 0x7f80];

/** Writes the table of a scale: of the bf16 codes of all 16 codes of 4 bits. */
export function writeTable4(numbers: Uint16Array, into: Uint8Array): void {
  let notFinite = 0;
  for (let code = 0; code < 16; code++) {
    into[tableParts4.low + code] = numbers[code] & 255;
    into[tableParts4.high + code] = numbers[code] >> 8;
    if ((numbers[code] & infinity) === infinity) notFinite = 255;
  }
  into.fill(notFinite, tableParts4.notFinite, tableParts4.notFinite + 16);
}

/**
 * Writes the table of a scale: of the bf16 codes of codes of 8 bits, of which it reads those of 0 to 32, of 128, and from 127
 * down to the first that is finite. Where the numbers of codes of
 * magnitude 16 and above are normal in bf16, rounding them commutes with powers of two. From the first that is not
 * finite on, codes are outside; all are where that does not hold, or 128 is no zero. `outside` sets the upper bit of
 * magnitudes that are, when it is added.
 */
export function writeTable8(numbers: Uint16Array, into: Uint8Array): void {
  const step = (numbers[0x20] - numbers[0x10]) >> 8;
  let end = 128;
  while (end > 0 && (numbers[end - 1] & 0x7fff) >= infinity) end -= 1;
  // The number of 16 may have been rounded up to the smallest normal one. No writer uses negative scales.
  const isRegular = numbers[16] > normal && numbers[16] < infinity && numbers[128] === 0x8000;
  const outside = isRegular ? 128 - end : 128;
  for (let n = 0; n < 16; n++) {
    const base = numbers[16 + n] - (step << 8);
    const small = base ^ numbers[n];
    into[tableParts.low + n] = base;
    into[tableParts.high + n] = base >> 8;
    into[tableParts.sign + n] = (n & 7) * step + ((n & 8) << 4);
    into[tableParts.lowSmall + n] = small;
    into[tableParts.highSmall + n] = small >> 8;
    into[tableParts.outside + n] = outside;
  }
}

/** The specification of {@link LookUp}. */
export const lookUpCodes: LookUp = ({ codes, bits, scales, bytes }, tables, into, left) => {
  left[0] = 0;
  for (const [run, scale] of scales.entries()) {
    const table = tables.subarray(tableBytes[bits] * scale, tableBytes[bits] * (scale + 1));
    const ofRun = codes.subarray(run * bytes, (run + 1) * bytes);
    if (bits === 4) {
      const number = (code: number) => table[tableParts4.low + code] | (table[tableParts4.high + code] << 8);
      for (const [i, byte] of ofRun.entries()) {
        into[2 * (run * bytes + i)] = number(byte & 15);
        into[2 * (run * bytes + i) + 1] = number(byte >> 4);
      }
    } else {
      let outside = 0;
      for (const [i, code] of ofRun.entries()) {
        const [magnitude, lower] = [code & 127, code & 15];
        const small = magnitude < 16 ? 255 : 0;
        const low = table[tableParts.low + lower] ^ (table[tableParts.lowSmall + lower] & small);
        const high = table[tableParts.high + lower] ^ (table[tableParts.highSmall + lower] & small);
        into[run * bytes + i] = low | (((high + table[tableParts.sign + (code >> 4)]) & 255) << 8);
        outside |= magnitude + table[tableParts.outside];
      }
      if ((outside & 128) !== 0) {
        left[0] += 1;
        left[left[0]] = run;
      }
    }
  }
};

/** The specification of {@link FindOther}. */
export const findOtherCodes: FindOther = (
  { codes, bits, scales, bytes },
  tables,
  numbers,
  perBlock,
  other,
) => {
  const length = (8 * bytes) / bits;
  other[0] = 0;
  for (let first = 0; first < scales.length; first += perBlock) {
    const end = Math.min(first + perBlock, scales.length);
    const ofBlock = scales.subarray(first, end);
    const [found, left] = [new Uint16Array(length * (end - first)), new Uint32Array(end - first + 2)];
    lookUpCodes(
      { codes: codes.subarray(first * bytes, end * bytes), bits, scales: ofBlock, bytes },
      tables,
      found,
      left,
    );
    const isOutside = (scale: number) => tables[tableBytes[4] * scale + tableParts4.notFinite] !== 0;
    const isSame = found.every((code, i) => code === numbers[first * length + i]);
    if (isSame && left[0] === 0 && !(bits === 4 && ofBlock.some(isOutside))) continue;
    other[0] += 1;
    other[other[0]] = first / perBlock;
  }
};
