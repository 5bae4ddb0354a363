/** Writes docs/library.md: `npm run library`. */
import { writeFileSync } from "node:fs";
import { libraryPage } from "./page.js";

writeFileSync(new URL("../../docs/library.md", import.meta.url), libraryPage());
