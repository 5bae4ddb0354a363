import type { Case } from "../../lens/run/case.js";
import { staysByChance } from "../../report/charts/class-ink.js";
import { inGaps, labelledSizes } from "../../report/charts/histogram-chart.js";
import { stackedClasses } from "../../report/charts/palette.js";
import { count, percent, share } from "../../report/numbers.js";
import { boundaryOf, classWordsOf } from "../../report/rounding-words.js";
import { useWidth } from "../weight/use-width.js";

const sized = stackedClasses.filter(
  (className) => className === "moved" || className === "kept" || className === "lost",
);
const width = 720;
const height = 190;
/** The space for labels, which are larger on a phone relative to the picture. */
const feet = { usual: 34, phone: 64 };

/** Updates by size in gaps of their weight, coloured by class; from the line on, all updates move their weight. */
export function SizeHistogram({ of: caseResult }: { of: Sized }) {
  return caseResult.histogram.firstBin === null ? null : (
    <Bins of={caseResult} firstBin={caseResult.histogram.firstBin} />
  );
}

type Sized = Pick<Case, "histogram" | "rounding" | "scheme">;

function Bins({ of: caseResult, firstBin }: { of: Sized; firstBin: number }) {
  const { histogram, rounding, scheme } = caseResult;
  const [ref, shownWidth] = useWidth<SVGSVGElement>(width);
  const phone = shownWidth < 480;
  const foot = phone ? feet.phone : feet.usual;
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
  const step = width / (highest - lowest);
  const scale = (height - foot - 18) / Math.max(...shown, 1);
  const edge = (boundary.exponent - lowest) * step;
  const labelled = labelledSizes(lowest, highest - 1, step * (phone ? 0.9 : 1.3));
  const labels = inGaps(labelled);
  const sums = sized.map((className) => histogram[className].reduce((sum, n) => sum + n, 0));
  return (
    <svg
      ref={ref}
      class="chart"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`Updates by size against the gap: ${sized.map((className, i) => `${count(sums[i])} ${words[className]}`).join(", ")}`}
    >
      {shown.map((_, i) => {
        let top = height - foot;
        return sized.map((className) => {
          const part = histogram[className][first + i] * scale;
          top -= part;
          return part === 0 ? null : (
            <rect
              key={`${className}${lowest + i}`}
              x={(firstBin + first + i - lowest) * step + 1}
              y={top}
              width={Math.max(1, step - 2)}
              height={part}
              class={staysByChance(className, { rounding }) ? "by-chance" : undefined}
              fill={`var(--${className})`}
            />
          );
        });
      })}
      <text x={0} y={12} data-fact="tallest">
        tallest bar {percent(share(Math.max(...shown), all))}
      </text>
      <line x1={0} x2={width} y1={height - foot} y2={height - foot} class="axis" />
      <line x1={edge} x2={edge} y1={14} y2={height - foot} class="mark" />
      <text x={edge - 6} y={12} text-anchor="end" class="strong">
        {boundary.words}
      </text>
      {labelled.map((bin, i) => (
        <text
          key={bin}
          x={(bin - lowest) * step}
          y={height - foot + (phone ? 26 : 15)}
          text-anchor={bin === lowest ? "start" : "middle"}
        >
          {labels[i]}
        </text>
      ))}
      <text x={width / 2} y={height - 3} text-anchor="middle">
        |update| / ulp(weight)
      </text>
    </svg>
  );
}
