// A batch has an item at least.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_estimateInference","params":["0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab","0x0"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid argument 1: batch 0; this model takes 1 to 4096"}}
