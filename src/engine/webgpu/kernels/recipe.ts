import type { RecipeSettings } from "../../../update/optimizer.js";
import { foundNonfinite } from "../../lane/classes.js";
import { isNonfinite, magnitude } from "../../lane/numbers.js";
import type { Branch } from "../../lane/recipe.js";
import type { CaseLines } from "../../lane/recipe-scalars.js";
import { type LaneMoment, type RecipeKernel, recipeStep, runStep } from "../../lane/recipe-step.js";
import {
  elementsOfGroup,
  fp32Planes,
  momentPlanes,
  type RecipeCount,
  recipeCounts,
  statePlanes,
} from "../layout.js";
import { u32, type Wgsl, WgslWriter } from "../wgsl/writer.js";
import type { StepBody } from "./step-body.js";
import { flagsOf, kernelText, loadPair, ofPiece, type ReadAhead, storePair } from "./text.js";

/** Optimizer steps by recipes from the gradients in `updates`, as in RecipeStepper of the reference engine. */

/** The recipe of a step kernel. */
export interface StepRecipe {
  readonly lines: CaseLines;
  /** Whether the case leaves its weights for others, or is compared with the weights left there; null for neither. */
  readonly weights: "left" | "compared" | null;
}

/** Where the first case leaves its weights: after the gradients, in batch order. */
const leftWeight = (half: string) => `updates[params.groups * ${elementsOfGroup}u + 2u * pair + ${half}]`;

/** Declares a name for each word of the step's scalars that the lines read. */
function scalarsText({ words, intended }: CaseLines): string {
  const both = [words, intended.words];
  const numbers = new Set(both.flatMap((elementWords) => [...elementWords.numbers.values()]));
  const conditions = new Set(both.flatMap((elementWords) => [...elementWords.conditions]));
  return [
    `let scalars = ${ofPiece("scalars")} + params.scalars;`,
    ...[...numbers].map((word) => `let scalar${word} = constants[scalars + ${word}u];`),
    ...[...conditions].map((word) => `let holds${word} = constants[scalars + ${word}u] != 0u;`),
  ].join("\n");
}

/** Runs text for each element of a pair, in a loop: compiling it twice takes long. */
function forBoth(names: readonly string[], text: string): string {
  return `for (var which = 0u; which < 2u; which++) {
${names.map((name) => `let ${name} = select(${name}0, ${name}1, which == 1u);`).join("\n")}
${text}
}`;
}

/** Inside {@link forBoth}: assigns the results of the element to its variables. */
function assignText(values: ReadonlyMap<string, string>): string {
  const side = (half: number) => [...values].map(([name, value]) => `${name}${half} = ${value};`).join(" ");
  return `if (which == 0u) { ${side(0)} } else { ${side(1)} }`;
}

/** Inside {@link forBoth}. */
function kernelOf(k: WgslWriter, tailBlock: number, random: () => Wgsl): RecipeKernel<Wgsl> {
  const scalars = new Map<number, Wgsl>();
  const branch = (key: string, condition: string): Branch<Wgsl> => ({
    key,
    choose: (then, otherwise) => k.branch(condition, then, otherwise),
  });
  return {
    k,
    fma: k.fma,
    scalar(word) {
      // One value per word, so that equal lines are recognized.
      if (!scalars.has(word)) scalars.set(word, u32(`scalar${word}`));
      return scalars.get(word)!;
    },
    branch: (word) => branch(`word ${word}`, `holds${word}`),
    // Only the last block of a tensor may be incomplete.
    tail: branch("tail", `element + which >= length - length % ${tailBlock}u`),
    random,
    live: k.let({ text: "element + which < length", kind: "bool" }),
  };
}

/** Applies the gradients of a step to the fp32 run by its recipe. `state` holds the moments. */
export function runKernel(lines: CaseLines): string {
  const moments = lines.recipe.moments.map(
    ({ name, of: role }) => [name, role === "M" ? momentPlanes.m : momentPlanes.v] as const,
  );
  const k = new WgslWriter();
  const after = runStep(
    kernelOf(k, 1, () => k.i32x4.constant(0)),
    lines,
    { weight: u32("c"), gradient: u32("g"), moments: new Map(moments.map(([name]) => [name, u32(name)])) },
  );
  const assigned = new Map([
    ["c", after.weight.text],
    ...moments.map(([name]) => [name, after.moments.get(name)!.text] as const),
  ]);
  const pairs = moments.map(([name, plane]) => [[`${name}0`, `${name}1`], plane] as const);
  return kernelText({
    before: scalarsText(lines),
    beforeChunk: "var flagsUpdated = 0u;",
    pair: `
let g0 = updates[2u * pair]; let g1 = updates[2u * pair + 1u];
${loadPair(["c0", "c1"], "fp32", fp32Planes.now, false)}
${pairs.map(([names, plane]) => loadPair([names[0], names[1]], "state", plane, false)).join("\n")}
${forBoth(
  ["c", "g", ...moments.map(([name]) => name)],
  `${k.text}
${assignText(assigned)}
flagsUpdated |= select(0u, 1u, (${after.update.text} & 0x7fffffffu) != 0u) << (2u * i + which);`,
)}
${storePair(["c0", "c1"], "fp32", fp32Planes.now, false)}
${pairs.map(([names, plane]) => storePair([names[0], names[1]], "state", plane, false)).join("\n")}`,
    afterChunk: `if (flagsUpdated != 0u) { ${flagsOf("fp32", fp32Planes.count, 0)} |= flagsUpdated; }`,
  });
}

/** The parts of a step kernel for a recipe. */
export function recipeBody(settings: RecipeSettings, recipe: StepRecipe, ahead: ReadAhead): StepBody {
  const planes = statePlanes(settings);
  const states = [...planes.states].map(([name, plane]) => ({ name: `state_${name}`, ...plane }));
  const pairs = [{ name: "w", plane: planes.weights, packed: planes.packed }, ...states].map((pair) => ({
    ...pair,
    names: [`${pair.name}0`, `${pair.name}1`] as const,
  }));
  const { text, draws } = pairText(settings, recipe);
  return {
    before: `${scalarsText(recipe.lines)}\n${recipeCounts.map((_, i) => `var counted${i} = 0u;`).join("\n")}`,
    loads: pairs.map(({ names, plane, packed }) => loadPair(names, "state", plane, packed, ahead.word)),
    stores: [
      ...pairs.map(({ names, plane, packed }) => storePair(names, "state", plane, packed)),
      recipe.weights === "left"
        ? [0, 1].map((half) => `${leftWeight(`${half}u`)} = w${half};`).join(" ")
        : "",
    ],
    hasCarrier: settings.recipe.carriers.length > 0,
    opposes: true,
    draws,
    counts: recipeCounts.map((_, i) => `counted${i}`),
    pair: text,
    element: (half) => ({
      text: `let u = update${half}; let w = was${half};`,
      weight: u32(`w${half}`),
      nonfinite: `nonfinite${half}`,
      carried: `carried${half}`,
      stores: "",
    }),
  };
}

/** Applies the recipe to both elements of a pair, and counts causes, moments and parted weights. */
function pairText(settings: RecipeSettings, { lines, weights }: StepRecipe) {
  const k = new WgslWriter();
  const { f32x4, v128 } = k;
  let draws = 0;
  const random = () => u32(`select(draw${draws}.x, draw${draws++}.y, which == 1u)`);
  const kernel = kernelOf(k, settings.recipe.tail?.block ?? 1, random);
  const names = [...statePlanes(settings).states.keys()];
  const before = new Map([
    ["p", u32("w")] as const,
    ...names.map((name) => [name, u32(`state_${name}`)] as const),
  ]);
  const step = recipeStep(kernel, settings, lines, before, u32("u"));
  const { update, idle, shrinks, underflows, guarded } = step;
  const { weight, carrier } = step.after;
  const nonfinite = foundNonfinite(k, settings, step.before, update, step.after);
  const carried = carrier && f32x4.ne(carrier, step.before.carrier!);
  const moments = step.moments.map((moment) => momentMasks(k, moment));
  const moved = v128.andnot(f32x4.ne(weight, step.before.weight), f32x4.eq(update, f32x4.constant(0)));
  // The classes none, lost and kept.
  const stays = v128.not(v128.or(nonfinite, moved));
  const active = v128.andnot(stays, idle);
  const held = v128.andnot(active, underflows);
  const counts: (readonly [RecipeCount, Wgsl])[] = [
    ["gradient", v128.andnot(v128.and(stays, idle), shrinks)],
    ["weightDecay", v128.and(v128.and(stays, idle), shrinks)],
    ["momentUnderflow", v128.and(active, underflows)],
    ["epsilon", v128.and(held, guarded)],
    ["storage", v128.andnot(held, guarded)],
    ...moments.flatMap((masks, m) =>
      Object.entries(masks).map(
        ([name, mask]) => [`${m === 0 ? "first" : "second"} ${name}` as RecipeCount, mask] as const,
      ),
    ),
  ];
  if (weights === "compared") {
    const first = k.let(u32(leftWeight("which")));
    const isNumber = v128.or(f32x4.eq(weight, weight), f32x4.eq(first, first));
    counts.push(["parted", v128.and(f32x4.ne(weight, first), isNumber)]);
  }
  const assigned = new Map([
    ["update", update.text],
    ["nonfinite", nonfinite.text],
    ["carried", carried?.text ?? "false"],
    ["was", "w"],
    ["w", weight.text],
    ...names.map((name) => [`state_${name}`, step.states.get(name)!.text] as const),
  ]);
  const text = `var update0 = 0u; var update1 = 0u; var was0 = 0u; var was1 = 0u;
var nonfinite0 = false; var nonfinite1 = false; var carried0 = false; var carried1 = false;
${forBoth(
  ["u", "w", ...names.map((name) => `state_${name}`)],
  `${k.text}
${counts.map(([name, mask]) => `counted${recipeCounts.indexOf(name)} += select(0u, 1u, ${mask.text});`).join("\n")}
${assignText(assigned)}`,
)}`;
  return { text, draws };
}

/** The classes of a moment as masks; all but `nonfinite` exclude nonfinite numbers. */
function momentMasks(k: WgslWriter, { before, meant, after, carrier }: LaneMoment<Wgsl>) {
  const { f32x4, i32x4, v128 } = k;
  const judged = [before, meant, after, ...(carrier ? [carrier.after] : [])].map((x) => magnitude(k, x));
  const nonfinite = isNonfinite(
    k,
    judged.reduce((a, b) => i32x4.max_s(a, b)),
  );
  const finite = (mask: Wgsl) => v128.andnot(mask, nonfinite);
  const zero = finite(f32x4.eq(meant, before));
  const hasMoved = f32x4.ne(after, before);
  const moved = v128.andnot(finite(hasMoved), zero);
  const masks = { zero, moved, nonfinite };
  if (carrier === null) return masks;
  const kept = finite(v128.andnot(f32x4.ne(carrier.after, carrier.before), v128.or(hasMoved, zero)));
  return { ...masks, kept };
}
