// There is no such block.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getCommitCertificate","params":["0xff"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"header not found"}}
