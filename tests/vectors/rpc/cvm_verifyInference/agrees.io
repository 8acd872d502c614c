// The definition gives the same bits.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_verifyInference","params":["0x349f9af02b985947739f118cb55ab0b91d0c26e37c787f49fa982aba76c08ee5"]}
<< {"jsonrpc":"2.0","id":1,"result":{"transactionHash":"0x349f9af02b985947739f118cb55ab0b91d0c26e37c787f49fa982aba76c08ee5","index":"0x0","modelId":"0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab","ok":true,"inputHash":"0x8f6a418c9a639f9e14e96feca47a97df2a35a0a68ae2875431c5c80e05536941","outputHash":"0x147b4ba1981a19c7647feb1520f669f5e5679439797c50507f13ce23f15edcad","agrees":true}}
