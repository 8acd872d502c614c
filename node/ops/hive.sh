#!/bin/bash
# Starts a node as hive (github.com/ethereum/hive, docs/clients.md) starts its clients:
# HIVE_* in the environment, /genesis.json, and blocks in /chain.rlp and /blocks.
# HIVE_ROOT is the folder of those files, "" in a container; HIVE_RUN=echo shows the last command.
set -euo pipefail

root=${HIVE_ROOT:-}
datadir=${HIVE_DATADIR:-$root/hive-data}
genesis=$datadir/genesis.json
read -ra run <<<"${HIVE_RUN:-exec}"
api='admin,cvm,debug,eth,net,trace,txpool,web3'

mkdir -p "$datadir"
python3 -m node.ops.hive_genesis "$root/genesis.json" >"$genesis"
cvm init "$genesis" --datadir "$datadir"

if [[ -f $root/chain.rlp ]]; then
    # hive's chains may end with blocks that a client has to refuse.
    cvm import "$root/chain.rlp" --datadir "$datadir" || echo "chain.rlp: stopped at a block"
fi
if [[ -d $root/blocks ]]; then
    while IFS= read -r block; do
        cvm import "$block" --datadir "$datadir" || echo "$block: refused"
    done < <(find "$root/blocks" -type f -name '*.rlp' | sort -V)
fi

flags=(
    --datadir "$datadir"
    --http.addr 0.0.0.0 --http.port "${HIVE_HTTP_PORT:-8545}" --http.vhosts '*'
    --http.api "$api"
    --ws --ws.addr 0.0.0.0 --ws.port "${HIVE_WS_PORT:-8546}" --ws.origins '*'
    --ws.api "$api"
    --port "${HIVE_P2P_PORT:-30303}"
    --verbosity "${HIVE_LOGLEVEL:-3}"
)
if [[ -n ${HIVE_BOOTNODE:-} ]]; then
    flags+=(--bootnodes "$HIVE_BOOTNODE")
else
    flags+=(--nodiscover)
fi
"${run[@]}" cvm node "${flags[@]}"
