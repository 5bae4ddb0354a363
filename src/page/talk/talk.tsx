import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Misread } from "../controls/misread.js";
import { Classroom } from "../learn/classroom.js";
import { readState, writeState } from "../location.js";
import { go, type Visit } from "../place.js";
import { pictureInks } from "../tensor/inks.js";
import { Player } from "../tensor/player.js";
import { palette } from "../theme.js";
import { keyAction } from "./keys.js";
import { TalkPages } from "./pages.js";
import { SceneBody } from "./scene-body.js";
import { lastSteps, type RunName, sceneNames, scenes, talkLearning, talkRuns } from "./scenes.js";
import { SpeakerWindow } from "./speaker.js";
import { talkFields } from "./state.js";

/** The talk: scene by scene, or all scenes as pages to print. */
export function TalkView({ visit }: { visit: Visit }) {
  const { layout } = readState(talkFields, visit.parameters);
  if (layout === "scenes") return <Talk visit={visit} />;
  return <TalkPages leave={() => go({ view: "talk", parameters: new Map() })} />;
}

/** Milliseconds without pointer movement after which controls hide in full screen. */
const idleAfter = 2500;

/** The scenes, controlled by keys, in large type; each is computed while shown. */
function Talk({ visit }: { visit: Visit }) {
  const state = useSignal(readState(talkFields, visit.parameters));
  const blank = useSignal(false);
  const idle = useSignal(false);
  const problem = useSignal<string | null>(null);
  const root = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const speaker = useMemo(() => new SpeakerWindow(), []);
  const player = useMemo(
    () =>
      new Player(
        () => pictureInks(palette.peek()),
        () => "start",
      ),
    [],
  );
  const classroom = useMemo(() => new Classroom(), []);
  const calm = useMemo(() => matchMedia("(prefers-reduced-motion: reduce)").matches, []);
  const name = sceneNames[state.value.scene - 1];
  const { title: heading, text, run } = scenes[name];
  const isLearning = name === "learn";
  const live = isLearning ? classroom : run === null ? null : player;

  const goTo = (scene: number) => {
    blank.value = false;
    if (scene < 1 || scene > sceneNames.length) return;
    state.value = { ...state.peek(), scene, step: 0 };
  };
  const leave = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    go({ view: "tensor", parameters: new Map() });
  };
  const toggle = () => {
    const shown = sceneNames[state.peek().scene - 1] === "learn" ? classroom : player;
    if (shown.playing.peek()) shown.pause();
    else shown.play();
  };
  const fullScreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void root.current?.requestFullscreen?.();
  };
  const onKey = (event: KeyboardEvent) => {
    const { scene } = state.peek();
    const action = keyAction(event, {
      to: goTo,
      by: (scenes) => goTo(scene + scenes),
      last: sceneNames.length,
      fullScreen,
      toggle,
      notes: showNotes,
      blank: () => {
        blank.value = !blank.peek();
      },
      leave: () => {
        if (blank.peek()) blank.value = false;
        else leave();
      },
    });
    if (!action) return;
    event.preventDefault();
    action();
  };
  const showNotes = () => {
    const opened = speaker.open(state.peek().scene, onKey);
    problem.value = opened ? null : "The browser allows no second window for this page.";
  };

  // A scene whose run is already playing joins it.
  useEffect(() => {
    speaker.show(state.peek().scene);
    if (!isLearning) classroom.pause();
    else if (classroom.frame.peek() === null) void classroom.open(talkLearning, true);
    else classroom.play();
    if (!run) return player.pause();
    const { step } = state.peek();
    player.until = lastSteps[run];
    if (!player.frame.peek() || shownRun.current !== run) {
      shownRun.current = run;
      player.frame.value = null;
      void player.open(talkRuns[run], {
        play: step === 0 && !calm,
        goTo: Math.min(step === 0 && calm ? lastSteps[run] : step, lastSteps[run]),
      });
    } else if (step === 0) player.play();
  }, [run, name]);
  const shownRun = useRef<RunName | null>(null);

  useEffect(() => title.current?.focus(), [name]);
  useEffect(() => {
    const stop = effect(() => {
      const { scene } = state.value;
      const { run } = scenes[sceneNames[scene - 1]];
      const shown = player.frame.value?.step ?? 0;
      const paused = run !== null && !player.playing.value && shown > 0;
      const step = paused ? shown : state.value.step;
      const isLast = run !== null && step === lastSteps[run];
      visit.note(writeState(talkFields, { scene, step: isLast ? 0 : step, layout: "scenes" }));
    });
    const repaint = effect(() => {
      if (palette.value) player.repaint();
    });
    let timer = setTimeout(() => {}, 0);
    const onPointer = () => {
      idle.value = false;
      clearTimeout(timer);
      timer = setTimeout(() => {
        idle.value = document.fullscreenElement !== null;
      }, idleAfter);
    };
    addEventListener("keydown", onKey);
    addEventListener("pointermove", onPointer);
    document.addEventListener("fullscreenchange", onPointer);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("pointermove", onPointer);
      document.removeEventListener("fullscreenchange", onPointer);
      clearTimeout(timer);
      stop();
      repaint();
      speaker.close();
      player.close();
      classroom.close();
    };
  }, []);

  const { scene } = state.value;
  const error = (isLearning ? classroom : player).error.value ?? problem.value;
  return (
    <main class={idle.value ? "talk idle" : "talk"} data-scene={name} ref={root}>
      <h1 ref={title} tabIndex={-1}>
        {heading}
      </h1>
      <div class="scene">
        <SceneBody name={name} frame={player.frame.value} classroom={classroom} />
      </div>
      <p class="text">{text}</p>
      <Misread visit={visit} fields={talkFields} />
      {error && <p role="alert">{error}</p>}
      <nav class="talk-bar" aria-label="Scenes">
        <button
          type="button"
          onClick={() => goTo(scene - 1)}
          disabled={scene === 1}
          aria-label="Previous scene"
        >
          ←
        </button>
        <ol>
          {sceneNames.map((other, i) => (
            <li key={other}>
              <button
                type="button"
                aria-label={`Scene ${i + 1}: ${scenes[other].title}`}
                aria-current={i + 1 === scene ? "step" : undefined}
                onClick={() => goTo(i + 1)}
              />
            </li>
          ))}
        </ol>
        <button
          type="button"
          onClick={() => goTo(scene + 1)}
          disabled={scene === sceneNames.length}
          aria-label="Next scene"
        >
          →
        </button>
        <span class="spacer" />
        {live && <Quiet text={live.playing.value ? "Pause" : "Play"} keyName="P" act={toggle} />}
        <Quiet text="Notes" keyName="N" act={showNotes} />
        <Quiet
          text="Print"
          act={() =>
            go({ view: "talk", parameters: writeState(talkFields, { scene, step: 0, layout: "pages" }) })
          }
        />
        <Quiet text="Full screen" keyName="F" act={fullScreen} />
        <Quiet text="Leave" keyName="Esc" act={leave} />
      </nav>
      {blank.value && <div class="blank" aria-label="Blank: B shows the talk again" role="img" />}
    </main>
  );
}

function Quiet({ text, keyName, act }: { text: string; keyName?: string; act: () => void }) {
  return (
    <button type="button" class="quiet" title={keyName && `Key: ${keyName}`} onClick={act}>
      {text}
    </button>
  );
}
