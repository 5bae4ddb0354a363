import type { Command } from "commander";
import { defaultLayers, defaultRank } from "../lens/geometry-result.js";
import { wholeNumber } from "./common-options.js";
import { ListOption } from "./strict-options.js";

/** The geometry options of `diff` and `run`. */
export interface GeometryOptions {
  readonly geometry?: boolean;
  readonly rank?: number;
  readonly layers?: number | "all";
  readonly milestones?: readonly number[];
}

const mostRank = 1024;

/** @param milestones the description of --milestones. */
export function addGeometryOptions(command: Command, milestones: string): Command {
  return command
    .option(
      "--geometry",
      "measure the geometry of each matrix's change, beside its expectation if only sizes mattered (docs/gates.md)",
    )
    .option(
      "--rank <n>",
      `number of leading directions of --geometry, at most an eighth of the short side (default: ${defaultRank})`,
      wholeNumber,
    )
    .option(
      "--layers <n>",
      `number of layers whose spectra --geometry takes, 0 to all (default: ${defaultLayers})`,
      (text) => (text === "all" ? text : wholeNumber(text)),
    )
    .addOption(
      new ListOption(
        "--milestones <n,...>",
        milestones,
        (text) => text.split(",").map(wholeNumber),
        (all) => [...new Set(all)].sort((a, b) => a - b),
      ),
    );
}

/**
 * Checks the combination of these options.
 *
 * @param further other options that require a geometry.
 */
export function checkGeometryOptions(
  command: Command,
  { geometry = false, rank, layers, milestones }: GeometryOptions,
  further: Readonly<Record<string, unknown>> = {},
): void {
  const refuse = (message: string) => command.error(`error: ${message}`);
  const given = Object.entries({ rank, layers, ...further, milestones }).find(
    ([, value]) => value !== undefined,
  );
  if (!geometry && given) refuse(`--${given[0]} is an option of --geometry, which was not given`);
  if (rank !== undefined && (rank < 1 || rank > mostRank)) {
    refuse(`--rank ${rank}: expected from 1 to ${mostRank} directions`);
  }
  if (milestones?.includes(0)) refuse("--milestones 0: expected at least one update");
}
