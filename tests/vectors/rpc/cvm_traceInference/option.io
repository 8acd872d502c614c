// An option is misspelt.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_traceInference","params":["0x349f9af02b985947739f118cb55ab0b91d0c26e37c787f49fa982aba76c08ee5",{"node":true}]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid argument 1: unknown option \"node\"; want nodes or index"}}
