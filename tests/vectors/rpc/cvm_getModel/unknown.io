// A model that nobody registered is null.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getModel","params":["0x7777777777777777777777777777777777777777777777777777777777777777"]}
<< {"jsonrpc":"2.0","id":1,"result":null}
