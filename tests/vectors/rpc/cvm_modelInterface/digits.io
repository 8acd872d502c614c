// What the model takes and gives.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_modelInterface","params":["0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab"]}
<< {"jsonrpc":"2.0","id":1,"result":{"inputs":[{"name":"image","dtype":"uint8","shape":["0x1","0x1","0x1c","0x1c"]}],"outputs":[{"name":"label","dtype":"int64","shape":["0x1"]},{"name":"scores","dtype":"int32","shape":["0x1","0xa"]}],"batchable":true}}
