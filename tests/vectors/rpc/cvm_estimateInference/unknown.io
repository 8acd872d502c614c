// There is no such model.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_estimateInference","params":["0x7777777777777777777777777777777777777777777777777777777777777777","0x1"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"model 0x7777777777777777777777777777777777777777777777777777777777777777 is not registered; see cvm_listModels"}}
