// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {StrictRlp} from "./StrictRlp.sol";
import {IValidatorSet} from "./IValidatorSet.sol";
import {ValidatorSeats} from "./ValidatorSeats.sol";

/// @title Who signed two votes where one may be signed
/// @notice A vote is signed as keccak256(0x19 || "cvm-qbft" || chainId || genesisHash || code || payload),
/// so that no vote is evidence on another chain. The genesis hash cannot lie in genesis; it is
/// taken from EIP-2935's contract while that still knows it.
abstract contract VoteEvidence is ValidatorSeats {
    uint8 private constant _PROPOSAL = 0x12;
    uint8 private constant _PREPARE = 0x13;
    uint8 private constant _COMMIT = 0x14;
    uint8 private constant _ROUND_CHANGE = 0x15;

    uint256 private constant _SIGNATURE_BYTES = 65;
    /// @dev What `v` counts from in Ethereum's signatures; votes have 0 or 1.
    uint8 private constant _FIRST_V = 27;
    address private constant _BLOCK_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev How many heights back EIP-2935's contract knows.
    uint256 private constant _KNOWN_HASHES = 8191;

    /// @dev What two votes may not differ in, but for the digest, which they must not share.
    struct Vote {
        uint256 height;
        uint256 round;
        bytes32 digest;
    }

    /// @inheritdoc IValidatorSet
    function recordGenesisHash() external override {
        if (genesisHash == 0 && !_recordGenesisHash()) {
            revert GenesisHashGone(block.number, _KNOWN_HASHES);
        }
    }

    /// @dev Keep block 0's hash if it is not kept yet; returns whether it is kept now.
    function _recordGenesisHash() internal returns (bool) {
        if (genesisHash != 0) return true;
        (bool ok, bytes memory answer) = _BLOCK_HASHES.staticcall(abi.encode(0));
        if (!ok || answer.length != 32 || bytes32(answer) == 0) return false;
        genesisHash = bytes32(answer);
        emit GenesisHashRecorded(bytes32(answer));
        return true;
    }

    /// @dev Return who signed both votes, and the one of them; reverts unless they are evidence.
    function _doubleSigner(
        uint8 code,
        bytes calldata payloadA,
        bytes calldata signatureA,
        bytes calldata payloadB,
        bytes calldata signatureB
    ) internal view returns (address signer, Vote memory vote) {
        vote = _readVote(code, payloadA);
        Vote memory other = _readVote(code, payloadB);
        if (vote.height != other.height || vote.round != other.round) {
            revert NotOneRound(vote.height, vote.round, other.height, other.round);
        }
        if (vote.digest == other.digest) revert SameDigest(vote.digest);
        signer = _signerOf(code, payloadA, signatureA);
        address otherSigner = _signerOf(code, payloadB, signatureB);
        if (signer != otherSigner) revert NotOneSigner(signer, otherSigner);
    }

    function _signerOf(uint8 code, bytes calldata payload, bytes calldata signature)
        private
        view
        returns (address)
    {
        bytes32 digest = keccak256(
            abi.encodePacked(hex"19", "cvm-qbft", block.chainid, genesisHash, code, payload)
        );
        if (signature.length != _SIGNATURE_BYTES || uint8(signature[64]) > 1) {
            revert BadSignature(digest);
        }
        (address signer, ECDSA.RecoverError error,) = ECDSA.tryRecover(
            digest,
            _FIRST_V + uint8(signature[64]),
            bytes32(signature[:32]),
            bytes32(signature[32:64])
        );
        if (error != ECDSA.RecoverError.NoError) revert BadSignature(digest);
        return signer;
    }

    /// @dev Every form is [height, round, ...]; the digest is the hash of the block voted for.
    function _readVote(uint8 code, bytes calldata payload) private pure returns (Vote memory vote) {
        StrictRlp.Item memory whole = StrictRlp.read(payload, 0, payload.length);
        if (!whole.isList || whole.end != payload.length) revert BadVote(0);
        uint256 end = whole.end;
        uint256 next;
        (vote.height, next) = StrictRlp.readUint64(payload, whole.start, end);
        (vote.round, next) = StrictRlp.readUint64(payload, next, end);
        if (code == _PROPOSAL) {
            (vote.digest, next) = _blockHash(payload, next, end);
        } else if (code == _ROUND_CHANGE) {
            (vote.digest, next) = _preparedHash(payload, next, end);
        } else if (code == _PREPARE || code == _COMMIT) {
            (vote.digest, next) = StrictRlp.readBytes32(payload, next, end);
            if (code == _COMMIT) next = _skipSeal(payload, next, end);
        } else {
            revert BadVoteCode(code);
        }
        if (next != end) revert BadVote(next);
    }

    /// @dev A block is [header, ...]; its hash is the header's.
    function _blockHash(bytes calldata payload, uint256 offset, uint256 end)
        private
        pure
        returns (bytes32, uint256)
    {
        StrictRlp.Item memory whole = StrictRlp.read(payload, offset, end);
        if (!whole.isList) revert BadVote(offset);
        StrictRlp.Item memory header = StrictRlp.read(payload, whole.start, whole.end);
        if (!header.isList) revert BadVote(whole.start);
        return (keccak256(payload[whole.start:header.end]), whole.end);
    }

    /// @dev [preparedRound, digest], or [] of who prepared nothing: that counts as digest 0.
    function _preparedHash(bytes calldata payload, uint256 offset, uint256 end)
        private
        pure
        returns (bytes32 digest, uint256)
    {
        StrictRlp.Item memory prepared = StrictRlp.read(payload, offset, end);
        if (!prepared.isList) revert BadVote(offset);
        if (prepared.start != prepared.end) {
            (, uint256 next) = StrictRlp.readUint64(payload, prepared.start, prepared.end);
            (digest, next) = StrictRlp.readBytes32(payload, next, prepared.end);
            if (next != prepared.end) revert BadVote(next);
        }
        return (digest, prepared.end);
    }

    function _skipSeal(bytes calldata payload, uint256 offset, uint256 end)
        private
        pure
        returns (uint256)
    {
        StrictRlp.Item memory item = StrictRlp.read(payload, offset, end);
        if (item.isList || item.end - item.start != _SIGNATURE_BYTES) revert BadVote(offset);
        return item.end;
    }
}
