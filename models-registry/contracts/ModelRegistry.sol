// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice What the registry asks of the validator set.
interface IValidatorSet {
    /// @notice Every validator of this block.
    function validators() external view returns (address[] memory);
}

/// @title Which models contracts may call
/// @notice A model goes PENDING when its owner registers it and ACTIVE when more than two thirds of
/// the validators have signed the same record of it. A system contract of the genesis block: it has
/// no constructor and no immutables, and genesis writes slots 0 to 2.
/// @dev Nodes read the storage directly, so its layout is consensus: new variables go to the end.
contract ModelRegistry {
    /// @notice Where a model stands.
    enum Status {
        NONE,
        PENDING,
        ACTIVE,
        EXPIRED
    }

    /// @dev `activationHeight` is 0 until the record is accepted; `status` is never stored as ACTIVE
    /// (that follows from the height), so a model needs no transaction to become callable.
    struct Entry {
        address owner;
        uint64 size;
        Status status;
        uint64 registeredAt;
        uint64 activationHeight;
        uint64 nonce;
        uint64 royaltyGas;
        bytes32 recordHash;
        string uri;
        bytes record;
    }

    /// @notice A model as of this block.
    struct Model {
        bytes32 modelId;
        address owner;
        uint64 size;
        uint64 royaltyGas;
        string uri;
        uint64 nonce;
        Status status;
        uint64 registeredAt;
        uint64 activationHeight;
        bytes32 recordHash;
        bytes record;
    }

    /// @notice Blocks between a commitment and the registration that opens it.
    uint256 public constant COMMIT_BLOCKS = 2;
    /// @notice Largest model, in bytes.
    uint256 public constant MAX_MODEL_BYTES = 64 << 20;
    /// @notice Bytes of all models that may be PENDING at once.
    uint256 public constant MAX_PENDING_BYTES = 256 << 20;
    /// @notice Models of one owner that may be PENDING at once.
    uint256 public constant MAX_PENDING_PER_OWNER = 4;
    /// @notice Largest royalty per item, in gas; this version pays none.
    uint256 public constant MAX_ROYALTY_GAS = 0;
    /// @notice Longest uri, in bytes.
    uint256 public constant MAX_URI_BYTES = 256;
    /// @notice Longest record, in bytes.
    uint256 public constant MAX_RECORD_BYTES = 512;

    bytes32 private constant DOMAIN_TYPE_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ATTESTATION_TYPE_HASH =
        keccak256("Attestation(bytes32 modelId,uint64 nonce,bytes32 recordHash)");
    /// @dev Half the order of secp256k1: the larger of the two possible `s` is refused (EIP-2).
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Slot 0: the contract that lists the validators.
    address public validatorSet;
    /// @notice Slot 1: blocks between `activate` and the height at which contracts may call the model.
    uint256 public activationDelay;
    /// @notice Slot 2: blocks that a PENDING model has to be activated in.
    uint256 public deadline;
    /// @notice Bytes of all models that are PENDING.
    uint256 public pendingBytes;

    bytes32[] private _modelIds;
    mapping(bytes32 modelId => Entry) private _entries;
    /// @notice The height of a commitment that has not been opened, else 0.
    mapping(bytes32 commitment => uint256) public committedAt;
    /// @notice How many models of an owner are PENDING.
    mapping(address owner => uint256) public pendingOf;

    /// @notice Somebody will register a model, and does not say which yet.
    event Committed(bytes32 indexed commitment, address indexed sender);
    /// @notice A model is PENDING: validators fetch its chunks, check them and sign its record.
    event Registered(
        bytes32 indexed modelId, address indexed owner, uint64 size, string uri, uint64 nonce
    );
    /// @notice A record was accepted; contracts may call the model from `activationHeight` on.
    event Activated(bytes32 indexed modelId, bytes32 recordHash, uint64 activationHeight);
    /// @notice A model was not activated in time.
    event Expired(bytes32 indexed modelId);

    error AlreadyCommitted(bytes32 commitment, uint256 height);
    error NoCommitment(bytes32 commitment);
    error CommitmentTooFresh(bytes32 commitment, uint256 committedHeight, uint256 earliestHeight);
    error BadSize(uint256 given, uint256 max);
    error RoyaltyTooHigh(uint256 given, uint256 max);
    error UriTooLong(uint256 given, uint256 max);
    error RecordTooLong(uint256 given, uint256 max);
    error AlreadyRegistered(bytes32 modelId, Status status);
    error TooManyPendingBytes(uint256 total, uint256 max);
    error TooManyPendingModels(address owner, uint256 max);
    error NotPending(bytes32 modelId, Status status);
    error AlreadyActivated(bytes32 modelId, uint256 activationHeight);
    error DeadlinePassed(bytes32 modelId, uint256 lastHeight);
    error DeadlineNotPassed(bytes32 modelId, uint256 lastHeight);
    error BadSignatureLength(uint256 index, uint256 length);
    error SignatureNotLowS(uint256 index, uint256 s);
    error NotASignature(uint256 index);
    error SignersNotAscending(address previous, address signer);
    error NotValidator(address signer);
    error TooFewSignatures(uint256 given, uint256 validators);
    error NoModelAt(uint256 index, uint256 count);

    /// @notice Reserve a model without naming it, so that nobody can register it ahead of its author.
    /// @param commitment keccak256(abi.encode(modelId, owner, salt)), `owner` being who will register.
    function commit(bytes32 commitment) external {
        uint256 height = committedAt[commitment];
        if (height != 0) revert AlreadyCommitted(commitment, height);
        committedAt[commitment] = block.number;
        emit Committed(commitment, msg.sender);
    }

    /// @notice Open a commitment at least `COMMIT_BLOCKS` later; the sender becomes the owner.
    /// @param modelId SHA-256(0x02 || uint64be(size) || root of the Merkle tree over 256 KiB chunks).
    /// @param size Bytes of the file.
    /// @param royaltyGas Gas per item that goes to the owner; must be 0 in this version.
    /// @param uri Where the file or its description can be read; not used by the chain.
    /// @param salt The secret of the commitment.
    function register(
        bytes32 modelId,
        uint64 size,
        uint64 royaltyGas,
        string calldata uri,
        bytes32 salt
    ) external {
        if (size == 0 || size > MAX_MODEL_BYTES) revert BadSize(size, MAX_MODEL_BYTES);
        if (royaltyGas > MAX_ROYALTY_GAS) revert RoyaltyTooHigh(royaltyGas, MAX_ROYALTY_GAS);
        if (bytes(uri).length > MAX_URI_BYTES) revert UriTooLong(bytes(uri).length, MAX_URI_BYTES);
        _openCommitment(keccak256(abi.encode(modelId, msg.sender, salt)));

        Entry storage entry = _entries[modelId];
        if (entry.status == Status.PENDING) revert AlreadyRegistered(modelId, _statusOf(entry));
        _countPending(msg.sender, size);
        if (entry.status == Status.NONE) _modelIds.push(modelId);
        entry.owner = msg.sender;
        entry.size = size;
        entry.status = Status.PENDING;
        entry.registeredAt = uint64(block.number);
        entry.royaltyGas = royaltyGas;
        entry.nonce += 1;
        entry.uri = uri;
        emit Registered(modelId, msg.sender, size, uri, entry.nonce);
    }

    /// @notice Accept a record that more than two thirds of the validators of this block signed.
    /// @param modelId A PENDING model whose deadline has not passed.
    /// @param record The RLP that was signed; its keccak256 is the record hash.
    /// @param signatures 65 bytes each (r, s, v), the signers' addresses strictly ascending.
    function activate(bytes32 modelId, bytes calldata record, bytes[] calldata signatures) external {
        Entry storage entry = _pendingEntry(modelId);
        uint256 lastHeight = entry.registeredAt + deadline;
        if (block.number > lastHeight) revert DeadlinePassed(modelId, lastHeight);
        if (record.length > MAX_RECORD_BYTES) revert RecordTooLong(record.length, MAX_RECORD_BYTES);
        bytes32 recordHash = keccak256(record);
        _checkSignatures(attestationDigest(modelId, entry.nonce, recordHash), signatures);

        uint64 height = uint64(block.number + activationDelay);
        entry.activationHeight = height;
        entry.recordHash = recordHash;
        entry.record = record;
        _uncountPending(entry.owner, entry.size);
        emit Activated(modelId, recordHash, height);
    }

    /// @notice Give up a model that was not activated in time; anyone may, and it may register again.
    function expire(bytes32 modelId) external {
        Entry storage entry = _pendingEntry(modelId);
        uint256 lastHeight = entry.registeredAt + deadline;
        if (block.number <= lastHeight) revert DeadlineNotPassed(modelId, lastHeight);
        entry.status = Status.EXPIRED;
        _uncountPending(entry.owner, entry.size);
        emit Expired(modelId);
    }

    /// @notice A model as of this block; all zero where nothing was registered.
    function getModel(bytes32 modelId) external view returns (Model memory) {
        Entry storage entry = _entries[modelId];
        return Model({
            modelId: modelId,
            owner: entry.owner,
            size: entry.size,
            royaltyGas: entry.royaltyGas,
            uri: entry.uri,
            nonce: entry.nonce,
            status: _statusOf(entry),
            registeredAt: entry.registeredAt,
            activationHeight: entry.activationHeight,
            recordHash: entry.recordHash,
            record: entry.record
        });
    }

    /// @notice Where a model stands as of this block.
    function status(bytes32 modelId) external view returns (Status) {
        return _statusOf(_entries[modelId]);
    }

    /// @notice How many models were ever registered.
    function modelCount() external view returns (uint256) {
        return _modelIds.length;
    }

    /// @notice A model's id by its place in the order of first registration.
    function modelAt(uint256 index) external view returns (bytes32) {
        uint256 count = _modelIds.length;
        if (index >= count) revert NoModelAt(index, count);
        return _modelIds[index];
    }

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

    function _openCommitment(bytes32 commitment) private {
        uint256 height = committedAt[commitment];
        if (height == 0) revert NoCommitment(commitment);
        uint256 earliest = height + COMMIT_BLOCKS;
        if (block.number < earliest) revert CommitmentTooFresh(commitment, height, earliest);
        delete committedAt[commitment];
    }

    function _countPending(address owner, uint64 size) private {
        uint256 total = pendingBytes + size;
        if (total > MAX_PENDING_BYTES) revert TooManyPendingBytes(total, MAX_PENDING_BYTES);
        if (pendingOf[owner] >= MAX_PENDING_PER_OWNER) {
            revert TooManyPendingModels(owner, MAX_PENDING_PER_OWNER);
        }
        pendingBytes = total;
        pendingOf[owner] += 1;
    }

    function _uncountPending(address owner, uint64 size) private {
        pendingBytes -= size;
        pendingOf[owner] -= 1;
    }

    function _pendingEntry(bytes32 modelId) private view returns (Entry storage entry) {
        entry = _entries[modelId];
        if (entry.status != Status.PENDING) revert NotPending(modelId, entry.status);
        if (entry.activationHeight != 0) revert AlreadyActivated(modelId, entry.activationHeight);
    }

    function _statusOf(Entry storage entry) private view returns (Status) {
        uint256 height = entry.activationHeight;
        return height != 0 && block.number >= height ? Status.ACTIVE : entry.status;
    }

    function _checkSignatures(bytes32 digest, bytes[] calldata signatures) private view {
        address[] memory validators = IValidatorSet(validatorSet).validators();
        if (3 * signatures.length <= 2 * validators.length) {
            revert TooFewSignatures(signatures.length, validators.length);
        }
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = _signer(digest, signatures[i], i);
            if (signer <= previous) revert SignersNotAscending(previous, signer);
            _checkValidator(validators, signer);
            previous = signer;
        }
    }

    function _checkValidator(address[] memory validators, address signer) private pure {
        for (uint256 i = 0; i < validators.length; ++i) {
            if (validators[i] == signer) return;
        }
        revert NotValidator(signer);
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
