import type { Case } from "../../lens/run/case.js";
import { staysByChance } from "../../report/charts/class-ink.js";
import { labelledSizes } from "../../report/charts/histogram-chart.js";
import { stackedClasses } from "../../report/charts/palette.js";
import { linearScale, percentTick } from "../../report/charts/scale.js";
import { exponentText, raised, textWidth } from "../../report/charts/svg.js";
import { count } from "../../report/numbers.js";
import { boundaryOf, classWordsOf } from "../../report/rounding-words.js";
import { useWidth } from "../weight/use-width.js";

const sized = stackedClasses.filter(
  (className) => className === "moved" || className === "kept" || className === "lost",
);
/** The height of text in pixels; in a large chart it grows with the width. */
const usualFont = 14;
const largestFont = 28;
const leastHeight = 150;

/** Updates by size in gaps of their weight, coloured by class; from the line on, all updates move their weight. */
export function SizeHistogram({
  of: caseResult,
  ...look
}: {
  of: Sized;
  /** For an audience: larger type. */
  large?: boolean;
  height?: number;
}) {
  return caseResult.histogram.firstBin === null ? null : (
    <Bins of={caseResult} firstBin={caseResult.histogram.firstBin} {...look} />
  );
}

type Sized = Pick<Case, "histogram" | "rounding" | "scheme">;

function Bins({
  of: caseResult,
  firstBin,
  large = false,
  height: given,
}: {
  of: Sized;
  firstBin: number;
  large?: boolean;
  height?: number;
}) {
  const { histogram, rounding, scheme } = caseResult;
  const [ref, width] = useWidth<SVGSVGElement>(720);
  const height = given ?? Math.max(leastHeight, Math.round(0.26 * width));
  const font = large ? Math.max(usualFont, Math.min(largestFont, Math.round(width / 60))) : usualFont;
  const boundary = boundaryOf({ rounding });
  const words = classWordsOf({ rounding, scheme });
  const totals = histogram.lost.map((_, i) =>
    sized.reduce((sum, className) => sum + histogram[className][i], 0),
  );
  // Omit tails of a ten-thousandth, but never the boundary.
  const all = totals.reduce((sum, n) => sum + n, 0);
  const rare = (bin: number) => (totals[bin] ?? 0) < all / 10_000;
  let [first, last] = [0, totals.length - 1];
  while (first < last && rare(first)) first += 1;
  while (last > first && rare(last)) last -= 1;
  const shown = totals.slice(first, last + 1);
  const lowest = Math.min(firstBin + first, -4);
  const highest = Math.max(firstBin + last + 1, 3);

  // At the left the name of the axis and its labels, below the labels of the sizes and their name.
  const left = 1.4 * font + textWidth("100%", font) + 8;
  const [top, bottom] = [font + 6, height - 2.65 * font];
  const step = (width - left) / (highest - lowest);
  const x = (bin: number) => left + (bin - lowest) * step;
  const { place, ticks } = linearScale(0, Math.max(...shown) / all, bottom, top, 4);
  const edge = x(boundary.exponent);
  const isAtLeft = edge - left > textWidth(boundary.words, font, true) + 6;
  const middle = (top + bottom) / 2;
  const sums = sized.map((className) => histogram[className].reduce((sum, n) => sum + n, 0));
  return (
    <svg
      ref={ref}
      class="chart"
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      font-size={font}
      role="img"
      aria-label={`Updates by size against the gap: ${sized.map((className, i) => `${count(sums[i])} ${words[className]}`).join(", ")}`}
    >
      {ticks.map((tick, i) => (
        <g key={tick}>
          <line x1={left} x2={width} y1={place(tick)} y2={place(tick)} class={i === 0 ? "axis" : "grid"} />
          <text x={left - 8} y={place(tick) + 0.35 * font} text-anchor="end" data-axis="share">
            {percentTick(tick)}
          </text>
        </g>
      ))}
      <text x={font} y={middle} text-anchor="middle" transform={`rotate(-90 ${font} ${middle})`}>
        share of updates
      </text>
      {shown.map((_, i) => {
        let y = bottom;
        return sized.map((className) => {
          const part = bottom - place(histogram[className][first + i] / all);
          y -= part;
          return part === 0 ? null : (
            <rect
              key={`${className}${lowest + i}`}
              x={x(firstBin + first + i) + 1}
              y={y}
              width={Math.max(1, step - 2)}
              height={part}
              class={staysByChance(className, { rounding }) ? "by-chance" : undefined}
              fill={`var(--${className})`}
            />
          );
        });
      })}
      <line x1={edge} x2={edge} y1={2} y2={bottom} class="mark" />
      <text
        x={isAtLeft ? edge - 6 : edge + 6}
        y={font - 2}
        text-anchor={isAtLeft ? "end" : "start"}
        class="strong"
      >
        {boundary.words}
      </text>
      {labelledSizes(lowest, highest - 1, step / font, boundary).map((bin) => (
        <text key={bin} x={x(bin)} y={bottom + 1.4 * font} text-anchor="middle" data-axis="size">
          2
          <tspan font-size={raised.size * font} dy={-raised.by * font}>
            {exponentText(bin)}
          </tspan>
        </text>
      ))}
      <text x={(left + width) / 2} y={height - 2} text-anchor="middle">
        |update| / ulp(weight)
      </text>
    </svg>
  );
}
