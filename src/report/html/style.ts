import { themeDeclarations } from "../charts/inks.js";

const [light, dark] = [themeDeclarations("light"), themeDeclarations("dark")];

/** The themes: the system's, the chosen one, and always light in print. */
const themes = `
:root{color-scheme:light;${light}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${dark}}}
:root[data-theme=dark]{color-scheme:dark;${dark}}
@media print{:root:root,:root[data-theme]:root,:root:not([data-theme=light]):root{color-scheme:light;${light}}}
`;

/** The style sheet of a report. Figures use the same variables, so they follow the theme. */
export const styleSheet = `${themes}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--surface);color:var(--ink);font:400 1.0625rem/1.55 Inter,"Segoe UI",system-ui,Roboto,"Helvetica Neue",Arial,sans-serif}
h1,h2,h3,p,summary,.bar{overflow-wrap:anywhere}
.number{white-space:nowrap}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 2rem}
header{padding-top:1.5rem}
.bar{display:flex;align-items:center;justify-content:space-between;gap:1rem;color:var(--muted);margin-bottom:3.5rem}
.bar strong{color:var(--ink);font-weight:600}
h1{font-size:clamp(1.6rem,3.4vw,2.6rem);line-height:1.18;letter-spacing:-.022em;font-weight:600;margin:0 0 1.25rem;max-width:44ch;text-wrap:balance}
.lede{font-size:clamp(1.1rem,1.8vw,1.35rem);line-height:1.5;color:var(--muted);margin:0 0 .75rem;max-width:62ch;text-wrap:pretty}
.scores{display:flex;flex-wrap:wrap;gap:1.25rem 2.25rem;margin:1.75rem 0 0;padding:0}
.score{display:flex;flex-direction:column;align-items:center;width:8.5rem;text-align:center}
.score dt{order:2;max-width:100%;overflow-wrap:anywhere;font-weight:600;line-height:1.3;margin-top:.6rem}
.score dd{order:3;margin:0;color:var(--muted);font-size:.92rem;line-height:1.35}
.score .ring{order:1;position:relative;width:6.5rem;height:6.5rem}
.score .ring svg{width:100%;height:100%;transform:rotate(-90deg)}
.score .ring span{position:absolute;inset:0;display:grid;place-content:center;color:var(--ink);font-size:1.15rem;font-weight:600;letter-spacing:-.02em}
.score circle{fill:none;stroke-width:3.2}
.score .all{stroke:var(--grid)}
.score .part{stroke:var(--muted)}
.good .part{stroke:var(--moved-fill)}
.bad .part,.bad .all{stroke:var(--lost-fill)}
.bad .all{stroke-opacity:.22}
.scored{color:var(--muted);font-size:.92rem;margin:1rem 0 1.75rem;max-width:70ch}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(12.5rem,1fr));gap:1rem;margin:2.5rem 0 0;padding:0}
.tile{background:var(--panel);border-radius:.75rem;padding:1.1rem 1.25rem;margin:0;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.tile dt{color:var(--muted);font-size:.95rem;line-height:1.35}
.tile dd{margin:0 0 .15rem;font-size:2rem;line-height:1.2;font-weight:600;letter-spacing:-.02em;overflow-wrap:anywhere}
section{margin:4.5rem 0 0}
h2{font-size:1.75rem;line-height:1.25;letter-spacing:-.015em;font-weight:600;margin:0 0 .4rem;text-wrap:balance}
h3{font-size:1.2rem;line-height:1.35;font-weight:600;margin:0 0 .25rem}
section>p,figcaption p{color:var(--muted);margin:0 0 1rem;max-width:70ch}
section>h3{margin-top:2.25rem}
.scroll+p{margin-top:.75rem}
figure{margin:2rem 0 0;min-width:0}
.picture{contain:content}
figcaption h2,figcaption h3{max-width:52rem}
.picture{overflow-x:auto}
.picture svg{display:block;width:100%;height:auto;min-width:34rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:0 3rem}
.pair figure{display:flex;flex-direction:column}
.pair figcaption{flex:1}
.hint{color:var(--muted);font-size:.92rem;margin:.4rem 0 0}
details{margin-top:.75rem}
summary{cursor:pointer;color:var(--accent);width:fit-content;font-size:.95rem}
.scroll{overflow:auto;max-height:36rem;margin-top:.5rem}
table{border-collapse:collapse;font-size:.92rem;line-height:1.4}
td{font-variant-numeric:tabular-nums}
.plain td{font-variant-numeric:normal}
th,td{padding:.4rem .7rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}
th:first-child,td:first-child{text-align:left;padding-left:0}
tr>:last-child{padding-right:0}
thead th{color:var(--muted);font-weight:600;vertical-align:bottom}
tbody th{font-weight:600}
.plain td{white-space:normal;text-align:left;overflow-wrap:anywhere}
.plain th{white-space:normal;overflow-wrap:anywhere;text-align:left;vertical-align:top;color:var(--muted);font-weight:400;min-width:6rem;padding-left:0;padding-right:2rem}
.plain td{min-width:8rem}
.pair+p{margin-top:1.5rem}
button,select,input{font:inherit;color:var(--ink);background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.4rem .8rem;min-height:2.5rem}
button{cursor:pointer}
select{max-width:100%}
.controls{display:flex;flex-wrap:wrap;gap:1rem;align-items:end;margin:1rem 0}
.controls label{display:grid;gap:.25rem;color:var(--muted);font-size:.92rem}
.controls input{width:min(22rem,80vw)}
.controls output{color:var(--muted);margin-left:auto}
.tensors{height:min(70vh,44rem);overflow:auto;contain:strict;border:1px solid var(--grid);border-radius:.75rem;overflow-anchor:none}
.tensors table{width:100%;min-width:70rem;font-size:.86rem;table-layout:fixed;line-height:1.2}
.tensors thead th{position:sticky;top:0;background:var(--panel);z-index:1;padding:0;border-bottom:1px solid var(--line)}
.tensors thead button{width:100%;border:0;border-radius:0;background:none;padding:.6rem .5rem;text-align:inherit;font-weight:600;color:inherit;white-space:normal;line-height:1.2;font-size:.78rem}
.tensors thead button:focus-visible{outline-offset:-3px}
.tensors [aria-sort=ascending] button::after{content:" ↑"}
.tensors [aria-sort=descending] button::after{content:" ↓"}
.tensors tbody tr{height:34px}
.tensors tbody td,.tensors tbody th{padding:0 .5rem;height:34px;overflow:hidden;text-overflow:ellipsis;font-weight:400}
.tensors tr>:nth-child(-n+3){text-align:left}
.tensors tbody tr>:first-child,.tensors th:first-child button{padding-left:1rem}
.tensors tbody tr>:last-child,.tensors th:last-child button{padding-right:1rem}
.tensors .space td{padding:0;border:0}
pre{background:var(--panel);border-radius:.75rem;padding:1rem 1.25rem;overflow-x:auto;font:400 .95rem/1.6 ui-monospace,"Cascadia Mono",Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
pre span{display:inline-block;max-width:100%}
footer{color:var(--muted);padding-top:3rem;padding-bottom:4rem}
[hidden]{display:none!important}
@media (max-width:40rem){header,main,footer{padding-left:1rem;padding-right:1rem}.bar{margin-bottom:2rem}section{margin-top:3rem}}
@media print{
@page{margin:14mm}
html{font-size:62%}
.tiles{grid-template-columns:repeat(4,1fr)}
header,main,footer{max-width:none;padding:0}
.score{break-inside:avoid}
.bar button,.controls,.hint,noscript{display:none}
section{margin-top:2rem}
figure,.tile,tr{break-inside:avoid}
h2,h3,figcaption{break-after:avoid}
.picture svg{min-width:0}
.tensors,.scroll{contain:none;height:auto;max-height:none;overflow:visible;border:0}
.tensors table{min-width:0;font-size:7.5pt}
.tensors thead th{position:static}
.tensors thead button,.tensors tbody td,.tensors tbody th{padding:.15rem .3rem;white-space:normal;height:auto}
.tensors tbody tr{height:auto}
summary{display:none}
}
`;
