/**
 * The measured or computed tables and figures of the README and the documents, with their commands and sources. The
 * date is in the document. A test checks that no table is missing here.
 */
export interface Measured {
  readonly doc: string;
  /** The heading of the section. */
  readonly heading: string;
  /** For a table with a date in each row: the start of the row. */
  readonly row?: string;
  /** The command that reproduces it; null if nothing in this repository does. */
  readonly command: string | null;
  /** Files and folders on which it depends: if they have changed since, it may be out of date. */
  readonly sources: readonly string[];
}

const numbers = ["src/format", "src/update", "src/lens"];
const engines = [...numbers, "src/engine"];
const simulation = [...numbers, "src/source/synthetic"];

export const measured: readonly Measured[] = [
  {
    doc: "README.md",
    heading: "## Ask it about your run",
    command:
      "npm run bench -- diff 4 0 1 20; npm run bench -- diff 8 0 1 20; simulate, as in docs/performance.md",
    sources: [
      "src/lens/difference/difference.ts",
      "src/lens/difference/difference-codes.ts",
      "src/engine/wasm",
      "src/source/pair",
    ],
  },
  {
    doc: "docs/cluster.md",
    heading: "## 671 billion weights, planned",
    command: "node -e, the line below the table",
    sources: ["src/lens/shard/plan.ts"],
  },
  {
    doc: "docs/cluster.md",
    heading: "## What a merge refuses",
    command: "npm run test:full -- cluster",
    sources: ["src/lens/shard", "src/cli/merge.ts"],
  },
  {
    doc: "recorders/README.md",
    heading: "## What was run",
    command: "npx vitest run --project recorders",
    sources: [
      "recorders/precision_lens_recorder.py",
      "recorders/precision_lens_counter.py",
      "test/recorders",
    ],
  },
  {
    doc: "recorders/README.md",
    heading: "## Cost",
    command: null,
    sources: ["recorders/precision_lens_recorder.py", "recorders/precision_lens_counter.py"],
  },
  {
    doc: "docs/gate-iii.md",
    heading: "# Gate III in five figures",
    command: "npm run pictures",
    sources: [...simulation, "src/report/charts", "src/example"],
  },
  {
    doc: "docs/gate-iii.md",
    heading: "## 5. What keeps it.",
    command: "precision-lens sweep --preset rlvr --lr 1e-6 --scheme in-place,master,kahan",
    sources: simulation,
  },
  {
    doc: "docs/block-formats.md",
    heading: "## What an update comes to",
    command:
      "precision-lens simulate --engine reference --elements 128x256 --steps 10 --scheme master --format mxfp8-e4m3",
    sources: [...numbers, "src/engine/reference"],
  },
  {
    doc: "docs/block-formats.md",
    heading: "## What a receiver sees",
    command:
      "precision-lens simulate --elements 128x256 --steps 300 --lr 1e-6 --scheme master --format bf16,mxfp8-e4m3,mxfp8-e4m3:rceil,mxfp8-e5m2,mxfp6-e2m3,mxfp4,mxfp4:rceil,nvfp4,nvfp4:transformer-engine,fp8-128x128; the same with --base-format fp32",
    sources: [...simulation, "src/engine/reference"],
  },
  {
    doc: "docs/gates.md",
    heading: "## Four runs of one base",
    command:
      "precision-lens diff test/data/geometry/base.safetensors test/data/geometry/{rlvr,opd,sft,in-place}.safetensors --geometry",
    sources: ["src/geometry", "test/data/geometry"],
  },
  {
    doc: "docs/gates.md",
    heading: "## Over the steps of a recorded run",
    command: "precision-lens run RUN --geometry --scheme master --milestones 1,10,30,100,300 --view fp32",
    sources: ["src/geometry", "src/learn"],
  },
  {
    doc: "docs/gates.md",
    heading: "## What it takes of a laptop",
    command:
      "npm run bench -- geometry 4 1 10 25; precision-lens diff base/ tuned/ --geometry --layers all --sample 1, of one layer",
    sources: [
      "src/geometry",
      "src/engine/wasm/products",
      "src/engine/wasm/changes",
      "src/engine/wasm/difference",
      "src/source/pair",
    ],
  },
  { doc: "docs/guide.md", heading: "## 5. Reading the answer", command: null, sources: [] },
  {
    doc: "docs/guide.md",
    heading: "## 6. What helps",
    command: "precision-lens sweep --preset rlvr --format bf16,fp16 --scheme in-place --lr 1e-6,1e-5,1e-4",
    sources: simulation,
  },
  {
    doc: "docs/learning.md",
    heading: "## Three rates and five ways of storing",
    command: "precision-lens learn --lr 3e-6,1e-5,1e-4 --scheme in-place,master,kahan --seed 0,1,2,3,4",
    sources: [...numbers, "src/learn"],
  },
  {
    doc: "docs/learning.md",
    heading: "## How the weights changed",
    command: "precision-lens learn --geometry --scheme in-place,master,kahan",
    sources: ["src/learn", "src/geometry"],
  },
  { doc: "docs/learning.md", heading: "## In a large model, measured elsewhere", command: null, sources: [] },
  {
    doc: "docs/learning.md",
    heading: "## What papers say of such training, here",
    command: "precision-lens learn --run sft,rlvr --lr 1e-4 --format fp32 --seed 0,1,2,3,4",
    sources: ["src/learn"],
  },
  {
    doc: "docs/learning.md",
    heading: "## Forgetting",
    command:
      "precision-lens learn --base two-operations --run rlvr,sft,opd --lr 3e-6,1e-5,3e-5,1e-4,3e-4,1e-3 --kl sample",
    sources: ["src/learn"],
  },
  {
    doc: "docs/learning.md",
    heading: "## How it is computed",
    command: "precision-lens learn",
    sources: ["src/learn"],
  },
  { doc: "docs/mutation.md", heading: "## Result", command: "npm run mutation", sources: numbers },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "`run`, in-place, 2 GB",
    command: "npm run bench -- memory",
    sources: [...engines, "src/source"],
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "`diff` of two 4 GB",
    command: "npm run bench -- diff 4 0 1 20",
    sources: [
      "src/lens/difference/difference.ts",
      "src/lens/difference/difference-codes.ts",
      "src/engine/wasm",
      "src/source/pair",
    ],
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "formats with shared scales under a master",
    command: "npm run bench -- shared-scales 4 8 2",
    sources: engines,
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "`diff` of 0.5 GB of fp8 codes",
    command: "npm run bench -- scaled 0.5",
    sources: [
      "src/lens/difference/look-up.ts",
      "src/lens/difference/difference-codes.ts",
      "src/engine/wasm",
      "src/source/pair",
      "src/source/scaled",
    ],
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "the page, 262,144 weights",
    command: "npm run bench -- page",
    sources: ["src/page", "src/engine/wasm"],
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "the HTML report of a run",
    command: "npm run bench -- report",
    sources: ["src/report/html", "src/report/charts"],
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "`simulate --preset rlvr",
    command: "precision-lens simulate --preset rlvr --model qwen2.5-7b --steps 300 --elements 10000000",
    sources: [...simulation, "src/engine/wasm"],
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "a sweep of 5 formats",
    command: "npm run bench -- sweep",
    sources: [...simulation, "src/engine/wasm"],
  },
  {
    doc: "docs/performance.md",
    heading: "## Recipes",
    command: "npm run bench -- recipes 1 8 3",
    sources: [
      ...numbers,
      "src/engine/wasm",
      "src/engine/lane",
      "src/engine/reference",
      "bench/engines/recipe.c",
    ],
  },
  {
    doc: "docs/performance.md",
    heading: "## Operations of the webgpu kernels",
    command: "npm run bench -- operations",
    sources: ["src/update", "src/engine/lane", "src/engine/webgpu", "bench/wgsl-operations.ts"],
  },
  {
    doc: "docs/performance.md",
    heading: "# What was measured",
    row: "`diff` of a base and a LoRA adapter",
    command: "npm run bench -- lora",
    sources: ["src/lens/run/low-rank.ts", "src/engine/wasm", "src/source/adapter"],
  },
  {
    doc: "docs/performance.md",
    heading: "## Engines",
    command: "npm run bench -- engines",
    sources: [...numbers, "src/engine/wasm", "src/engine/reference", "bench/engines"],
  },
  {
    doc: "docs/performance.md",
    heading: "## Arrays",
    command: "npm run bench -- arrays 2 30",
    sources: [
      "src/engine/arrays.ts",
      "src/engine/wasm/arrays",
      "src/engine/lane/encode.ts",
      "src/vectors/text.ts",
    ],
  },
  {
    doc: "docs/planted-faults.md",
    heading: "## Found by the quick tier, `npm test`",
    command: "npm run faults",
    sources: ["test/faults"],
  },
  {
    doc: "docs/planted-faults.md",
    heading: "## Found by the full tier alone, `npm run test:full`",
    command: "npm run faults",
    sources: ["test/faults"],
  },
  ...[
    "## What is missing: the residual, then the gradient",
    "## Where 30 % comes from",
    "## Recorded runs",
  ].map((heading) => ({
    doc: "docs/predicting-flips.md",
    heading,
    command: "npm run predicting-flips",
    sources: [...simulation, "src/engine/predict.ts", "bench/predicting-flips.ts"],
  })),
  ...[
    "# What was published, and what a simulation of precision alone gives",
    "## Against a computation of its own",
    "### Walks of noise at 1e-6 with an fp32 master",
    "### Adam's first step on weights of sigma .02",
    "## Steady state",
    "## Gates I and II: what size alone would give",
  ].map((heading) => ({
    doc: "docs/published.md",
    heading,
    command: "npm run published",
    sources: [...simulation, "src/geometry", "bench/published"],
  })),
  {
    doc: "docs/tests.md",
    heading: "## How long they take",
    command: "npm test; npm run test:full",
    sources: ["test"],
  },
  {
    doc: "docs/talk.md",
    heading: "## The first minute",
    command: "npm run bench -- first-minute",
    sources: ["bench/first-minute.ts", "src/cli/serve.ts", "src/page/talk", "src/page/tensor"],
  },
  {
    doc: "docs/verification.md",
    heading: "# What was verified",
    command: "npm run verify",
    sources: [...engines, "test/verify"],
  },
];

/** Sections whose tables are words, definitions, published figures of others, or arithmetic done by hand. */
export const notMeasured: readonly (readonly [doc: string, headings: readonly string[]])[] = [
  ["README.md", ["## What is counted"]],
  ["recorders/README.md", ["## What is written", "## Several processes"]],
  ["docs/architecture.md", ["# Architecture"]],
  ["docs/cluster.md", ["## Kubernetes"]],
  ["docs/deltas.md", ["## The format"]],
  ["docs/block-formats.md", ["# Block formats", "## Scale rules"]],
  ["docs/checkpoints.md", ["## Codes and scales", "## Folders", "## What a checkpoint holds"]],
  ["docs/arithmetic.md", ["## Rounding", "## Operations", "## Optimizers, as frameworks run them"]],
  ["docs/claims.md", ["# Corrected claims"]],
  ["docs/testing.md", ["## In a test"]],
  [
    "docs/glossary.md",
    [
      "## The question",
      "## Numbers and gaps",
      "## How a weight takes an update",
      "## Roundings",
      "## Classes: what became of one update",
      "## The end of a run against its start",
      "## Published tests, and input",
    ],
  ],
  ["docs/gates.md", ["## What is measured, and what it is expected to be"]],
  ["docs/guide.md", ["### What frameworks do", "### Disk"]],
  ["docs/simulation.md", ["## What is drawn", "## Presets"]],
  ["docs/talk.md", ["# The talk"]],
  ["docs/tests.md", ["# The tests"]],
];
