import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, longest first. Without the durations of a run before, as on a fresh machine, vitest
 * starts with the files of most text, and these have little: the last of them would run alone.
 */
const slowest = [
  "engine/webgpu/adversarial-narrow.full",
  "engine/webgpu/adversarial.full",
  "engine/webgpu/refusal",
  "engine/gpujs/recorded.full",
  "engine/gpujs/adversarial.full",
  "engine/gpujs/adversarial-narrow.full",
  "engine/gpujs/roundings.full",
  "engine/webgpu/webgpu",
  "engine/webgpu/recipes",
  "engine/webgpu/synthetic",
  "engine/gpujs/gpujs",
  "engine/gpujs/refusal",
  "learn/divergence-rlvr.full",
  "learn/divergence-sft.full",
  "learn/divergence-opd.full",
  "cli/kills",
  "cli/run-resume",
  "page/tensor/tensor",
  "page/weight/weight",
  "page/talk/talk",
  "page/accessibility",
  "page/leaving",
  "page/learn/learn",
  "report/html/page",
  "recorders/recorder",
  "recorders/replay",
  "recorders/doctor",
  "recorders/moments",
  "package",
  "cli/resume",
  "cli/interrupt",
  "cli/learn",
  "cli/process",
  "cli/geometry",
  "cli/vectors",
  "cli/recipes",
  "cli/widths",
  "geometry/expected",
  "geometry/planted",
  "engine/wasm/recipes",
  "source/scaled/scaled",
  "testing/gallery",
  "learn/training",
  "format/exhaustive",
  "cluster/commands",
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
