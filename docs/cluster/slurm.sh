#!/bin/bash
#SBATCH --job-name=precision-lens
#SBATCH --cpus-per-task=2
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A-%a.log
# One shard of a command for each task of an array. To submit:
#   sbatch --array=0-7 slurm.sh PARTS 8 diff BASE TUNED
# PARTS is a folder that all nodes see; 8 the number of shards, also where only some of them are run again.
set -euo pipefail
parts=$1
shards=$2
shift 2
mkdir -p "$parts"
part=$parts/$SLURM_ARRAY_TASK_ID
case $1 in
  run | diff) resume=(--resume "$part.progress") ;;
  *) resume=() ;;
esac
exec ${PRECISION_LENS:-precision-lens} "$@" --shard "auto/$shards" --threads "${SLURM_CPUS_PER_TASK:-1}" \
  "${resume[@]}" --quiet --json "$part.json"
