/** What a result says of a synthetic input: enough to make the same one again. */
export interface SyntheticInput {
  readonly preset: string | null;
  /** A model whose shapes were taken; null: one tensor, or those of `weights` of the input. */
  readonly model: string | null;
  /** Parameters of the whole, of which the elements of the result may be a sample. */
  readonly parameters: number;
  /** Of the one tensor that was drawn, where it was given as rows and columns. */
  readonly shape?: readonly number[];
  /** `adamw`: gradients through AdamW. `steady-state`: independent draws of lr m / sqrt(v). `gradients`: for recipes. */
  readonly source: "adamw" | "steady-state" | "gradients";
  readonly weights: {
    readonly distribution: string;
    /** Of the query and key matrices. */
    readonly queryKeyDistribution: string;
    readonly sigma: number;
    /** What they are stored in before the run. */
    readonly format: string;
  } | null;
  readonly gradients: {
    readonly noise: string;
    readonly snr: number;
    /** Norm of the whole model's gradient, after clipping. */
    readonly norm: number;
    /** Of the logarithm of a tensor's scale. */
    readonly scaleSpread: number;
  };
  readonly optimizer: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weightDecay: number;
    readonly schedule: string;
    readonly warmup: number;
  };
  readonly seed: number;
}
