/** Longer pieces of a name may be broken anywhere, so that no name makes the page wider than the window. */
const longestPiece = 24;

/** The name of a tensor or file, with line breaks only after dots, underscores and slashes. */
export function Name({ text }: { text: string }) {
  const pieces = text.match(/[^._/]+[._/]*|[._/]+/g) ?? [];
  return (
    <>
      {pieces.map((piece, i) => (
        <span key={`${i}`} class={piece.length > longestPiece ? undefined : "unbroken"}>
          {piece}
          <wbr />
        </span>
      ))}
    </>
  );
}
