import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** The current width of an element in pixels, so that text in a chart keeps its size. */
export function useWidth<T extends Element>(first: number): [RefObject<T | null>, number] {
  const element = useRef<T>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width > 0) setWidth(Math.round(contentRect.width));
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}
