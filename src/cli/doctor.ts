import { availableParallelism, totalmem } from "node:os";
import { Command } from "commander";
import { engines } from "../engine/registry.js";
import type { SelfCheck } from "../lens/result.js";
import { layOut } from "../report/columns.js";
import { version } from "../version.js";

interface EngineReport {
  readonly name: string;
  readonly device: string;
  readonly selfCheck: SelfCheck;
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .summary("the engines on this machine, and whether they can be trusted")
    .description("Runs the self-check of every engine and tells which one would be used.")
    .option("--json <file>", "- for stdout; nothing else is offered")
    .action(async ({ json }: { json?: string }, command: Command) => {
      if (json !== undefined && json !== "-") command.error("error: --json takes only -, for stdout");
      const reports: EngineReport[] = [];
      for (const engine of engines.values()) {
        reports.push({ name: engine.name, device: engine.device, selfCheck: await engine.selfCheck() });
      }
      const chosen = reports.find(({ selfCheck }) => selfCheck.failed === 0)?.name ?? null;
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
      process.stdout.write(json === "-" ? `${JSON.stringify(report)}\n` : inWords(report));
    });
}

function inWords({
  machine,
  engines: reports,
  chosen,
}: {
  machine: { node: string; platform: string; architecture: string; cores: number; memoryBytes: number };
  engines: readonly EngineReport[];
  /** The fastest that passes, which is what `auto` takes; null where none does. */
  chosen: string | null;
}): string {
  const { node, platform, architecture, cores, memoryBytes } = machine;
  const column = (heading: string, cell: (report: EngineReport) => string) => ({
    heading,
    align: "left" as const,
    cells: reports.map(cell),
  });
  const lines = [
    `precision-lens ${version}, Node ${node}, ${platform} ${architecture}, ${cores} cores, ` +
      `${Math.round(memoryBytes / 2 ** 30)} GiB of memory`,
    "",
    ...layOut([
      column("engine", ({ name }) => name),
      column("device", ({ device }) => device),
      column("self-check", ({ selfCheck }) => selfCheckInWords(selfCheck)),
    ]),
    "",
    chosen === null ? "No engine can be trusted on this machine." : `--engine auto takes ${chosen}.`,
  ];
  return `${lines.join("\n")}\n`;
}

function selfCheckInWords({ passed, failed, firstFailure }: SelfCheck): string {
  if (failed === 0) return `passed ${passed} of ${passed} hard cases`;
  return `refused: wrong in ${failed} of ${passed + failed} hard cases, first ${firstFailure}`;
}
