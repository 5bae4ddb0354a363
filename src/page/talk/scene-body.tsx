import type { Classroom } from "../learn/classroom.js";
import type { Frame } from "../tensor/frame.js";
import { BlockScene } from "./block-scene.js";
import { LearnScene } from "./learn-scene.js";
import { ApparentScene, KeptScene, LostScene, TruthScene } from "./live-scenes.js";
import type { SceneName } from "./scenes.js";
import { GapScene, PushScene, YoursScene } from "./still-scenes.js";

/** @param still shows the end of animations. */
export function SceneBody({
  name,
  frame,
  classroom,
  still = false,
}: {
  name: SceneName;
  frame: Frame | null;
  classroom: Classroom;
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
      return <LostScene frame={frame} still={still} />;
    case "kept":
      return <KeptScene frame={frame} />;
    case "block":
      return <BlockScene still={still} />;
    case "learn":
      return <LearnScene classroom={classroom} still={still} />;
    case "yours":
      return <YoursScene />;
  }
}
