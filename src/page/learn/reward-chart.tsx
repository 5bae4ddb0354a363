import { type ChosenInk, lastStep, recentMean } from "./state.js";

const [width, height] = [640, 300];
/** The left one holds "100%" in the type of a phone. */
const margin = { left: 64, right: 70, top: 12, bottom: 34 };
/** Rewards by step with the chosen storage and with the master, and the base's level. */
export function RewardChart(props: {
  rewards: readonly [readonly number[], readonly number[]];
  labels: readonly [string, string];
  /** The level of the base. */
  base: number;
  /** The name of the chosen storage's colour in the style sheet. */
  ink?: ChosenInk;
  /** Whether the ends of the curves are labelled with their means. */
  ends?: boolean;
}) {
  const { base, ink = "chosen", ends: labelled = true } = props;
  const [chosen, master] = props.rewards;
  const all = [...chosen, ...master];
  const least = Math.min(0.5, ...all.map((r) => Math.floor(10 * r) / 10));
  const x = (step: number) => margin.left + (step / lastStep) * (width - margin.left - margin.right);
  const y = (reward: number) =>
    margin.top + ((1 - reward) / (1 - least)) * (height - margin.top - margin.bottom);
  const ticks = Array.from({ length: Math.round((1 - least) * 10) + 1 }, (_, i) => 1 - i / 10);
  const curve = (rewards: readonly number[]) =>
    rewards.map((_, i) => `${x(i + 1).toFixed(1)},${y(recentMean(rewards, i + 1)!).toFixed(1)}`).join(" ");
  const ends = [chosen, master].map((rewards) => recentMean(rewards));
  const places = apart(ends.map((mean) => (mean === null ? null : y(mean))));
  const said = ends.map((mean) => (mean === null ? "none yet" : `${Math.round(100 * mean)}%`));
  return (
    <svg
      class="rewards"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`Right answers by step. ${props.labels[0]}: ${said[0]}; ${props.labels[1]}: ${said[1]}`}
    >
      {ticks.map((tick) => (
        <g key={tick}>
          <line class="grid" x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} />
          <text x={margin.left - 8} y={y(tick) + 5} text-anchor="end">
            {Math.round(100 * tick)}%
          </text>
        </g>
      ))}
      {[0, 100, 200, 300].map((step) => (
        <text key={step} x={x(step)} y={height - 10} text-anchor={step === 0 ? "start" : "middle"}>
          {step === 0 ? "step 0" : step}
        </text>
      ))}
      <line class="base" x1={margin.left} x2={width - margin.right} y1={y(base)} y2={y(base)} />
      <text x={x(lastStep) - 4} y={y(base) + 17} text-anchor="end">
        before training
      </text>
      {[chosen, master].map((rewards, i) => (
        <g key={props.labels[i]} class={i === 0 ? ink : "master"}>
          {rewards.map((reward, step) => (
            <circle key={`${step + 1}`} cx={x(step + 1)} cy={y(reward)} r={1.6} />
          ))}
          <polyline points={curve(rewards)} />
          {labelled && places[i] !== null && (
            <text class="end" x={x(rewards.length) + 8} y={places[i]! + 6}>
              {said[i]}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

/** The distance of labels at the size used on phones. */
const leastApart = 30;

/** Moves two heights apart so that both labels are readable. */
function apart([a, b]: readonly (number | null)[]): [number | null, number | null] {
  if (a === null || b === null) return [a, b];
  const missing = leastApart - Math.abs(a - b);
  if (missing <= 0) return [a, b];
  const by = a >= b ? missing / 2 : -missing / 2;
  return [a + by, b - by];
}
