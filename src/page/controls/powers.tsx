import { exponentText } from "../../report/charts/svg.js";

/** A power of two with a raised exponent. No superscript digits, because Inter has neither most of them nor their minus. */
export function PowerOfTwo({ exponent }: { exponent: number }) {
  const said = exponentText(exponent);
  return (
    <span class="unbroken" role="math" aria-label={`2 to the power ${said}`}>
      2<sup>{said}</sup>
    </span>
  );
}

/** Text whose powers of two, written as 2^-9, have raised exponents. */
export function Powers({ text }: { text: string }) {
  return (
    <>
      {text
        .split(/2\^(-?\d+)/)
        .map((piece, i) => (i % 2 === 1 ? <PowerOfTwo key={`${i}`} exponent={Number(piece)} /> : piece))}
    </>
  );
}
