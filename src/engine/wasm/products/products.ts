import { type Operand, signWords } from "../../../geometry/matrix.js";
import { type CodeTile, type Products, type ProductsOf, plainProducts } from "../../../geometry/products.js";
import type { Words } from "../../../update/threefry.js";
import { pageBytes } from "../assembler/module.js";
import { type Kernel, webAssembly } from "../platform.js";
import type { Form } from "./form.js";
import { panelBytes, panelWidth, productsModule, quad, sumBytes } from "./kernel.js";

/** 256 MiB of address space; untouched pages take no memory. */
const pages = 4096;

const memorySize = { pages, shared: false } as const;

/** Columns of the tile multiplied at a time: sums over them are fp32, and data read again stays in the cache. */
const chunk = 256;

/** The compiled kernel, which can be sent to threads without compiling it again. Null if there is none. */
export type ProductsKernel = object | null;

/** Null if there is no SIMD, or if products differ from fp64 by more than fp32 allows. */
export async function provenProducts(): Promise<ProductsKernel> {
  if (!webAssembly) return null;
  const bytes = productsModule(memorySize);
  if (!webAssembly.validate(bytes)) return null;
  const kernel = await webAssembly.compile(bytes);
  return multipliesRightly(kernel) && formsRightly(kernel) ? kernel : null;
}

/**
 * Products of fp32 tiles by WebAssembly; in fp64 if they do not fit its memory or there is no kernel. All products of a
 * kernel share its memory: `begin` of one invalidates the others.
 */
export function productsOf(kernel: ProductsKernel): ProductsOf {
  if (kernel === null || !webAssembly) return plainProducts;
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new webAssembly.Instance(kernel, { host: { memory } });
  const buffer = memory.buffer as ArrayBuffer;
  return (columns, width, rows) => {
    const layout = layoutOf(columns, width, rows);
    if (layout.bytes > pages * pageBytes) return plainProducts(columns, width, rows);
    return new TiledProducts(buffer, exports, columns, width, layout);
  };
}

interface Layout {
  readonly panels: number;
  /** Columns and rows, rounded up to quads. */
  readonly columns: number;
  readonly rows: number;
  readonly x: number;
  readonly tile: number;
  readonly image: number;
  readonly y: number;
  readonly gathered: number;
  /** The codes of a tile on each side, and one sign bit per element. */
  readonly base: number;
  readonly tuned: number;
  readonly signs: number;
  readonly bytes: number;
}

function layoutOf(columns: number, width: number, rows: number): Layout {
  const panels = Math.ceil(width / panelWidth);
  const [wide, high] = [columns, rows].map((n) => Math.ceil(n / quad) * quad);
  const sizes = [
    panels * wide * panelBytes,
    high * wide * 4,
    panels * high * sumBytes,
    panels * high * panelBytes,
    panels * wide * sumBytes,
    // Eight codes are read at once, the last ones possibly beyond the tile.
    2 * high * wide + 16,
    2 * high * wide + 16,
    // One word more, because a tile need not begin at a word.
    Math.ceil((high * wide) / 32 + 2) * 4,
  ].map((size) => Math.ceil(size / 16) * 16);
  const at = [...sizes, 0].map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const [x, tile, image, y, gathered, base, tuned, signs, bytes] = at;
  return { panels, columns: wide, rows: high, x, tile, image, y, gathered, base, tuned, signs, bytes };
}

class TiledProducts implements Products {
  readonly #image: Kernel;
  readonly #gather: Kernel;
  readonly #columns: number;
  readonly #width: number;
  readonly #layout: Layout;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;
  #into = new Float64Array(0);
  /** Null if rows are padded with zeros. */
  readonly codes: CodeTile | null;

  constructor(
    buffer: ArrayBuffer,
    exports: Readonly<Record<string, Kernel>>,
    columns: number,
    width: number,
    layout: Layout,
  ) {
    [this.#image, this.#gather, this.#columns, this.#width] = [exports.image, exports.gather, columns, width];
    this.#layout = layout;
    this.codes = columns === layout.columns ? this.#codeTile(buffer, exports) : null;
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  begin(x: Float64Array): void {
    const { panels, columns, x: at, gathered } = this.#layout;
    const into = this.#floats.subarray(at / 4, at / 4 + panels * columns * panelWidth).fill(0);
    for (let row = 0, i = 0; row < this.#columns; row++) {
      for (let j = 0; j < this.#width; j++, i++) {
        into[((j >> 3) * columns + row) * panelWidth + (j & 7)] = x[i];
      }
    }
    this.#doubles.fill(0, gathered / 8, gathered / 8 + panels * columns * panelWidth);
  }

  multiply(tile: Float32Array | null, count: number, gather: boolean): Float64Array {
    if (tile !== null) this.#place(tile, count);
    const { panels, columns, rows, x, tile: at, image, y, gathered } = this.#layout;
    const quads = Math.ceil(count / quad);
    this.#doubles.fill(0, image / 8, image / 8 + panels * rows * panelWidth);
    for (let first = 0; first < columns; first += chunk) {
      const steps = Math.min(chunk, columns - first);
      for (let p = 0; p < panels; p++) {
        const panel = x + (p * columns + first) * panelBytes;
        this.#image(at + 4 * first, 4 * columns, quads, panel, steps, image + p * rows * sumBytes);
      }
    }
    if (gather) {
      const [from, to] = [image / 8, y / 4];
      const numbers = panels * rows * panelWidth;
      for (let i = 0; i < numbers; i++) this.#floats[to + i] = this.#doubles[from + i];
      for (let first = 0; first < columns; first += chunk) {
        const quads = Math.min(chunk, columns - first) / quad;
        for (let p = 0; p < panels; p++) {
          const sums = gathered + (p * columns + first) * sumBytes;
          this.#gather(at + 4 * first, 4 * columns, quads, y + p * rows * panelBytes, count, sums);
        }
      }
    }
    if (this.#into.length < count * this.#width) this.#into = new Float64Array(count * this.#width);
    return this.#unpacked(image, rows, count, this.#into);
  }

  gathered(): Float64Array {
    const { gathered, columns } = this.#layout;
    return this.#unpacked(gathered, columns, this.#columns, new Float64Array(this.#columns * this.#width));
  }

  /** Copies a tile into the memory, padded with zeros to multiples of quads. */
  #place(tile: Float32Array, count: number): void {
    const { columns, tile: at } = this.#layout;
    const into = this.#floats.subarray(at / 4);
    const own = this.#columns;
    if (own === columns) into.set(tile);
    else {
      for (let row = 0; row < count; row++) {
        into.set(tile.subarray(row * own, (row + 1) * own), row * columns);
        into.fill(0, row * columns + own, (row + 1) * columns);
      }
    }
    this.#fillUp(count);
  }

  /** Pads rows with zeros to a multiple of quads. */
  #fillUp(count: number): void {
    const { columns, tile } = this.#layout;
    const at = tile / 4;
    this.#floats.fill(0, at + count * columns, at + Math.ceil(count / quad) * quad * columns);
  }

  #codeTile(buffer: ArrayBuffer, exports: Readonly<Record<string, Kernel>>): CodeTile {
    const { columns, rows, base, tuned, tile, signs } = this.#layout;
    const drawn = new DrawnSigns();
    const form = ({ of: side, signs: key }: Operand, start: number, count: number): void => {
      const numbers = count * columns;
      const first = start - (start % 32);
      if (key)
        drawn.put(key, first, new Uint32Array(buffer, signs, Math.ceil((start - first + numbers) / 32)));
      const ofCode = (name: Form, from: number) =>
        exports[name](from, tuned, tile, numbers, signs, start - first);
      if (side === "base") ofCode("side", base);
      else if (side === "tuned") ofCode(key ? "signedToBase" : "side", key ? base : tuned);
      else ofCode(key ? "signed" : "change", base);
      this.#fillUp(count);
    };
    const codes = (at: number) => new Uint16Array(buffer, at, rows * columns);
    return { base: codes(base), tuned: codes(tuned), form };
  }

  /** Converts panels to rows. */
  #unpacked(from: number, length: number, rows: number, into: Float64Array): Float64Array {
    const doubles = this.#doubles;
    const width = this.#width;
    for (let first = 0; first < width; first += panelWidth) {
      const panel = from / 8 + first * length;
      const count = Math.min(panelWidth, width - first);
      for (let row = 0; row < rows; row++) {
        const [at, to] = [panel + row * panelWidth, row * width + first];
        for (let j = 0; j < count; j++) into[to + j] = doubles[at + j];
      }
    }
    return into.subarray(0, rows * width);
  }
}

/** Words of signs that are kept: those of 2^27 weights, in 16 MiB. */
const mostWords = 2 ** 22;

/** The signs of a draw, kept for the next passage of the matrix: drawing them takes as long as a product with eight vectors. */
class DrawnSigns {
  #key: Words | null = null;
  #words = new Map<number, Uint32Array>();
  #kept = 0;

  put(key: Words, first: number, into: Uint32Array): void {
    if (key !== this.#key) [this.#key, this.#words, this.#kept] = [key, new Map(), 0];
    const known = this.#words.get(first);
    if (known?.length === into.length) {
      into.set(known);
      return;
    }
    signWords(key, first, into);
    if (known || this.#kept + into.length > mostWords) return;
    this.#words.set(first, into.slice());
    this.#kept += into.length;
  }
}

/** Compares with fp64 products, on shapes that are multiples of neither quads nor panels. */
function multipliesRightly(kernel: object): boolean {
  return [
    [7, 13, 5],
    [64, 300, 19],
  ].every(([rows, columns, width]) => {
    const number = (i: number) => Math.fround(Math.sin(i * 12.9898) + 0.1);
    const tile = Float32Array.from({ length: rows * columns }, (_, i) => number(i));
    const x = Float64Array.from({ length: columns * width }, (_, i) => number(i + 0.5));
    const [right, found] = [plainProducts, productsOf(kernel)].map((productsFor) => {
      const products = productsFor(columns, width, rows);
      products.begin(x);
      const image = products.multiply(tile, rows, true).slice();
      return [image, products.gathered()];
    });
    return right.every((expected, n) => {
      const most = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return expected.every((value, i) => Math.abs(found[n][i] - value) < 1e-5 * most);
    });
  });
}

/** Whether tiles formed from codes equal those of `tilesOf`, tested by a product with the identity. */
function formsRightly(kernel: object): boolean {
  const [columns, count, start] = [8, 5, 36];
  const products = productsOf(kernel)(columns, columns, count);
  products.begin(Float64Array.from({ length: columns ** 2 }, (_, i) => Number(i % (columns + 1) === 0)));
  const [base, tuned] = [0x3c80, 0xbc83].map((code, side) =>
    Uint16Array.from({ length: columns * count }, (_, i) => code ^ ((i * (7 + side)) & 0x80ff)),
  );
  const [from, to] = [base, tuned].map(
    (codes) => new Float32Array(Uint32Array.from(codes, (code) => code << 16).buffer),
  );
  const key = [1, 2] as const;
  const words = new Uint32Array(3);
  signWords(key, 32, words);
  const sign = (i: number) => 1 - 2 * ((words[(i + 4) >> 5] >>> ((i + 4) & 31)) & 1);
  const change = (i: number) => Math.fround(to[i] - from[i]);
  const cases: readonly [Operand, (i: number) => number][] = [
    [{ of: "base", signs: null }, (i) => from[i]],
    [{ of: "tuned", signs: null }, (i) => to[i]],
    [{ of: "tuned", signs: key }, (i) => Math.fround(from[i] + sign(i) * change(i))],
    [{ of: "change", signs: null }, change],
    [{ of: "change", signs: key }, (i) => sign(i) * change(i)],
  ];
  return cases.every(([operand, right]) => {
    products.codes!.base.set(base);
    products.codes!.tuned.set(tuned);
    products.codes!.form(operand, start, count);
    return products.multiply(null, count, false).every((number, i) => number === right(i));
  });
}
