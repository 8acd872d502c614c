// A stranger sent none.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_getInferences","params":[{"fromBlock":"0x1","from":"0x45de2eddbe199f4fe133b728a40e8ed516d1b015"}]}
<< {"jsonrpc":"2.0","id":1,"result":[]}
