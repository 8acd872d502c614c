// A transfer of wei infers nothing.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_traceInference","params":["0xba90f0a710a702e4da67cc592d8cef2f49503cd36f9b657a740a3d6a34dac4f6"]}
<< {"jsonrpc":"2.0","id":1,"result":{"transactionHash":"0xba90f0a710a702e4da67cc592d8cef2f49503cd36f9b657a740a3d6a34dac4f6","blockHash":"0xd02a9d7b3ac61a4a55754d1c6b7c5e3cb0997c811261a50cd1f1a241f4d4b849","blockNumber":"0x9","transactionIndex":"0x5","inferences":[]}}
