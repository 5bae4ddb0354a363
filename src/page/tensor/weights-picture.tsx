import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** One pixel per weight. */
export function WeightsPicture(props: {
  pixels: ArrayBuffer | null;
  side: number;
  /** The text for screen readers. */
  description: string;
  children?: ComponentChildren;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { pixels, side } = props;
  useEffect(() => {
    if (!pixels || pixels.byteLength !== 4 * side * side) return;
    // A context without alpha paints its canvas black, so none is made before there is a picture.
    const context = canvas.current?.getContext("2d", { alpha: false });
    context?.putImageData(new ImageData(new Uint8ClampedArray(pixels), side, side), 0, 0);
  }, [pixels, side]);
  return (
    <figure class="picture">
      <figcaption>{props.children}</figcaption>
      <canvas ref={canvas} width={side} height={side} role="img" aria-label={props.description} />
    </figure>
  );
}
