import { type LoadCommand, runProgram } from "./program.js";
import type { Streams } from "./streams.js";

/** In the order of the help. Loading them all takes longer than most of them work. */
const commands = new Map<string, LoadCommand>([
  ["run", async (streams) => (await import("./run.js")).runCommand(streams)],
  ["check", async (streams) => (await import("./check.js")).checkCommand(streams)],
  [
    "diff",
    async (streams) =>
      (await import("./diff.js")).diffCommand(
        streams,
        async () => (await import("./merge-adapter.js")).mergeAdapter,
      ),
  ],
  ["simulate", async (streams) => (await import("./simulate.js")).simulateCommand(streams)],
  ["sweep", async (streams) => (await import("./sweep.js")).sweepCommand(streams)],
  ["predict", async (streams) => (await import("./predict.js")).predictCommand(streams)],
  ["inspect", async (streams) => (await import("./inspect.js")).inspectCommand(streams)],
  ["learn", async (streams) => (await import("./learn.js")).learnCommand(streams)],
  ["compare", async (streams) => (await import("./compare.js")).compareCommand(streams)],
  ["demo", async (streams) => (await import("./demo.js")).demoCommand(streams)],
  ["explain", async (streams) => (await import("./explain.js")).explainCommand(streams)],
  ["vectors", async (streams) => (await import("./vectors.js")).vectorsCommand(streams)],
  ["recipes", async (streams) => (await import("./recipes.js")).recipesCommand(streams)],
  ["doctor", async (streams) => (await import("./doctor.js")).doctorCommand(streams)],
  ["report", async (streams) => (await import("./report.js")).reportCommand(streams)],
  ["serve", async (streams) => (await import("./serve.js")).serveCommand(streams)],
]);

export const main = (argv: readonly string[], streams: Streams): Promise<number> =>
  runProgram(argv, commands, streams);
