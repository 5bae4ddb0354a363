import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Ports that a machine for tests is unlikely to use. */
const ports = [26817, 26818];

/** A Slurm of one node, this machine, whose every file is in one folder. Valid for root. */
export class Slurm {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string) {
    this.#folder = folder;
    this.#env = { ...process.env, SLURM_CONF: join(folder, "slurm.conf") };
  }

  /** Starts it, and waits until the node takes jobs. */
  async start(): Promise<void> {
    const at = (name: string) => join(this.#folder, name);
    const node = hostname().split(".")[0];
    for (const name of ["state", "spool", "munge"]) mkdirSync(at(name), { mode: 0o700 });
    writeFileSync(at("munge/key"), randomBytes(1024), { mode: 0o400 });
    const munge = ["key-file", "socket", "pid-file", "log-file", "seed-file"].map(
      (name) => `--${name}=${at(`munge/${name.split("-")[0]}`)}`,
    );
    this.call("/usr/sbin/munged", "--force", ...munge);
    const settings = {
      ClusterName: "test",
      SlurmctldHost: node,
      SlurmctldPort: ports[0],
      SlurmdPort: ports[1],
      AuthType: "auth/munge",
      AuthInfo: `socket=${at("munge/socket")}`,
      SlurmUser: "root",
      SlurmdUser: "root",
      StateSaveLocation: at("state"),
      SlurmdSpoolDir: at("spool"),
      SlurmctldPidFile: at("controller.pid"),
      SlurmdPidFile: at("node.pid"),
      SlurmctldLogFile: at("controller.log"),
      SlurmdLogFile: at("node.log"),
      ProctrackType: "proctrack/linuxproc",
      TaskPlugin: "task/none",
      JobAcctGatherType: "jobacct_gather/none",
      AccountingStorageType: "accounting_storage/none",
      SelectType: "select/cons_tres",
      SelectTypeParameters: "CR_CPU",
      MpiDefault: "none",
      SwitchType: "switch/none",
      SchedulerParameters: "requeue_delay=1,sched_interval=1",
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    lines.push(
      `NodeName=${node} CPUs=2 State=UNKNOWN`,
      `PartitionName=all Nodes=${node} Default=YES State=UP`,
    );
    writeFileSync(at("slurm.conf"), `${lines.join("\n")}\n`);
    this.call("/usr/sbin/slurmctld", "-f", at("slurm.conf"));
    this.call("/usr/sbin/slurmd", "-f", at("slurm.conf"), "-N", node);
    while (!this.call("sinfo", "--noheader", "--format=%T").includes("idle")) await sleep(100);
  }

  /** Runs a program of Slurm's to its end; gives its stdout. */
  call(program: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(program, args, { env: this.#env, encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${status} ${stderr}`);
    return stdout;
  }

  /** Submits a script with these options; gives the number of its job. */
  submit(env: Readonly<Record<string, string>>, ...args: readonly string[]): string {
    const exports = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return this.call("sbatch", "--parsable", `--export=${["ALL", ...exports].join(",")}`, ...args).trim();
  }

  /** The state of every task of a job by its number; without an array at "". */
  states(job: string): ReadonlyMap<string, string> {
    const tasks = this.call("scontrol", "--oneliner", "show", "job", job).trim().split("\n");
    const field = (line: string, name: string) => new RegExp(`\\b${name}=(\\S+)`).exec(line)?.[1] ?? "";
    return new Map(tasks.map((line) => [field(line, "ArrayTaskId"), field(line, "JobState")]));
  }

  /** Waits until no task is waiting or at work. */
  async ended(job: string): Promise<ReadonlyMap<string, string>> {
    for (;;) {
      const states = this.states(job);
      const open = ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED"];
      if (![...states.values()].some((state) => open.includes(state))) return states;
      await sleep(100);
    }
  }

  /** Ends what {@link start} started, by the numbers of the processes. */
  async stop(): Promise<void> {
    for (const name of ["node.pid", "controller.pid", "munge/pid"]) {
      try {
        const pid = Number(readFileSync(join(this.#folder, name), "utf8"));
        process.kill(pid);
        // Until it has ended it writes to its folder. Without an error there is still such a process.
        for (let waited = 0; ; waited++) {
          await sleep(50);
          process.kill(pid, waited > 200 ? "SIGKILL" : 0);
        }
      } catch {
        // It did not start, or has ended.
      }
    }
  }
}
