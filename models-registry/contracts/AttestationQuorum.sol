// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IValidatorSet} from "./IValidatorSet.sol";
import {RegistryParameters} from "./RegistryParameters.sol";

/// @title Whether more than two thirds of the validators signed a record
/// @notice Holds the EIP-712 form of an attestation; keeps no state of its own.
abstract contract AttestationQuorum is RegistryParameters {
    bytes32 private constant DOMAIN_TYPE_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ATTESTATION_TYPE_HASH =
        keccak256("Attestation(bytes32 modelId,uint64 nonce,bytes32 recordHash)");
    /// @dev Half the order of secp256k1: the larger of the two possible `s` is refused (EIP-2).
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    error BadSignatureLength(uint256 index, uint256 length);
    error SignatureNotLowS(uint256 index, uint256 s);
    error NotASignature(uint256 index);
    error SignersNotInOrder(address signer, uint256 index);
    error NotValidator(address signer);
    error TooFewSignatures(uint256 given, uint256 validators);

    /// @notice What a validator signs (EIP-712): one record of one registration on this chain.
    function attestationDigest(bytes32 modelId, uint64 nonce, bytes32 recordHash)
        public
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN_TYPE_HASH,
                keccak256("ModelRegistry"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
        bytes32 message = keccak256(abi.encode(ATTESTATION_TYPE_HASH, modelId, nonce, recordHash));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    /// @dev Reverts unless more than two thirds of the validators of this block signed the digest.
    function _checkSignatures(bytes32 digest, bytes[] calldata signatures) internal view {
        address[] memory validators = IValidatorSet(validatorSet).validators();
        if (3 * signatures.length <= 2 * validators.length) {
            revert TooFewSignatures(signatures.length, validators.length);
        }
        uint256 next = 0;
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = _signer(digest, signatures[i], i);
            uint256 index = _indexFrom(validators, next, signer);
            if (index == validators.length) _refuse(validators, signer);
            next = index + 1;
        }
    }

    /// @dev Signatures come in the order of turns, so that one pass over both lists finds them all.
    function _indexFrom(address[] memory validators, uint256 start, address signer)
        private
        pure
        returns (uint256 index)
    {
        for (index = start; index < validators.length; ++index) {
            if (validators[index] == signer) return index;
        }
    }

    function _refuse(address[] memory validators, address signer) private pure {
        uint256 index = _indexFrom(validators, 0, signer);
        if (index == validators.length) revert NotValidator(signer);
        revert SignersNotInOrder(signer, index);
    }

    function _signer(bytes32 digest, bytes calldata signature, uint256 index)
        private
        pure
        returns (address signer)
    {
        if (signature.length != 65) revert BadSignatureLength(index, signature.length);
        uint256 s = uint256(bytes32(signature[32:64]));
        if (s > MAX_S) revert SignatureNotLowS(index, s);
        signer = ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(s));
        if (signer == address(0)) revert NotASignature(index);
    }
}
