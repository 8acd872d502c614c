// What did not run is not compared.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_verifyInference","params":["0x2a09bc40619f1e494258a7a61d5e559ba71acbfc814902c6370a3d05da67cb13"]}
<< {"jsonrpc":"2.0","id":1,"result":{"transactionHash":"0x2a09bc40619f1e494258a7a61d5e559ba71acbfc814902c6370a3d05da67cb13","index":"0x0","modelId":"0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab","ok":false,"inputHash":"0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","outputHash":"0xa54e11aa97765d67dc2c0013c425bf3d904dd420ba77f728f2bab273c1549436","agrees":null}}
