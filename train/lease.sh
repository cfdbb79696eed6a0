#!/usr/bin/env bash
# Trains the family on a lent GPU, one command: `full` first, then the three small ones side by
# side. What comes home lies in OUT, cut into pieces: train/lease.sh unpack OUT here.
#
#   train/lease.sh check A OUT                          right? how fast? A: packed 300w and turned
#   train/lease.sh train A B OUT MINUTES_FULL MINUTES_SMALL IMAGES_FULL IMAGES_SMALL
#   train/lease.sh unpack OUT FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=. PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 OPENCV_FOR_THREADS_NUM=1
python=${PYTHON:-python3} device=${DEVICE:-cuda} workers=${WORKERS:-$(nproc)}
pieces() { tar -C runs/lease -cf - . | split -b 15m -d - "$1/lease.tar."; }

train() { # NAME CONFIG MINUTES IMAGES WORKERS [FLAGS...]
    local name=$1 config=$2 minutes=$3 images=$4 share=$5
    shift 5
    $python -m train.lease train --out "runs/lease/$name" --minutes "$minutes" --device "$device" -- \
        --data "$a/300w" --pseudo-labels "$b/pseudo.npz" \
        --further "$b/ytf68.npz" "$b/heads.npz" "$a/turned.npz" --config "$config" \
        --run-folder "runs/$name" --images "$images" --precision bf16 --in-memory \
        --workers "$share" "$@" >"runs/lease/$name.txt" 2>&1 || echo "$name failed"
    tail -n 4 "runs/lease/$name.txt" | cut -c1-400
}

mkdir -p runs/lease
case $1 in
check)
    $python -m train.lease_check --crops "$2/300w" --json "$3/gpu.json" --device "$device"
    ;;
train)
    a=$2 b=$3 out=$4 full=${CONFIG_FULL:-full}
    if [[ $7 != 0 ]]; then
        train full "$full" "$5" "$7" "$workers"
        pieces "$out"
    fi
    from=()
    third=$((workers > 2 ? workers / 3 : 1))
    small=(--evaluate-every 120000)
    [[ -v CONFIG_SMALL ]] || from=(--start-from train/checkpoints/lite-life-long.safetensors)
    train base "${CONFIG_SMALL:-base}" "$6" "$8" "$third" "${small[@]}" "${from[@]}" &
    train lite "${CONFIG_SMALL:-lite-life-long}" "$6" "$8" "$third" "${small[@]}" "${from[@]}" &
    train nano "${CONFIG_SMALL:-nano}" "$6" "$8" "$third" "${small[@]}" &
    wait
    pieces "$out"
    ;;
unpack)
    mkdir -p "$3"
    cat "$2"/lease.tar.* | tar -C "$3" -xf -
    ;;
esac
