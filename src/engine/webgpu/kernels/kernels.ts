import type { UpdateSettings } from "../../../update/settings.js";
import type { SourceGroup } from "../sources.js";
import { adamwKernel } from "./adamw.js";
import { beginCaseKernel, beginKernel, collectKernel } from "./begin.js";
import { endKernel } from "./end.js";
import { stepKernel, type UpdateSource } from "./step.js";

/** The kernels of one case, by their text. */
export interface CaseKernels {
  readonly begin: string;
  /** Takes weights that the host has rounded. */
  readonly beginUploaded: string;
  readonly step: string;
  readonly end: string;
  readonly collect: string;
}

/** The kernels of tensors whose numbers come in one way. */
export interface Kernels {
  readonly begin: string;
  /** Makes the updates of a step; null where the steps' kernels draw them, or they are uploaded. */
  readonly updates: string | null;
  readonly cases: readonly CaseKernels[];
}

export function kernelsOf(
  { weights, updates }: Pick<SourceGroup, "weights" | "updates">,
  cases: readonly UpdateSettings[],
): Kernels {
  const source: UpdateSource =
    updates.kind === "drawn" ? { kind: "drawn", entries: updates.table.length } : { kind: "stored" };
  return {
    begin: beginKernel(weights),
    updates: updates.kind === "simulated" ? adamwKernel(updates.run) : null,
    cases: cases.map((settings, c) => ({
      begin: beginCaseKernel(settings, "given"),
      beginUploaded: beginCaseKernel(settings, "uploaded"),
      step: stepKernel(settings, { updates: source, advances: c === cases.length - 1 }),
      end: endKernel(settings),
      collect: collectKernel(settings),
    })),
  };
}
