// The bytes of this id are not here.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getChunk","params":["0x7777777777777777777777777777777777777777777777777777777777777777","0x0"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32010,"message":"model data not available: 0x7777777777777777777777777777777777777777777777777777777777777777"}}
