// An id has 32 bytes.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getModel","params":["0x72ac"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid argument 0: hex string has length 4, want 64 for common.Hash"}}
