/** What was checked is not right: no error of the command, which has said so; exit code 3. */
export class CheckFailed extends Error {}
