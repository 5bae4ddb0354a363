import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Name } from "../controls/name.js";

/** Accepts dropped or chosen files. */
export function DropZone(props: { onFiles(files: readonly File[]): void; waiting: string | null }) {
  const over = useSignal(false);
  const id = useId();
  const take = (list: FileList | null | undefined) => {
    if (list && list.length > 0) props.onFiles([...list]);
  };
  return (
    <section
      aria-label="Files"
      class={`drop ${over.value ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        take(event.dataTransfer?.files);
      }}
    >
      <input
        id={id}
        type="file"
        multiple
        accept=".safetensors"
        onChange={(event) => {
          take(event.currentTarget.files);
          // Allows choosing the same files again.
          event.currentTarget.value = "";
        }}
      />
      <label for={id}>
        <b>
          {props.waiting === null ? (
            "Drop two safetensors files here"
          ) : (
            <>
              <Name text={props.waiting} />, and one more
            </>
          )}
        </b>
        <span>or choose them</span>
      </label>
      <ul>
        <li>
          <b>a recorded run</b>: base.safetensors and updates.safetensors
        </li>
        <li>
          <b>two checkpoints</b>: before and after, of any dtype
        </li>
      </ul>
    </section>
  );
}
