/**
 * The script of a worker thread. It takes chunks of a job by a counter shared by all workers, reads their bytes into
 * its memory, calls the kernels, and posts their counts when a tensor is done. It contains no arithmetic.
 *
 * It is text and not a module, because a worker can be started from text wherever this package is: in sources, in
 * dist/, in a bundle, in a single HTML page. It only imports platform modules.
 *
 * It receives {@link WorkerJob}s and answers with {@link WorkerAnswer}s.
 */
export const workerScript = `"use strict";
const inNode = typeof require === "function";
const port = inNode ? require("node:worker_threads").parentPort : self;
const fs = inNode ? require("node:fs") : null;

/** The numbers being read, for error messages. */
let reading = null;

port.onmessage = async ({ data: job }) => {
  // An earlier job may have failed while it read.
  reading = null;
  try {
    await work(job);
  } catch (error) {
    // The others stop too.
    Atomics.store(job.shared, 0, stopped);
    port.postMessage({ failed: String(error && error.message || error), during: reading });
  }
};

/** Larger than any task number: the value of the task counter after the job has failed. */
const stopped = 2 ** 30;
/** The index of the first worker's word. */
const firstWorker = 3;

async function work(job) {
  const { layout, stepTallyBytes, tensorTallyBytes, milestones, tensors, shared, worker } = job;
  const memory = new WebAssembly.Memory({ initial: job.pages, maximum: job.pages });
  const kernels = (await WebAssembly.instantiate(job.module, { host: { memory } })).exports;
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(job.constants, layout.constants);
  const doubles = new Float64Array(memory.buffer);
  const files = new Map();
  /** The tensor whose right factor is in memory. */
  let multiplied = null;
  let tensor = 0;
  let chunks = 0;
  let elements = 0;
  let padding = 0;

  try {
    for (let task = Atomics.add(shared, 0, 1); task < job.tasks; task = Atomics.add(shared, 0, 1)) {
      if (task < job.measuring) {
        const of = job.measured.findLast(({ firstTask }) => firstTask <= task);
        tensor = of.tensor;
        take(tensors[tensor], task - of.firstTask, true);
        Atomics.add(shared, 2, 1);
        Atomics.notify(shared, 2);
        continue;
      }
      if (!isMeasured()) break;
      let next = 0;
      while (task >= tensors[next].firstTask + tensors[next].tasks) next += 1;
      // The histogram counts in 32 bits.
      if (next !== tensor || elements * Math.max(1, job.steps) > 2 ** 30) flush();
      tensor = next;
      take(tensors[tensor], task - tensors[tensor].firstTask, false);
    }
    flush();
  } finally {
    for (const file of files.values()) fs.closeSync(file);
  }
  port.postMessage({ done: true });

  /** Waits until all measuring tasks are done; returns false if the job fails before. */
  function isMeasured() {
    for (;;) {
      const done = Atomics.load(shared, 2);
      if (done === job.measuring) return true;
      if (Atomics.load(shared, 0) >= stopped) return false;
      Atomics.wait(shared, 2, done, 100);
    }
  }

  /** Runs all steps of a chunk: those of the cases or, to measure it, of the fp32 run. */
  function take({ start: from, length, weights, updates, keys, recipe, blocks }, index, measures) {
    const begin = (Math.floor(from / layout.chunk) + index) * layout.chunk;
    const start = Math.max(from, begin);
    const count = Math.min(begin + layout.chunk, length) - start;
    const padded = Math.ceil(count / 8) * 8;
    const pair = [(start / 2) % 2 ** 32, Math.floor(start / 2 ** 33)];
    if (weights.kernel) draw(weights.kernel, weights.key, layout.given, weights.mean, weights.sigma);
    else read(weights, null, start, count, layout.given);
    kernels.beginCounterfactual(0, padded);
    if (blocks) locate();
    if (measures) measure(0);
    for (let c = 0; c < job.cases && !measures; c++) {
      beforeScales(c, 0);
      kernels["begin " + c](0, padded);
    }
    if (recipe) beginMoments();
    if (updates.kernel === "adamw") beginSimulation();
    if (updates.kernel === "product") beginProduct();
    let milestone = 0;
    const steps = measures ? blocks.steps : job.steps;
    for (let step = 0; step < steps; step++) {
      // The counts of a failed job are not used.
      if (Atomics.load(shared, 0) >= stopped) return;
      if (updates.kernel) makeUpdates(step);
      else read(updates[step], step, start, count, layout.updates);
      const ofRecipe = recipe ? [count, recipe.scalars + step * job.recipes.scalarBytes] : [];
      kernels.stepCounterfactual(0, padded, ...ofRecipe);
      if (measures) {
        measure(step + 1);
        continue;
      }
      for (let c = 0; c < job.cases; c++) {
        const key = 2 * (c * job.steps + step);
        const tally = layout.cases[c].steps + step * stepTallyBytes;
        const tail = recipe ? count - count % job.recipes.tailBlocks[c] : 0;
        beforeScales(c, step + 1);
        kernels["step " + c](0, padded, tally, keys[key], keys[key + 1], ...pair, ...ofRecipe, tail);
      }
      if (step !== milestones[milestone]) continue;
      for (let c = 0; c < job.cases; c++) {
        kernels["end " + c](0, padded, layout.cases[c].curve + milestone * tensorTallyBytes);
      }
      milestone += 1;
    }
    if (measures) return void Atomics.add(shared, 1, 1);
    for (let c = 0; c < job.cases; c++) kernels["end " + c](0, padded, layout.cases[c].tally);
    elements += count;
    padding += padded - count;
    chunks += 1;
    Atomics.add(shared, 1, 1);
    if (job.wantsWeights) for (let c = 0; c < job.cases; c++) give(c, start, count);

    /** As ChunkBlocks (chunk-blocks.ts), on magnitudes that threads share. */
    function locate() {
      for (let c = 0; c < job.cases; c++) {
        if (!blocks.cases[c]) continue;
        const { width, height, rows, across, down } = blocks.cases[c];
        const row = Math.floor(start / width);
        const rowOfMatrix = row % height;
        const band = Math.floor(row / height) * down + Math.floor(rowOfMatrix / rows);
        const place = [start % width, rowOfMatrix, rowOfMatrix % rows, band * across];
        kernels["locate " + c](0, padded, width, height, across, ...place);
      }
    }

    function measure(steps) {
      kernels.magnitudes(0, padded);
      const magnitudes = words(layout.magnitudes, padded / 8);
      if (blocks.ofTensor) {
        let largest = 0;
        for (let group = 0; group < magnitudes.length; group++) {
          if (magnitudes[group] > largest) largest = magnitudes[group];
        }
        raise(blocks.ofTensor, steps, largest);
      }
      for (const table of blocks.tables) {
        const blockOf = words(layout.cases[table.case].shared.blocks, padded / 8);
        for (let group = 0; group < magnitudes.length; group++) {
          raise(table.words, steps * table.blocks + blockOf[group], magnitudes[group]);
        }
      }
    }

    /** Sets a word to the larger of itself and another, atomically. */
    function raise(all, at, word) {
      for (let known = all[at]; word > known; ) {
        const found = Atomics.compareExchange(all, at, known, word);
        if (found === known) return;
        known = found;
      }
    }

    function beforeScales(c, steps) {
      const of = blocks && blocks.cases[c];
      if (!of || (steps > 0 && !of.isRenewed)) return;
      const { shared: rows } = layout.cases[c];
      const { ofTensor } = blocks;
      if (ofTensor) words(rows.tensor, 2).set([ofTensor[Math.max(steps - 1, 0)], ofTensor[steps]]);
      if (of.table === null) return kernels[(steps === 0 ? "beginLargest " : "largest ") + c](0, padded);
      const table = blocks.tables[of.table];
      const largest = words(rows.largest, padded / 8);
      const blockOf = words(rows.blocks, padded / 8);
      const first = steps * table.blocks;
      for (let group = 0; group < largest.length; group++) largest[group] = table.words[first + blockOf[group]];
    }

    function words(offset, length) {
      return new Int32Array(memory.buffer, offset, length);
    }

    /** Calls a kernel that fills a row, padded by zeros. */
    function draw(kernel, key, row, ...more) {
      kernels[kernel](0, padded, key[0], key[1], ...pair, ...more);
      bytes.fill(0, row + 4 * count, row + 4 * padded);
    }

    /** Reads recorded moments through the row of gradients; others are zero. */
    function beginMoments() {
      for (const { kind, row, source, starts } of recipe.moments) {
        read(source, kind, start, count, layout.updates);
        bytes.copyWithin(row, layout.updates, layout.updates + 4 * padded);
        for (const { case: c, moment, correction } of starts) {
          kernels["moment " + c + " " + moment](0, padded, correction);
        }
      }
    }

    function beginSimulation() {
      const { m, v, signal } = layout.simulation;
      for (const row of [m, v, signal]) bytes.fill(0, row, row + 4 * padded);
      if (updates.signal) draw("signal", updates.signal, signal);
    }

    /** Reads the right factor of a tensor once, and the rows of the left one that the chunk overlaps. */
    function beginProduct() {
      const { left, right, rows, columns, rank } = updates;
      const { product } = layout;
      if (multiplied !== tensor) {
        multiplied = null;
        readFactor(right, rank, columns, 0, rank, product.right, start);
        multiplied = tensor;
      }
      const first = Math.floor(start / columns);
      const some = Math.ceil((start + count) / columns) - first;
      readFactor(left, rows, rank, first, some, product.left, start);
    }

    function multiplyRows(step) {
      const { columns, rank, scales, multiply } = updates;
      const { left, right, into, scale } = layout.product;
      doubles[scale / 8] = scales[step];
      const first = Math.floor(start / columns);
      for (let at = 0; at < count; ) {
        const column = (start + at) % columns;
        const width = Math.min(columns - column, count - at);
        const row = left + 8 * rank * (Math.floor((start + at) / columns) - first);
        kernels[multiply](right + 8 * column, row, row + 8 * rank, into + 4 * at, width, 8 * columns, scale);
        at += width;
      }
      bytes.copyWithin(layout.updates, into, into + 4 * count);
      bytes.fill(0, layout.updates + 4 * count, layout.updates + 4 * padded);
    }

    function makeUpdates(step) {
      if (updates.kernel === "product") return multiplyRows(step);
      const key = updates.keys.subarray(2 * step, 2 * step + 2);
      if (updates.kernel === "draw") return draw("draw", key, layout.updates);
      draw("adamw", key, layout.updates, updates.scalars + step * updates.scalarBytes, updates.scale);
    }
  }

  /** Reads rows of a matrix to an address, as fp64 numbers in row-major order, through the row of updates. */
  function readFactor({ source, transposed }, rows, columns, first, some, to, start) {
    const numbers = new Float32Array(memory.buffer, layout.updates, layout.chunk);
    const at = to / 8;
    const copy = (from, count, put) => {
      for (let done = 0; done < count; done += layout.chunk) {
        const piece = Math.min(layout.chunk, count - done);
        read(source, 0, from + done, piece, layout.updates, start);
        for (let i = 0; i < piece; i++) put(done + i, numbers[i]);
      }
    };
    if (!transposed) {
      copy(first * columns, some * columns, (i, x) => { doubles[at + i] = x; });
    } else if (some === rows) {
      copy(0, rows * columns, (i, x) => {
        doubles[at + (i % rows) * columns + Math.floor(i / rows)] = x;
      });
    } else {
      for (let c = 0; c < columns; c++) {
        copy(c * rows + first, some, (i, x) => { doubles[at + i * columns + c] = x; });
      }
    }
  }

  /** Reads numbers from start on into a row: directly if fp32, else by decoding them. */
  function read(stored, step, start, count, row, place = start) {
    const { codeBytes } = stored;
    const at = codeBytes === 4 ? row : layout.codes;
    const from = stored.byteOffset + start * codeBytes;
    const length = count * codeBytes;
    if (typeof stored.in === "string") {
      reading = { tensor, step, start: place };
      const file = open(stored);
      for (let done = 0; done < length; ) {
        const more = fs.readSync(file, bytes, at + done, length - done, from + done);
        if (more === 0) throw new Error(stored.in + " ends early");
        done += more;
      }
      reading = null;
    } else {
      bytes.set(new Uint8Array(stored.in, from, length), at);
    }
    const groups = Math.ceil(count / 8) * 8;
    bytes.fill(0, at + length, at + groups * codeBytes);
    if (codeBytes !== 4) kernels[stored.decode](at, row, groups);
    if (stored.scale !== null) kernels.scale(row, groups, stored.scale);
  }

  function open({ in: path, identity }) {
    if (files.has(path)) return files.get(path);
    if (files.size >= 8) {
      const [oldest] = files;
      files.delete(oldest[0]);
      fs.closeSync(oldest[1]);
    }
    const file = fs.openSync(path, "r");
    files.set(path, file);
    const { dev, ino, size, mtimeMs } = fs.fstatSync(file);
    if (identity !== undefined && identity !== [dev, ino, size, mtimeMs].join()) {
      throw new Error(path + " was changed since it was opened");
    }
    return file;
  }

  function give(c, start, count) {
    const from = layout.cases[c].weights;
    const weights = new Float32Array(memory.buffer.slice(from, from + 4 * count));
    answer({ weights, case: c, tensor, start }, [weights.buffer]);
  }

  /** Posts an answer after the last one was received, so that they do not pile up. */
  function answer(message, transfer) {
    Atomics.wait(shared, firstWorker + worker, 0);
    Atomics.store(shared, firstWorker + worker, 0);
    port.postMessage(message, transfer);
  }

  /** Posts the tensor's counts since the last answer and resets them. */
  function flush() {
    if (chunks === 0) return;
    const tallies = layout.cases.map(({ tally, steps }) => {
      const end = steps + job.steps * stepTallyBytes;
      const counted = bytes.slice(tally, end);
      bytes.fill(0, tally, end);
      return counted;
    });
    answer({ tensor, elements, padding, tallies }, tallies.map(({ buffer }) => buffer));
    chunks = elements = padding = 0;
  }
}
`;
