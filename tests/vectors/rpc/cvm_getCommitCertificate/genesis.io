// Nobody sealed block 0.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getCommitCertificate","params":["0x0"]}
<< {"jsonrpc":"2.0","id":1,"result":null}
