// Brings a file of one chunk, which is here then.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_putChunk","params":["0x0cbd5fb82354990a78d268bc4c5288cb201bb829a047a08dda7936a36416cfef","0x2f","0x0","0x6279746573207468617420736f6d65626f6479206272696e67732c20776869636820617265206e6f206d6f64656c0a",[]]}
<< {"jsonrpc":"2.0","id":1,"result":true}
>> {"jsonrpc":"2.0","id":2,"method":"cvm_modelStatus","params":["0x0cbd5fb82354990a78d268bc4c5288cb201bb829a047a08dda7936a36416cfef","0x2f"]}
<< {"jsonrpc":"2.0","id":2,"result":{"status":"none","hasBytes":true,"missingChunks":[],"record":null,"recordHash":null,"refusal":null,"attestations":[],"activationHeight":null}}
>> {"jsonrpc":"2.0","id":3,"method":"cvm_getChunk","params":["0x0cbd5fb82354990a78d268bc4c5288cb201bb829a047a08dda7936a36416cfef","0x0"]}
<< {"jsonrpc":"2.0","id":3,"result":{"size":"0x2f","index":"0x0","chunk":"0x6279746573207468617420736f6d65626f6479206272696e67732c20776869636820617265206e6f206d6f64656c0a","proof":[]}}
