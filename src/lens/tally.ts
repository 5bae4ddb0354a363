import { classes } from "./classify.js";
import { Histogram } from "./histogram.js";
import { mergedShared, type SharedTally } from "./shared-tally.js";
import { ExactSum } from "./sum.js";

/** Counts of weight-steps by class, and the sums behind their norms. */
export class UpdateTally {
  none = 0;
  lost = 0;
  kept = 0;
  moved = 0;
  nonfinite = 0;
  /** Where scales are shared: changed by a scale alone; and those of them whose update was zero. */
  collateral = 0;
  collateralZeros = 0;
  /** What changed of codes and scales; null where no scales are shared. */
  shared: SharedTally | null = null;
  /** Weights whose stored bits differ after the step from those of the run's first recipe; null if not compared. */
  parted: number | null = null;
  /** Sum of u^2 over finite weight-steps. */
  readonly updateSquared = new ExactSum();
  /** Sum of e^2, where e = w' - w in fp32 is the change of the stored weight. */
  readonly effectiveSquared = new ExactSum();
  /** Sum of e u. */
  readonly product = new ExactSum();

  merge(other: UpdateTally): void {
    this.none += other.none;
    this.lost += other.lost;
    this.kept += other.kept;
    this.moved += other.moved;
    this.nonfinite += other.nonfinite;
    this.collateral += other.collateral;
    this.collateralZeros += other.collateralZeros;
    this.shared = mergedShared(this.shared, other.shared);
    this.parted = sumOrNull(this.parted, other.parted);
    this.updateSquared.addAll(other.updateSquared);
    this.effectiveSquared.addAll(other.effectiveSquared);
    this.product.addAll(other.product);
  }
}

/** The end of a run against its start, in weights. */
export class EndTally {
  /** Stored bits as at the start; of these `neverUpdated`, `cancelled` and `hidden` are the parts. */
  unchanged = 0;
  /** Every update was zero. */
  neverUpdated = 0;
  /** Updated, but the fp32 counterfactual is back at its start too. */
  cancelled = 0;
  /** The fp32 counterfactual differs from its start, the stored bits do not. */
  hidden = 0;
  /** Moved at some step, and back at the end. */
  returned = 0;
  /** Weights with a nonfinite weight-step, left out of the other counts. */
  nonfinite = 0;
  /** Weights whose stored bits differ from those of the run's first recipe; null if not compared. */
  parted: number | null = null;
  /** What changed of codes and scales; null where no scales are shared. */
  shared: SharedTally | null = null;
  /** Sum of D^2, D the displacement of the fp32 counterfactual, in fp32. */
  readonly displacementSquared = new ExactSum();
  /** Sum of d D, d the displacement of the stored weight, in fp32. */
  readonly product = new ExactSum();
  /** Sum of c D, c the displacement of weight plus carrier (Scheme.holds), in fp32. */
  readonly retainedProduct = new ExactSum();
  /** Sum of (c - D)^2, the difference in fp32. */
  readonly noiseSquared = new ExactSum();
  /** Sum of w^2, w the weights as given, in fp32. */
  readonly weightSquared = new ExactSum();
  /** Sums that some part of the weights lacks, because an earlier release counted it. */
  readonly unknown = new Set<EndSum>();

  /** Adds unchanged weights: all, those of them that are unchanged in the fp32 counterfactual, those never updated. */
  addUnchanged(unchanged: number, still: number, neverUpdated: number): void {
    this.unchanged += unchanged;
    this.neverUpdated += neverUpdated;
    this.cancelled += still - neverUpdated;
    this.hidden += unchanged - still;
  }

  merge(other: EndTally): void {
    this.unchanged += other.unchanged;
    this.neverUpdated += other.neverUpdated;
    this.cancelled += other.cancelled;
    this.hidden += other.hidden;
    this.returned += other.returned;
    this.nonfinite += other.nonfinite;
    this.parted = sumOrNull(this.parted, other.parted);
    this.shared = mergedShared(this.shared, other.shared);
    for (const name of endSums) this[name].addAll(other[name]);
    for (const name of other.unknown) this.unknown.add(name);
  }
}

/** The sums of an {@link EndTally}. */
export const endSums = [
  "displacementSquared",
  "product",
  "retainedProduct",
  "noiseSquared",
  "weightSquared",
] as const;
export type EndSum = (typeof endSums)[number];

/** The counts of the published probes. */
export class ProbeTally {
  /** Weights that each probe calls unchanged at the end. */
  pathNotTaken = 0;
  smallSubnetworks = 0;
  /** Updates other than zero that the ulp rule calls lost. */
  ulpRule = 0;
  /** Of those, how many moved the stored weight after all. */
  ulpRuleMoved = 0;
  /** Updates visible by the rule that did not move the stored weight. */
  ulpRuleUnmoved = 0;

  merge(other: ProbeTally): void {
    this.pathNotTaken += other.pathNotTaken;
    this.smallSubnetworks += other.smallSubnetworks;
    this.ulpRule += other.ulpRule;
    this.ulpRuleMoved += other.ulpRuleMoved;
    this.ulpRuleUnmoved += other.ulpRuleUnmoved;
  }
}

/** The sum of two counts of which one or both may not have been taken. */
export function sumOrNull(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : a + b;
}

/** Why a weight did not move, of runs that computed their updates; see RecipeStepper for the order of the tests. */
export const causes = ["gradient", "weightDecay", "momentUnderflow", "epsilon", "storage"] as const;
export type Cause = (typeof causes)[number];

/** The lens on a moment of the optimizer: what became of its own updates, by class. */
export class MomentTally {
  readonly name: string;
  none = 0;
  lost = 0;
  kept = 0;
  moved = 0;
  nonfinite = 0;

  constructor(name: string) {
    this.name = name;
  }

  merge(other: MomentTally): void {
    for (const className of classes) this[className] += other[className];
  }
}

/** What is counted of runs that computed their updates from gradients; all zero for others. */
export class RecipeTally {
  /** Weight-steps that did not move the stored weight, by cause. */
  readonly causes: Record<Cause, number> = {
    gradient: 0,
    weightDecay: 0,
    momentUnderflow: 0,
    epsilon: 0,
    storage: 0,
  };
  readonly moments: MomentTally[] = [];

  merge(other: RecipeTally): void {
    for (const cause of causes) this.causes[cause] += other.causes[cause];
    this.mergeMoments(other.moments);
  }

  mergeMoments(moments: readonly MomentTally[]): void {
    for (const moment of moments) {
      let mine = this.moments.find(({ name }) => name === moment.name);
      if (!mine) {
        mine = new MomentTally(moment.name);
        this.moments.push(mine);
      }
      mine.merge(moment);
    }
  }
}

/** All counts of one tensor, or of any set of tensors. */
export class Tally {
  elements = 0;
  /** Weights that the cast to the storage format altered before the first step. */
  castChanged = 0;
  readonly updates = new UpdateTally();
  readonly end = new EndTally();
  readonly probes = new ProbeTally();
  readonly histogram = new Histogram();
  readonly recipe = new RecipeTally();

  merge(other: Tally): void {
    this.elements += other.elements;
    this.castChanged += other.castChanged;
    this.updates.merge(other.updates);
    this.end.merge(other.end);
    this.probes.merge(other.probes);
    this.histogram.merge(other.histogram);
    this.recipe.merge(other.recipe);
  }
}
