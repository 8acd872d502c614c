// The bytes of the model lie here.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_modelStatus","params":["0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab"]}
<< {"jsonrpc":"2.0","id":1,"result":{"status":"active","hasBytes":true,"missingChunks":[],"record":null,"recordHash":null,"refusal":null,"attestations":[],"activationHeight":"0x5"}}
