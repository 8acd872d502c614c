// No such transaction.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_traceInference","params":["0x7777777777777777777777777777777777777777777777777777777777777777"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"transaction 0x7777777777777777777777777777777777777777777777777777777777777777 not found"}}
