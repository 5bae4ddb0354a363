import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, longest first. Without the durations of a run before, as on a fresh machine, vitest
 * starts with the files of most text, and these have little: the last of them would run alone.
 */
const slowest = [
  "engine/webgpu/adversarial.full",
  "engine/webgpu/refusal",
  "engine/gpujs/recorded.full",
  "engine/gpujs/adversarial.full",
  "engine/gpujs/adversarial-narrow.full",
  "engine/gpujs/roundings.full",
  "engine/gpujs/gpujs",
  "cli/kills",
  "cli/run-resume",
  "page/accessibility",
  "report/html/page",
  "page/tensor/tensor",
  "recorders/replay",
  "cli/resume",
  "package",
  "cli/recipes",
  "cli/interrupt",
  "recorders/files",
  "cli/report",
  "format/exhaustive",
];

/** Starts with {@link slowest}, and goes on in vitest's order. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = slowest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at < 0 ? slowest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
