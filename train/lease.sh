#!/usr/bin/env bash
# Trains networks of the family on a lent GPU. What comes home lies in OUT, cut into pieces.
# DATA is what `train.lease pack` wrote: 300w, pseudo, ytf68, heads, turned; for `lite-free` in
# DATA/free: heads, free_portraits.
#
#   train/lease.sh check DATA OUT                    right? how fast?
#   train/lease.sh train DATA OUT MINUTES NAME...    side by side: nano, lite, base, full, lite-free
#   train/lease.sh unpack OUT FOLDER                 here
#
# Minutes are those of training; loading before and measuring after take three quarters of one. An
# H100 trains nano and lite-free side by side on 3,300 pictures a second each, and `full` alone on
# 1,100 of 128 px and 440 of 256 px.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=. PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 OPENCV_FOR_THREADS_NUM=1
python=${PYTHON:-python3} device=${DEVICE:-cuda} workers=${WORKERS:-$(nproc)} pool=${POOL:-24000}
how=(--precision bf16 --in-memory --by-clock --pool "$pool" --evaluate-every 100000000)
[[ $device != cuda ]] || how+=(--graph)
declare -A recipe=([nano]=nano [lite]=lite-next [base]=base-next [full]=full [lite-free]=lite-free)
saved=train/checkpoints
declare -A begin=([nano]=$saved/nano.safetensors [lite]=$saved/lite-next.safetensors
    [base]=$saved/base-next.safetensors [lite-free]=lite-free)

train() { # NAME DATA OUT MINUTES WORKERS
    local name=$1 data=$2 out=$3
    local faces=(--data "$data/300w" --pseudo-labels "$data/pseudo.npz"
        --further "$data/ytf68.npz" "$data/heads.npz" "$data/turned.npz")
    [[ $name != lite-free ]] ||
        faces=(--data "$data/free/heads" --pseudo-labels "$data/free/free_portraits.npz")
    local from=()
    [[ ! -v begin[$name] || -v CONFIG ]] ||
        from=(--start-from "${begin[$name]}")
    $python -m train.lease train --out "runs/lease/$name" --minutes "$4" --device "$device" -- \
        --config "${CONFIG:-${recipe[$name]}}" --run-folder "runs/$name" --workers "$5" \
        "${how[@]}" "${faces[@]}" "${from[@]}" >"runs/lease/$name.txt" 2>&1 || echo "$name failed"
    tail -n 4 "runs/lease/$name.txt" | cut -c1-600
    mkdir -p "runs/lease/$name"
    tar -C runs/lease -cf - "$name" "$name.txt" | split -b 15m -d - "$out/$name.tar."
}

mkdir -p runs/lease
case $1 in
check)
    $python -m train.lease_check --crops "$2/300w" --json "$3/gpu.json" --device "$device"
    ;;
train)
    data=$2 out=$3 minutes=$4
    shift 4
    share=$((workers / $# > 0 ? workers / $# : 1))
    for name in "$@"; do
        train "$name" "$data" "$out" "$minutes" "$share" &
    done
    wait
    ;;
unpack)
    mkdir -p "$3"
    for first in "$2"/*.tar.00; do cat "${first%00}"* | tar -C "$3" -xf -; done
    ;;
esac
