import type { DifferenceResult } from "../../lens/difference/difference-result.js";
import type { Case } from "../../lens/run/case.js";
import type { Result } from "../../lens/run/result.js";
import { caseLabels } from "../labels.js";
import { moduleGrids } from "../module-grid.js";
import { missing, type Percent, percentIn, ratioWithin, sampleOf } from "../numbers.js";
import { endRatio } from "../simulation.js";
import { classChart } from "./class-chart.js";
import { deltaChart } from "./delta-chart.js";
import { distanceChart } from "./distance-chart.js";
import type { Figure } from "./figure.js";
import { geometryFigures } from "./geometry-chart.js";
import { heatmapChart } from "./heatmap-chart.js";
import { histogramChart } from "./histogram-chart.js";
import { moduleChart } from "./module-chart.js";
import { probeChart } from "./probe-chart.js";
import { sparsityChart } from "./sparsity-chart.js";
import { stepCharts } from "./step-charts.js";

/** The figures of a run: those over all cases, and those of each case. */
export interface RunFigures {
  readonly classes: Figure;
  readonly sparsity: Figure;
  readonly steps: readonly Figure[];
  readonly probes: Figure;
  readonly geometry: readonly Figure[];
  /** One entry a case, in their order. */
  readonly cases: readonly CaseFigures[];
}

export interface CaseFigures {
  readonly sizes: Figure;
  /** The largest stacks of layers. */
  readonly layers: readonly Figure[];
}

/** Stacks that are drawn; a model has one or two, a hostile file as many as it likes. */
const mostStacks = 4;

export function runFigures(result: Result): RunFigures {
  const { cases } = result;
  const labels = caseLabels(cases);
  const percent = percentIn(sampleOf(result));
  const visible = endRatio(result, 0, "visible");
  const ratio = (x: number | null) =>
    x === null || visible === null ? missing : ratioWithin(x, (visible.high - visible.low) / 2);
  return {
    classes: classChart(cases, percent),
    sparsity: sparsityChart(cases, percent),
    steps: stepCharts(cases, { percent, ratio, sampled: result.sampling !== undefined }),
    probes: probeChart(cases, percent),
    geometry: result.geometry ? geometryFigures(result.geometry) : [],
    cases: cases.map((lensCase, i) =>
      numbered(caseFigures(lensCase, labels[i], percent, result.sampling !== undefined), i),
    ),
  };
}

function caseFigures(lensCase: Case, label: string, percent: Percent, sampled: boolean): CaseFigures {
  const parts = lensCase.tensors.map(({ name, totals, end }) => ({
    name,
    part: end.unchanged,
    whole: totals.elements - end.nonfinite,
  }));
  return { sizes: histogramChart(lensCase, label, percent), layers: layerFigures(parts, label, sampled) };
}

function layerFigures(
  parts: Parameters<typeof moduleGrids>[0],
  label: string | null,
  sampled = false,
): Figure[] {
  return moduleGrids(parts, sampled)
    .slice(0, mostStacks)
    .map((grid) => heatmapChart(grid, label));
}

/** Labels of cases may be alike once they are names of files; their numbers are not. */
function numbered({ sizes, layers }: CaseFigures, i: number): CaseFigures {
  const name = (figure: Figure, n: number) => ({
    ...figure,
    name: `case-${i + 1}-${figure.name}${n > 0 ? `-${n + 1}` : ""}`,
  });
  return { sizes: name(sizes, 0), layers: layers.map(name) };
}

/** The figures of a comparison, in the order of its report. */
export interface DiffFigures {
  readonly modules: Figure;
  readonly layers: readonly Figure[];
  readonly distances: Figure;
  readonly delta: Figure;
  readonly geometry: readonly Figure[];
}

export function diffFigures(result: DifferenceResult): DiffFigures {
  const parts = result.tensors.map(({ name, unchanged, elements, nonfinite }) => ({
    name,
    part: unchanged,
    whole: elements - nonfinite,
  }));
  return {
    modules: moduleChart(result),
    layers: layerFigures(parts, null).map((figure, i) => ({
      ...figure,
      name: `${figure.name}${i > 0 ? `-${i + 1}` : ""}`,
    })),
    distances: distanceChart(result.totals),
    delta: deltaChart(result.delta),
    geometry: result.geometry ? geometryFigures(result.geometry) : [],
  };
}
