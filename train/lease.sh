#!/usr/bin/env bash
# Trains the family on a lent GPU. What comes home lies in OUT, cut into pieces: `unpack` here.
# DATA is what `train.lease pack` wrote: 300w, pseudo, ytf68, heads, turned; FREE likewise.
#
#   train/lease.sh check DATA OUT                 right? how fast?
#   train/lease.sh full DATA OUT MINUTES          `full`, from nothing
#   train/lease.sh small DATA FREE OUT MINUTES    `nano` and `lite-free`, side by side
#   train/lease.sh unpack OUT FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=. PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 OPENCV_FOR_THREADS_NUM=1
python=${PYTHON:-python3} device=${DEVICE:-cuda} workers=${WORKERS:-$(nproc)} pool=${POOL:-24000}
how=(--precision bf16 --in-memory --by-clock --pool "$pool" --evaluate-every 100000000)
[[ $device != cuda ]] || how+=(--graph)

train() { # NAME CONFIG MINUTES WORKERS OUT [FLAGS...]
    local name=$1 config=$2 minutes=$3 share=$4 out=$5
    shift 5
    $python -m train.lease train --out "runs/lease/$name" --minutes "$minutes" \
        --device "$device" -- --config "$config" --run-folder "runs/$name" --workers "$share" \
        "${how[@]}" "$@" >"runs/lease/$name.txt" 2>&1 || echo "$name failed"
    tail -n 4 "runs/lease/$name.txt" | cut -c1-600
    tar -C runs/lease -cf - "$name" "$name.txt" | split -b 15m -d - "$out/$name.tar."
}

mkdir -p runs/lease
case $1 in
check)
    $python -m train.lease_check --crops "$2/300w" --json "$3/gpu.json" --device "$device"
    ;;
full)
    train full "${CONFIG_FULL:-full}" "$4" "$workers" "$3" --data "$2/300w" \
        --pseudo-labels "$2/pseudo.npz" \
        --further "$2/ytf68.npz" "$2/heads.npz" "$2/turned.npz"
    ;;
small)
    half=$((workers > 1 ? workers / 2 : 1)) from=()
    [[ -v CONFIG_SMALL ]] || from=(--start-from train/checkpoints/nano.safetensors)
    train nano "${CONFIG_SMALL:-nano}" "$5" "$half" "$4" --data "$2/300w" \
        --pseudo-labels "$2/pseudo.npz" \
        --further "$2/ytf68.npz" "$2/heads.npz" "$2/turned.npz" "${from[@]}" &
    train lite-free "${CONFIG_SMALL:-lite-free}" "$5" "$half" "$4" --data "$3/heads" \
        --pseudo-labels "$3/free_portraits.npz" &
    wait
    ;;
unpack)
    mkdir -p "$3"
    for first in "$2"/*.tar.00; do cat "${first%00}"* | tar -C "$3" -xf -; done
    ;;
esac
