/** Text of which pieces in stars stand out. */
export function Emphasis({ text }: { text: string }) {
  return (
    <>{text.split("*").map((piece, i) => (i % 2 === 1 ? <strong key={`${i}`}>{piece}</strong> : piece))}</>
  );
}
