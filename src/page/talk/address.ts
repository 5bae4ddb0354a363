/** Where this talk is to be found, as `serve --url` tells; null where it was told nothing. */
export const address =
  document.querySelector<HTMLMetaElement>("meta[name=precision-lens-address]")?.content ?? null;
