/** Text with pieces between stars emphasized. Never breaks a line within "in-place". */
export function Emphasis({ text }: { text: string }) {
  return (
    <>
      {text
        .split("*")
        .map((piece, i) =>
          i % 2 === 1 ? <strong key={`${i}`}>{piece}</strong> : <Unbroken key={`${i}`} text={piece} />,
        )}
    </>
  );
}

/** Text without line breaks at the hyphen of "in-place" or of a number such as 1e-6. */
export function Unbroken({ text }: { text: string }) {
  return (
    <>
      {text.split(/(in-place|\d+e-\d+)/).map((piece, i) =>
        i % 2 === 1 ? (
          <span class="unbroken" key={`${i}`}>
            {piece}
          </span>
        ) : (
          piece
        ),
      )}
    </>
  );
}
