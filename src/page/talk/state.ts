import { type Fields, wholeField } from "../location.js";
import { lastStep, sceneNames } from "./scenes.js";

/** All that the address says of the talk. */
export interface TalkState {
  /** Counted from 1. */
  readonly scene: number;
  /** Where to be paused; 0: play from the start. */
  readonly step: number;
}

export const talkFields: Fields<TalkState> = {
  scene: wholeField(1, 1, sceneNames.length),
  step: wholeField(0, 0, lastStep),
};
