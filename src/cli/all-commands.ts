import { type Commands, runProgram } from "./program.js";

/** In the order of the help. Loading them all takes longer than most of them work. */
const commands: Commands = new Map([
  ["run", async () => (await import("./run.js")).runCommand()],
  ["diff", async () => (await import("./diff.js")).diffCommand()],
  ["simulate", async () => (await import("./simulate.js")).simulateCommand()],
  ["sweep", async () => (await import("./sweep.js")).sweepCommand()],
  ["predict", async () => (await import("./predict.js")).predictCommand()],
  ["demo", async () => (await import("./demo.js")).demoCommand()],
  ["explain", async () => (await import("./explain.js")).explainCommand()],
  ["doctor", async () => (await import("./doctor.js")).doctorCommand()],
  ["report", async () => (await import("./report.js")).reportCommand()],
  ["serve", async () => (await import("./serve.js")).serveCommand()],
]);

export const main = (argv: readonly string[]): Promise<number> => runProgram(argv, commands);
