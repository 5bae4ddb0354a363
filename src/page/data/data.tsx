export function FilesView() {
  return <p>soon</p>;
}
