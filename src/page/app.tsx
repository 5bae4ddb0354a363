import { BlockView } from "./block/block.js";
import { FilesView } from "./data/data.js";
import { LearnView } from "./learn/learn.js";
import type { ViewName } from "./location.js";
import { go, visit } from "./place.js";
import { TalkView } from "./talk/talk.js";
import { TensorView } from "./tensor/tensor.js";
import { theme, toggleTheme } from "./theme.js";
import { WeightView } from "./weight/weight.js";

const tabs: readonly { readonly view: ViewName; readonly label: string }[] = [
  { view: "tensor", label: "A tensor" },
  { view: "weight", label: "One weight" },
  { view: "block", label: "One block" },
  { view: "learn", label: "Does it learn?" },
  { view: "data", label: "Your data" },
  { view: "talk", label: "Talk" },
];

const views = {
  tensor: TensorView,
  weight: WeightView,
  block: BlockView,
  learn: LearnView,
  data: FilesView,
  talk: TalkView,
};

export function App() {
  const { view } = visit.value;
  const View = views[view];
  if (view === "talk") return <View key={visit.value} visit={visit.value} />;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <p class="name">
          <Mark /> precision-lens
        </p>
        <nav aria-label="Views">
          {tabs.map(({ view: name, label }) => (
            <a
              key={name}
              href={`#${name}`}
              aria-current={name === view ? "page" : undefined}
              onClick={(event) => {
                event.preventDefault();
                go({ view: name, parameters: new Map() });
              }}
            >
              {label}
            </a>
          ))}
        </nav>
        <button type="button" class="quiet" onClick={toggleTheme}>
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <View key={visit.value} visit={visit.value} />
      </main>
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="2.5" />
      <path d="M15.5 15.5 22 22" stroke="currentColor" stroke-width="3.5" stroke-linecap="round" />
      <path d="M6 10h8M10 8v4" stroke="currentColor" stroke-width="1.5" />
    </svg>
  );
}
