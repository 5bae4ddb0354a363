/** The probes behind published figures, for comparison only; the exact test is authoritative. */

/** "The Path Not Taken", arXiv 2511.08567, definitions 2.1 and 2.2: a relative tolerance of 1e-3. */
export function pathNotTakenUnchanged(before: number, after: number): boolean {
  return Math.abs(after - before) <= 1e-3 * Math.max(Math.abs(before), Math.abs(after));
}

/** "Reinforcement learning finetunes small subnetworks", arXiv 2505.11711: an absolute tolerance of 1e-5. */
export function smallSubnetworksUnchanged(before: number, after: number): boolean {
  return Math.abs(after - before) <= 1e-5;
}

/** PULSE, arXiv 2602.03839: an update is lost if it is below a 256th of the weight, whatever the format. */
export function ulpRuleLost(weight: number, update: number): boolean {
  return Math.abs(update) < Math.abs(weight) / 256;
}
