// All three chunks are missing.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_missingChunks","params":["0x7777777777777777777777777777777777777777777777777777777777777777","0x80001"]}
<< {"jsonrpc":"2.0","id":1,"result":["0x0","0x1","0x2"]}
