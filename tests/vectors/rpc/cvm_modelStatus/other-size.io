// The registry knows another size.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_modelStatus","params":["0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab","0x1"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid argument 1: size 1, but model 0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab is registered with 7219 bytes"}}
