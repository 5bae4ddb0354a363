export function WeightView() {
  return <p>soon</p>;
}
