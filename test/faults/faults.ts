/** A mistake in one place of the sources, which a tier of the tests must find. */
export interface Fault {
  readonly file: string;
  /** What the file would do wrong. */
  readonly mistake: string;
  /** A text that the file has once, and what stands there instead. */
  readonly find: string;
  readonly replace: string;
  /** The group of tests that finds it. */
  readonly group: string;
  /** Whether only the full tier finds it. */
  readonly fullOnly?: boolean;
}

/** At least one for every part of the sources. */
export const faults: readonly Fault[] = [
  {
    file: "src/format/round.ts",
    mistake: "ties go up instead of to the even code",
    find: "return pastHalf > 0 || (pastHalf === 0 && below % 2 === 1);",
    replace: "return pastHalf >= 0;",
    group: "format",
  },
  {
    file: "src/format/registry.ts",
    mistake: "e4m3fn has an infinity",
    find: "    topCodes: 1,",
    replace: "    topCodes: 2,",
    group: "format",
  },
  {
    file: "src/format/block/scale-rule.ts",
    mistake:
      "rceil clips a block whose largest number has the significand of the largest element and a bit more",
    find: "(m, mu) => m > mu)",
    replace: "(m, mu) => m > mu + 2 ** -20)",
    group: "format",
  },
  {
    file: "src/geometry/sizes.ts",
    mistake: "the gap below a power of two is taken for as large as the one above",
    find: "(w - nextDown(w, format)) / 2",
    replace: "above",
    group: "geometry",
  },
  {
    file: "src/geometry/size-measures.ts",
    mistake: "chance within rows is left out of the spread that sizes give",
    find: "variance(expected) + (within * (of.length - 1)) / of.length",
    replace: "variance(expected)",
    group: "geometry",
  },
  {
    file: "src/geometry/energy.ts",
    mistake: "what signs give of the leading directions is taken over all that there are",
    find: "for (let j = 0; j < k; j++) sum += x[i * columns + j] ** 2;",
    replace: "for (let j = 0; j < columns; j++) sum += x[i * columns + j] ** 2;",
    group: "geometry",
  },
  {
    file: "src/engine/wasm/changes/kernel.ts",
    mistake: "a row is counted in its last column too seldom",
    find: "k.assign(changedInRow, i16x8.sub(changedInRow, changed));",
    replace: "k.assign(changedInRow, i16x8.sub(zero, changed));",
    group: "engine",
  },
  {
    file: "src/update/scheme.ts",
    mistake: "Kahan's compensation has the wrong sign",
    find: "carrier: add(pending, subtract(weight, next))",
    replace: "carrier: add(pending, subtract(next, weight))",
    group: "update",
  },
  {
    file: "src/update/recipe/momentum.ts",
    mistake: "SGD on CUDA rounds its product before it adds",
    find: '"p = R(fma(s, m, p))"',
    replace: '"p = R(p + s * m)"',
    group: "update",
  },
  {
    file: "src/update/recipe/recipe-step.ts",
    mistake: "the last elements of SGD on a CPU are taken like the others",
    find: "elements % (this.recipe.tail?.block ?? 1)",
    replace: "elements % 1",
    group: "update",
  },
  {
    file: "src/lens/module-table.ts",
    mistake: "the gate of torchtune and Llama is called up",
    find: '"h.#.mlp.w1",     ',
    replace: '"#.mlp.w1",       ',
    group: "lens",
  },
  {
    file: "src/lens/outcomes.ts",
    mistake: "the probability to move is that to stay",
    find: "goesAway ? draw - first : first",
    replace: "goesAway ? first : draw - first",
    group: "lens",
  },
  {
    file: "src/engine/end.ts",
    mistake: "a compensation buffer is taken away from what a weight retains",
    find: "displacement(visible, -carriers[i])",
    replace: "displacement(visible, carriers[i])",
    group: "engine",
  },
  {
    file: "src/source/torch/globals.ts",
    mistake: "a pickle may call any global of its own choice",
    find: '"_codecs encode": (text) => text,',
    replace: '"_codecs encode": (text) => text,\n    "os system": (text) => text,',
    group: "source",
  },
  {
    file: "src/source/joined.ts",
    mistake: "two parts of a tensor may have the same elements",
    find: "if (overlap(box, sorted[j])) return",
    replace: "if (overlap(box, sorted[j]) && i < 0) return",
    group: "source",
  },
  {
    file: "src/cli/program.ts",
    mistake: "wrong usage ends with exit code 1",
    find: "return error.exitCode === 0 ? 0 : 2;",
    replace: "return error.exitCode;",
    group: "cli",
  },
  {
    file: "src/cli/emit.ts",
    mistake: "the table is printed beside the JSON that stdout was asked for",
    find: "else if (!options.quiet) {",
    replace: "if (!options.quiet) {",
    group: "cli",
  },
  {
    file: "src/cli/write-output.ts",
    mistake: "an output is written in place: an interrupted run leaves half a file",
    find: '      writeFileSync(temporary, text, { flag: "wx" });\n      renameSync(temporary, path);',
    replace: "      writeFileSync(path, text);",
    group: "cli",
  },
  {
    file: "src/lens/classify.ts",
    mistake: "what a carrier keeps is called lost",
    find: 'if (after.carrier !== before.carrier) return "kept";',
    replace: 'if (after.carrier !== before.carrier) return "lost";',
    group: "lens",
  },
  {
    file: "src/lens/summarize.ts",
    mistake: "the hidden share is of all weight-steps, zeros too",
    find: "hiddenShare: ratio(lost + kept, n - none),",
    replace: "hiddenShare: ratio(lost + kept, n),",
    group: "lens",
  },
  {
    file: "src/engine/reference/element-bits.ts",
    mistake: "random bits depend on the chunk that a weight lies in",
    find: "this.#element = this.#first + i;",
    replace: "this.#element = i;",
    group: "engine",
  },
  {
    file: "src/engine/lane/round.ts",
    mistake: "the SIMD kernels round ties up",
    find: "return truncate(i32x4.add(i32x4.add(given, i32x4.constant(2 ** (drop - 1) - 1)), parity));",
    replace: "return truncate(i32x4.add(given, i32x4.constant(2 ** (drop - 1))));",
    group: "engine",
  },
  {
    file: "src/engine/wasm/kernel/end.ts",
    mistake: "the SIMD kernels take the carrier away from what is retained",
    find: "displacement(k, visible[half], f32x4.neg(carriers![half]))",
    replace: "displacement(k, visible[half], carriers![half])",
    group: "engine",
  },
  {
    file: "src/engine/webgpu/wgsl/fp64.ts",
    mistake: "sums in WGSL forget what was shifted out",
    find: "select(0u, 1u, sticky != 0u)",
    replace: "0u",
    group: "webgpu",
  },
  {
    file: "src/engine/webgpu/kernels/step.ts",
    mistake: "the WGSL kernels count updates of weights that are not finite",
    find: "let live = !(gone | zero);",
    replace: "let live = !zero;",
    group: "webgpu",
  },
  {
    file: "src/engine/gpujs/kernels/rounding.ts",
    mistake: "the GPU kernels round ties up",
    find: "rest > 0.5 || (rest === 0.5 && odd === 1)",
    replace: "rest >= 0.5",
    group: "gpujs",
  },
  {
    file: "src/engine/gpujs/kernels/sums.ts",
    mistake: "sums on the GPU forget what was shifted out",
    find: "if (sticky > 0 && y0 - 2 * Math.floor(y0 * 0.5) === 0) {",
    replace: "if (sticky > 1e9 && y0 - 2 * Math.floor(y0 * 0.5) === 0) {",
    group: "gpujs",
  },
  {
    file: "src/source/safetensors/header.ts",
    mistake: "tensors may overlap",
    find: "if (begin !== filled) {",
    replace: "if (begin > filled) {",
    group: "source",
  },
  {
    file: "src/source/scales.ts",
    mistake: "scales are counted as weights",
    find: "sidecars.set(sidecar,",
    replace: "new Map<string, string>().set(sidecar,",
    group: "source",
  },
  {
    file: "src/report/numbers.ts",
    mistake: "shares of weights count those that are not finite",
    find: "return share(part, totals.elements - end.nonfinite);",
    replace: "return share(part, totals.elements);",
    group: "report",
  },
  {
    file: "src/report/headline.ts",
    mistake: "the headline does not say what was left out",
    find: "    ...left,\n    ...sparsitySentences(",
    replace: "    ...sparsitySentences(",
    group: "report",
  },
  {
    file: "src/page/tensor/paint.ts",
    mistake: "what fell is painted as what rose",
    find: "[smaller, shades - 1 - i] : [larger, i - shades]",
    replace: "[larger, shades - 1 - i] : [smaller, i - shades]",
    group: "page",
  },
  {
    file: "src/page/talk/talk.tsx",
    mistake: "Esc does not leave the talk",
    find: "        Escape: leave,\n",
    replace: "",
    group: "page",
  },
  {
    file: "recorders/precision_lens_recorder.py",
    mistake: "updates are recorded with the wrong sign",
    find: "    update = after - before\n",
    replace: "    update = before - after\n",
    group: "recorders",
  },
];
