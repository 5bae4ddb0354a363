import { availableParallelism, totalmem } from "node:os";
import { Command } from "commander";
import type { Engine } from "../engine/engine.js";
import { engines } from "../engine/registry.js";
import { selectEngine } from "../engine/select.js";
import type { SelfCheck } from "../lens/run/result.js";
import { fitted, wrap } from "../report/columns.js";
import { version } from "../version.js";
import { type AnswerOptions, addAnswerOptions, checkAnswer, writeAnswer } from "./answer.js";
import { type Streams, terminal } from "./streams.js";

interface EngineReport {
  readonly name: string;
  readonly device: string;
  /** Why it is unavailable on this machine. */
  readonly unavailable: string | null;
  /** Whether its device is a driver that computes on the CPU. */
  readonly fallback: boolean;
  readonly selfCheck: SelfCheck | null;
}

export function doctorCommand(streams: Streams): Command {
  const command = new Command("doctor").description(
    "Runs the self-check of every engine and reports which one would be used.",
  );
  return addAnswerOptions(command, "the report").action(async (options: AnswerOptions) => {
    checkAnswer(options);
    const reports: EngineReport[] = [];
    for (const engine of engines.values()) reports.push(await examine(engine));
    const chosen = await selectEngine("auto").then(
      ({ engine }) => engine.name,
      () => null,
    );
    const report = {
      schema: "precision-lens-doctor/1",
      tool: { name: "precision-lens", version },
      machine: {
        node: process.versions.node,
        platform: process.platform,
        architecture: process.arch,
        cores: availableParallelism(),
        memoryBytes: totalmem(),
      },
      engines: reports,
      chosen,
    };
    writeAnswer(report, () => inWords(report, terminal(streams).columns), options, streams.out);
  });
}

async function examine(engine: Engine): Promise<EngineReport> {
  const unavailable = (await engine.unavailable?.()) ?? null;
  const selfCheck = unavailable === null ? await engine.selfCheck() : null;
  const { name, device, isFallback: fallback = false } = engine;
  const report = { name, device, unavailable, fallback, selfCheck };
  await engine.close?.();
  return report;
}

function inWords(
  {
    machine,
    engines: reports,
    chosen,
  }: {
    machine: { node: string; platform: string; architecture: string; cores: number; memoryBytes: number };
    engines: readonly EngineReport[];
    /** The engine `auto` selects for a job too small for a device; null if no engine passes. */
    chosen: string | null;
  },
  width: number,
): string {
  const { node, platform, architecture, cores, memoryBytes } = machine;
  const column = (heading: string, cell: (report: EngineReport) => string) => ({
    heading,
    align: "left" as const,
    cells: reports.map(cell),
  });
  const lines = [
    ...wrap(
      `precision-lens ${version}, Node ${node}, ${platform} ${architecture}, ${cores} cores, ` +
        `${Math.round(memoryBytes / 2 ** 30)} GiB of memory`,
      width,
    ),
    "",
    ...fitted(
      [
        column("engine", ({ name }) => name),
        column("device", ({ device }) => device),
        column("self-check", ({ selfCheck }) => (selfCheck ? selfCheckInWords(selfCheck) : "none")),
      ],
      width,
      (line) => line,
    ),
    "",
    ...reports.flatMap(({ name, unavailable }) =>
      unavailable ? [...wrap(`${name}: ${unavailable}.`, width), ""] : [],
    ),
    ...wrap(choiceInWords(chosen, reports), width),
  ];
  return `${lines.join("\n")}\n`;
}

function choiceInWords(chosen: string | null, reports: readonly EngineReport[]): string {
  if (chosen === null) return "No engine passes its self-check on this machine.";
  const named = (own: readonly EngineReport[], conjunction: string) =>
    own.map(({ name }) => name).join(conjunction);
  const proven = reports.filter(
    ({ name, selfCheck }) => engines.get(name)?.worthFrom !== undefined && selfCheck?.failed === 0,
  );
  const measured = named(
    proven.filter(({ fallback }) => !fallback),
    " or ",
  );
  const onCpu = proven.filter(({ fallback }) => fallback);
  return (
    `--engine auto takes ${chosen}${measured && `, and for large jobs measures whether ${measured} is faster`}.` +
    `${onCpu.length > 0 ? ` The driver of ${named(onCpu, " and ")} computes on the CPU: auto does not try it.` : ""}`
  );
}

function selfCheckInWords({ passed, failed, firstFailure }: SelfCheck): string {
  if (failed === 0) return `passed ${passed} of ${passed} hard cases`;
  return `refused: wrong in ${failed} of ${passed + failed} hard cases, first ${firstFailure}`;
}
