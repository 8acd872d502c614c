// There is one inference only.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_verifyInference","params":["0x349f9af02b985947739f118cb55ab0b91d0c26e37c787f49fa982aba76c08ee5","0x1"]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"transaction 0x349f9af02b985947739f118cb55ab0b91d0c26e37c787f49fa982aba76c08ee5 has no inference 1"}}
