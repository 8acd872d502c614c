// For a batch too.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_verifyInference","params":["0x6bf98f65a0e2b4063e6e25d4bc5908e69c5e33196a7ee8e49214079a49775aca","0x0"]}
<< {"jsonrpc":"2.0","id":1,"result":{"transactionHash":"0x6bf98f65a0e2b4063e6e25d4bc5908e69c5e33196a7ee8e49214079a49775aca","index":"0x0","modelId":"0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab","ok":true,"inputHash":"0xdf4d8477d0f2ac4c6ff28f6ff1acf30c78cb8eb7c9ab24df8919d5ae921fb92e","outputHash":"0x76c9f120c7c5b751df3217e5e60db1353d851105a77018c3e3ccf07541d7db17","agrees":true}}
