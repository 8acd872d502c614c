#!/bin/sh
# Classify an image with cast (Foundry): classify.sh CONTRACT IMAGE.hex
set -eu
rpc=${CVM_RPC:-http://127.0.0.1:8545}
# The first account of `cvm dev`. Its key is public: never send it anything of value.
key=${CVM_KEY:-0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80}
contract=$1
image=$(cat "$2")

echo "preview $(cast call --rpc-url "$rpc" "$contract" 'preview(bytes)(uint256)' "$image")"
cast send --rpc-url "$rpc" --private-key "$key" "$contract" 'classify(bytes)' "$image" > /dev/null
echo "stored $(cast call --rpc-url "$rpc" "$contract" 'lastLabel()(uint256)')"
