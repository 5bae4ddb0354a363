/** What part of a model a tensor is, in the order of tables and charts: fused kinds follow their parts. */
export const moduleKinds = [
  "q",
  "k",
  "v",
  "qkv",
  "kv",
  "o",
  "gate",
  "up",
  "gate-up",
  "down",
  "expert",
  "router",
  "norm",
  "embedding",
  "head",
  "vision",
  "audio",
  "other",
] as const;
export type ModuleKind = (typeof moduleKinds)[number];
