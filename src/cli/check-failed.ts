/** Thrown if a check fails after its report is written: exit code 3 without a further message. */
export class CheckFailed extends Error {}
