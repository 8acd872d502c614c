"""What the cvm_ methods give back."""

from node.rpc.schemas.components import ADDRESS, DATA, GAS, HASH, MODEL, QUANTITY
from node.rpc.schemas.forms import (
    BOOLEAN,
    TEXT,
    Schema,
    array,
    fields,
    nullable,
    one_of_words,
    record,
    ref,
)

INFERENCE_FIELDS = {
    "modelId": HASH,
    "owner": nullable(ADDRESS),
    "gas": GAS,
    **fields(BOOLEAN, ("ok", "hasRun")),
    **fields(HASH, ("inputHash", "outputHash")),
    **fields(QUANTITY, ("index", "royaltyPaid", "inputSize", "outputSize")),
}
PLACE = {
    **fields(HASH, ("transactionHash", "blockHash")),
    **fields(QUANTITY, ("blockNumber", "transactionIndex")),
}
NODE_TRACE = record({"name": TEXT, "opType": TEXT, "outputHash": HASH})
TRACED = record(
    {
        **INFERENCE_FIELDS,
        "input": nullable(DATA),
        "output": nullable(DATA),
        "nodes": nullable(array(NODE_TRACE)),
    }
)

CVM_RESULTS: dict[str, Schema] = {
    "cvm_backends": array(record({"name": TEXT, **fields(BOOLEAN, ("active", "quarantined"))})),
    "cvm_estimateInference": GAS,
    "cvm_getChunk": record(
        {"size": QUANTITY, "index": QUANTITY, "chunk": DATA, "proof": array(HASH)}
    ),
    "cvm_getCommitCertificate": nullable(
        record(
            {
                **fields(QUANTITY, ("height", "round", "signers")),
                **fields(HASH, ("blockHash", "hash")),
                "data": DATA,
                "seals": array(
                    record(
                        {
                            "index": QUANTITY,
                            "validator": nullable(ADDRESS),
                            "seal": ref("Signature"),
                        }
                    )
                ),
            }
        )
    ),
    "cvm_getInferences": array(record({**PLACE, **INFERENCE_FIELDS})),
    "cvm_getModel": nullable(MODEL),
    "cvm_listCertificates": array(
        record(
            {
                **fields(QUANTITY, ("height", "round", "signers")),
                "blockHash": HASH,
                "provenAt": nullable(QUANTITY),
                "data": DATA,
            }
        )
    ),
    "cvm_listEvidence": array(
        record(
            {"validator": ADDRESS, "data": DATA, **fields(QUANTITY, ("code", "height", "round"))}
        )
    ),
    "cvm_listModels": array(MODEL),
    "cvm_missingChunks": array(QUANTITY),
    "cvm_modelInterface": record(
        {
            "inputs": array(ref("TensorValue")),
            "outputs": array(ref("TensorValue")),
            "batchable": BOOLEAN,
        }
    ),
    "cvm_modelStatus": record(
        {
            "status": one_of_words("none", "pending", "active", "expired", "retired"),
            "hasBytes": BOOLEAN,
            "missingChunks": array(QUANTITY),
            "record": nullable(DATA),
            "recordHash": nullable(HASH),
            "refusal": nullable(TEXT),
            "attestations": array(ref("Signature")),
            "activationHeight": nullable(QUANTITY),
        }
    ),
    "cvm_nodeStatus": record(
        {
            "status": TEXT,
            "phase": one_of_words("syncing", "not ready", "ready"),
            **fields(QUANTITY, ("height", "highestHeight", "round")),
            "missingModels": array(HASH),
            "quarantinedBackend": nullable(TEXT),
        }
    ),
    "cvm_putChunk": BOOLEAN,
    "cvm_traceInference": record({**PLACE, "inferences": array(TRACED)}),
    "cvm_verifyInference": record(
        {
            **fields(HASH, ("transactionHash", "modelId", "inputHash", "outputHash")),
            "index": QUANTITY,
            "ok": BOOLEAN,
            "agrees": nullable(BOOLEAN),
        }
    ),
}
