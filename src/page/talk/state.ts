import { choiceField, type Fields, wholeField } from "../location.js";
import { sceneNames } from "./scenes.js";

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
  // A later step than the last one of a run is the last one.
  step: { ...wholeField(0, 0, Number.MAX_SAFE_INTEGER), values: "a whole number of at least 0" },
  layout: choiceField(["scenes", "pages"], "scenes"),
};
