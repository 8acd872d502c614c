// What a call with one item is charged.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_estimateInference","params":["0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab","0x1"]}
<< {"jsonrpc":"2.0","id":1,"result":{"base":"0xbb8","load":"0xe2","compute":"0x891","royalty":"0x190","bytes":"0x51","total":"0x170c"}}
