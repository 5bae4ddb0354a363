import { type CommandEntry, runProgram } from "./program.js";
import type { Streams } from "./streams.js";

/** In the order of the help, which loads none of them: loading most commands takes longer than running them. */
const commands = new Map<string, CommandEntry>([
  [
    "run",
    {
      parameters: "[folder]",
      summary: "apply recorded updates to weights and classify each of them",
      load: async (streams) => (await import("./run.js")).runCommand(streams),
    },
  ],
  [
    "check",
    {
      parameters: "<run>",
      summary: "check whether a recorded run loses updates as it is stored",
      load: async (streams) => (await import("./check.js")).checkCommand(streams),
    },
  ],
  [
    "diff",
    {
      parameters: "<before> <after...>",
      summary: "compare two checkpoints: what changed, and what only looks unchanged",
      load: async (streams) =>
        (await import("./diff.js")).diffCommand(
          streams,
          async () => (await import("./merge-adapter.js")).mergeAdapter,
        ),
    },
  ],
  [
    "simulate",
    {
      parameters: "",
      summary: "simulate a training run, and classify its updates in any format",
      load: async (streams) => (await import("./simulate.js")).simulateCommand(streams),
    },
  ],
  [
    "sweep",
    {
      parameters: "[folder]",
      summary:
        "compare formats, schemes and roundings over many learning rates: which still learn, at what cost",
      load: async (streams) => (await import("./sweep.js")).sweepCommand(streams),
    },
  ],
  [
    "predict",
    {
      parameters: "[folder]",
      summary: "measure how well rules predict which stored weights Adam's next step changes",
      load: async (streams) => (await import("./predict.js")).predictCommand(streams),
    },
  ],
  [
    "inspect",
    {
      parameters: "<file>",
      summary: "inspect a checkpoint: formats, ranges, scales, and the errors of storing it in other formats",
      load: async (streams) => (await import("./inspect.js")).inspectCommand(streams),
    },
  ],
  [
    "learn",
    {
      parameters: "",
      summary: "train a small model under several storage schemes: does it still learn?",
      load: async (streams) => (await import("./learn.js")).learnCommand(streams),
    },
  ],
  [
    "compare",
    {
      parameters: "<runs...>",
      summary: "compare recorded runs: the classes of their updates, and their outcomes",
      load: async (streams) => (await import("./compare.js")).compareCommand(streams),
    },
  ],
  [
    "demo",
    {
      parameters: "",
      summary: "count the embedded recorded run under every storage scheme",
      load: async (streams) => (await import("./demo.js")).demoCommand(streams),
    },
  ],
  [
    "explain",
    {
      parameters: "<weight> <update>",
      summary: "explain why one update changes one weight, or does not",
      load: async (streams) => (await import("./explain.js")).explainCommand(streams),
    },
  ],
  [
    "vectors",
    {
      parameters: "",
      summary: "write test vectors for other implementations, and check their results",
      load: async (streams) => (await import("./vectors.js")).vectorsCommand(streams),
    },
  ],
  [
    "recipes",
    {
      parameters: "[words...]",
      summary: "list the recipes for --recipe, with the source and verification of each",
      load: async (streams) => (await import("./recipes.js")).recipesCommand(streams),
    },
  ],
  [
    "doctor",
    {
      parameters: "",
      summary: "check every engine on this machine",
      load: async (streams) => (await import("./doctor.js")).doctorCommand(streams),
    },
  ],
  [
    "report",
    {
      parameters: "<result.json...>",
      summary: "render a saved result, or the sum of several over different tensors",
      load: async (streams) => (await import("./report.js")).reportCommand(streams),
    },
  ],
  [
    "merge",
    {
      parameters: "<result.json...>",
      summary: "add up the results of shards; missing, duplicate and foreign ones are refused",
      load: async (streams) => (await import("./merge.js")).mergeCommand(streams),
    },
  ],
  [
    "serve",
    {
      parameters: "",
      summary: "serve the interactive page: one weight, a tensor, your data, a talk",
      load: async (streams) => (await import("./serve.js")).serveCommand(streams),
    },
  ],
]);

export const main = (argv: readonly string[], streams: Streams): Promise<number> =>
  runProgram(argv, commands, streams);
