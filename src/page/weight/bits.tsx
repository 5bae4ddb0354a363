import { decode, encode } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import { ulp } from "../../format/neighbours.js";
import { exactDecimal } from "../../report/decimal.js";
import { PowerOfTwo } from "../controls/powers.js";
import { bitsOf } from "./bins.js";

/** The bits of a stored weight, each a toggle. */
export function Bits({
  value,
  format,
  onChange,
}: {
  value: number;
  format: Format;
  onChange(value: number): void;
}) {
  const code = encode(value, format);
  const flip = (place: number) => {
    const bit = 2 ** place;
    onChange(decode(Math.floor(code / bit) % 2 === 1 ? code - bit : code + bit, format));
  };
  return (
    <fieldset class="bits" style={{ "--bits": format.bits }}>
      <legend>
        w in {format.name}: <Value value={value} format={format} />
      </legend>
      <div>
        {bitsOf(value, format).map((bit, i) => {
          const place = format.bits - 1 - i;
          const [part, label] = partOf(i, format);
          return (
            <button
              key={place}
              type="button"
              class={`bit ${part}`}
              aria-pressed={bit === 1}
              aria-label={`${label}: ${bit}`}
              title={label}
              onClick={() => flip(place)}
            >
              {bit}
            </button>
          );
        })}
      </div>
      <p class="bit-key" aria-hidden="true">
        <span class="sign">sign</span>
        <span class="exponent">exponent, {format.exponentBits} bits</span>
        <span class="significand">significand, {format.precision - 1} bits</span>
      </p>
    </fieldset>
  );
}

function partOf(i: number, { exponentBits, bits }: Format): [part: string, label: string] {
  if (i === 0) return ["sign", "sign bit"];
  if (i <= exponentBits) return ["exponent", `exponent bit ${exponentBits - i}`];
  return ["significand", `significand bit ${bits - 1 - i}`];
}

/** "+1.28125 x 2^-6 = 0.02001953125", with all digits of the exact number. */
function Value({ value, format }: { value: number; format: Format }) {
  if (!Number.isFinite(value)) return <b>{String(value)}</b>;
  const hidden = 2 ** (format.precision - 1);
  const gap = ulp(value, format);
  const exponent = Math.log2(gap * hidden);
  return (
    <b class="mono">
      {value < 0 || Object.is(value, -0) ? "−" : "+"}
      {exactDecimal(Math.abs(value) / gap / hidden)} × <PowerOfTwo exponent={exponent} /> ={" "}
      <span data-fact="exactly">{exactDecimal(value)}</span>
    </b>
  );
}
