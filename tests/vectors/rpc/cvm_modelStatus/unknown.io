// Nothing is known of this id.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_modelStatus","params":["0x7777777777777777777777777777777777777777777777777777777777777777","0x80001"]}
<< {"jsonrpc":"2.0","id":1,"result":{"status":"none","hasBytes":false,"missingChunks":["0x0","0x1","0x2"],"record":null,"recordHash":null,"refusal":null,"attestations":[],"activationHeight":null}}
