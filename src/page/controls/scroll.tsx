import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/**
 * A scrollable region, focusable to scroll it by the keyboard. Shows a hint if there is more to the right, because
 * phones hide scroll bars.
 */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  const place = useRef<HTMLElement>(null);
  const [wider, setWider] = useState(false);
  useEffect(() => {
    const element = place.current!;
    const observer = new ResizeObserver(() => setWider(element.scrollWidth > element.clientWidth + 1));
    for (const each of [element, ...element.children]) observer.observe(each);
    return () => observer.disconnect();
  }, []);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: WCAG 2.1.1, a region that scrolls can be reached by the keyboard */}
      <section class="scroll" aria-label={label} tabIndex={0} ref={place}>
        {children}
      </section>
      {wider && <p class="scroll-hint">Scroll sideways for more columns →</p>}
    </>
  );
}
