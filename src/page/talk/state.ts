import { choiceField, type Fields, wholeField } from "../location.js";
import { lastSteps, sceneNames } from "./scenes.js";

/** The state of the talk in the address. */
export interface TalkState {
  /** Counted from 1. */
  readonly scene: number;
  /** The step at which to pause; 0: play from the start. */
  readonly step: number;
  /** Scene by scene, or all scenes as pages to print. */
  readonly layout: "scenes" | "pages";
}

export const talkFields: Fields<TalkState> = {
  scene: wholeField(1, 1, sceneNames.length),
  step: wholeField(0, 0, Math.max(...Object.values(lastSteps))),
  layout: choiceField(["scenes", "pages"], "scenes"),
};
