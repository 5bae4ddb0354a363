/** A check that was made, told, and not passed: exit code 3, and nothing more to say. */
export class CheckFailed extends Error {}
