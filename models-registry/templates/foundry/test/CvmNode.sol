// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../src/CVM.sol";
import {vm} from "./Vm.sol";

/// @title Lets forge's own EVM run models
/// @notice forge knows no INFER: this code, put at the precompiles' addresses, asks the node for the
/// answer (eth_call), so that a test sees what the chain would give.
/// @dev Where the model refuses, the call reverts with forge's words, not with the model's selector.
contract CvmNode {
    fallback(bytes calldata input) external returns (bytes memory) {
        string memory params = string.concat(
            '[{"to":"', vm.toString(address(this)), '","data":"', vm.toString(input), '"},"latest"]'
        );
        return vm.rpc("cvm", "eth_call", params);
    }
}

/// @dev Put the code at the addresses of INFER and MODELINFO: call it in `setUp`.
function connectModels() {
    bytes memory code = type(CvmNode).runtimeCode;
    vm.etch(CVM.INFER, code);
    vm.etch(CVM.MODELINFO, code);
    vm.allowCheatcodes(CVM.INFER);
    vm.allowCheatcodes(CVM.MODELINFO);
}
