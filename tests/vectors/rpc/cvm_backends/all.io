// Which of them runs is this node's choice.
// speconly: true
>> {"jsonrpc":"2.0","id":1,"method":"cvm_backends","params":[]}
<< {"jsonrpc":"2.0","id":1,"result":[{"name":"reference","active":true,"quarantined":false},{"name":"cpu","active":false,"quarantined":false},{"name":"cuda","active":false,"quarantined":false}]}
