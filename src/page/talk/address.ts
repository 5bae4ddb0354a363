/** The public address of this talk, from `serve --url`; null if not given. */
export const address =
  document.querySelector<HTMLMetaElement>("meta[name=precision-lens-address]")?.content ?? null;
