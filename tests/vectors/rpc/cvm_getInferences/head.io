// None in the newest block.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getInferences","params":[{}]}
<< {"jsonrpc":"2.0","id":1,"result":[]}
