import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Classroom } from "../learn/classroom.js";
import type { Frame } from "../tensor/frame.js";
import { pictureInks } from "../tensor/inks.js";
import { Player } from "../tensor/player.js";
import { palette } from "../theme.js";
import { SceneBody } from "./scene-body.js";
import { lastSteps, type RunName, sceneNames, scenes, talkLearning, talkRuns } from "./scenes.js";

const runs = Object.keys(talkRuns) as readonly RunName[];

/** All scenes, each at the end of its run, as pages to print or save as PDF. */
export function TalkPages({ leave }: { leave: () => void }) {
  const frames = useSignal<Readonly<Partial<Record<RunName, Frame>>>>({});
  const error = useSignal<string | null>(null);
  const classroom = useMemo(() => new Classroom(), []);
  useEffect(() => {
    const player = new Player(
      () => pictureInks(palette.peek()),
      () => "start",
    );
    void (async () => {
      for (const run of runs) {
        // The pixels of the last frame stay in use here, so the player must not reuse them.
        player.frame.value = null;
        await player.open(talkRuns[run], { play: false, goTo: lastSteps[run] });
        error.value = player.error.value;
        if (player.frame.value) frames.value = { ...frames.value, [run]: player.frame.value };
      }
      await classroom.open(talkLearning, true);
    })();
    return () => {
      player.close();
      classroom.close();
    };
  }, []);

  const learned = classroom.outcome.value !== null;
  const done = runs.filter((run) => frames.value[run]).length + Number(learned);
  const all = runs.length + 1;
  const problem = error.value ?? classroom.error.value;
  return (
    <main class="talk-pages" data-ready={done === all}>
      <p class="talk-bar" role="status">
        {problem ?? (done === all ? "Ready to print." : `Computing run ${done + 1} of ${all}…`)}
        <button type="button" disabled={done < all} onClick={() => print()}>
          Print or save as PDF
        </button>
        <button type="button" class="quiet" onClick={leave}>
          Back to the talk
        </button>
      </p>
      {sceneNames.map((name) => {
        const { title, text, run } = scenes[name];
        return (
          <section class="talk page" data-scene={name} key={name}>
            <h2>{title}</h2>
            <div class="scene">
              <SceneBody name={name} frame={(run && frames.value[run]) ?? null} classroom={classroom} still />
            </div>
            <p class="text">{text}</p>
          </section>
        );
      })}
    </main>
  );
}
