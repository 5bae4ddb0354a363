export function TalkView() {
  return <p>soon</p>;
}
