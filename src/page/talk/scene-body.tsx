import type { Frame } from "../tensor/frame.js";
import { ApparentScene, KeptScene, LostScene, TruthScene } from "./live-scenes.js";
import type { SceneName } from "./scenes.js";
import { GapScene, PushScene, YoursScene } from "./still-scenes.js";

/** @param still shows what moves at its end. */
export function SceneBody({
  name,
  frame,
  still = false,
}: {
  name: SceneName;
  frame: Frame | null;
  still?: boolean;
}) {
  switch (name) {
    case "apparent":
      return <ApparentScene frame={frame} />;
    case "truth":
      return <TruthScene frame={frame} />;
    case "gap":
      return <GapScene />;
    case "push":
      return <PushScene still={still} />;
    case "lost":
      return <LostScene frame={frame} />;
    case "kept":
      return <KeptScene frame={frame} />;
    case "yours":
      return <YoursScene />;
  }
}
