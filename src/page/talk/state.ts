import { choiceField, type Fields, wholeField } from "../location.js";
import { lastSteps, sceneNames } from "./scenes.js";

/** All that the address says of the talk. */
export interface TalkState {
  /** Counted from 1. */
  readonly scene: number;
  /** Where to be paused; 0: play from the start. */
  readonly step: number;
  /** One scene after the other, or all of them as pages to print. */
  readonly layout: "scenes" | "pages";
}

export const talkFields: Fields<TalkState> = {
  scene: wholeField(1, 1, sceneNames.length),
  step: wholeField(0, 0, Math.max(...Object.values(lastSteps))),
  layout: choiceField(["scenes", "pages"], "scenes"),
};
