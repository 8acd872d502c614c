// There is no such block.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getInferences","params":[{"toBlock":"0xff"}]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"block range extends beyond current head block: requested 255, head 12"}}
