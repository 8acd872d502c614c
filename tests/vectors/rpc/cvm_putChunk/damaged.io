// A chunk that is not the model's is refused, and nothing is kept.
>> {"jsonrpc":"2.0","id":1,"method":"cvm_putChunk","params":["0x0cbd5fb82354990a78d268bc4c5288cb201bb829a047a08dda7936a36416cfef","0x2f","0x0","0x6279746573207468617420736f6d65626f6479206272696e67732c20776869636820617265206e6f206d6f64656c3f",[]]}
<< {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"chunk 0 leads to model 0xe608cad34e34f998a96fb6b24645cf8bb1698395177a61c48f961c7b03a27bc1, not to 0x0cbd5fb82354990a78d268bc4c5288cb201bb829a047a08dda7936a36416cfef"}}
