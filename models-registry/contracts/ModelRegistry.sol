// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {AttestationQuorum} from "./AttestationQuorum.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

/// @title Which models contracts may call, and who owns them
/// @notice A model goes PENDING when its owner registers it, with a deposit and a fee, and ACTIVE when
/// more than two thirds of the validators have signed the same record of it. It is an ERC-721 token
/// whose id is the model's; its owner earns the royalty of every inference, and may retire it.
/// @dev A system contract of the genesis block: no constructor runs, there are no immutables, and
/// genesis writes the parameters. Nodes read the storage directly, so its layout is consensus: new
/// variables go to the end.
contract ModelRegistry is
    IModelRegistry,
    AttestationQuorum,
    ERC721("", ""),
    ERC2981,
    ReentrancyGuardTransient
{
    /// @dev `status` is NONE, PENDING or EXPIRED; ACTIVE and RETIRED follow from the heights, so that
    /// neither needs a transaction. Both heights are 0 until they are known. The owner of the token is
    /// the owner of the model.
    struct Entry {
        uint64 activationHeight;
        uint64 retirementHeight;
        uint64 royaltyGas;
        uint64 nextRoyaltyGas;
        uint64 royaltyHeight;
        uint64 size;
        uint64 registeredAt;
        uint32 nonce;
        Status status;
        uint256 deposit;
        bytes32 recordHash;
        string uri;
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
    /// @notice Bytes of all models that may be ACTIVE at once.
    uint256 public constant MAX_ACTIVE_BYTES = 64 << 30;
    /// @notice A royalty is at most the compute gas of an item divided by this.
    uint256 public constant COMPUTE_PER_ROYALTY = 4;
    /// @notice Largest royalty on a resale of the token, in hundredths of a per cent.
    uint256 public constant MAX_RESALE_BASIS_POINTS = 1_000;
    /// @notice Longest uri, in bytes.
    uint256 public constant MAX_URI_BYTES = 256;
    /// @notice Longest record, in bytes.
    uint256 public constant MAX_RECORD_BYTES = 512;

    /// @dev A model id is SHA-256(prefix || size || root), the size as 8 bytes.
    bytes1 private constant MODEL_PREFIX = 0x02;
    /// @dev The precompile that answers MODELINFO: modelId || field gives 32 bytes.
    address private constant MODEL_INFO = 0x0000000000000000000000000000000000000C01;
    uint256 private constant COMPUTE_GAS_FIELD = 1;

    /// @notice Bytes of all models that are PENDING and not activated.
    uint256 public pendingBytes;
    /// @notice Bytes of all models that are activated and not retiring.
    uint256 public activeBytes;
    bytes32[] private _modelIds;
    mapping(bytes32 modelId => Entry) private _entries;
    /// @notice The height of a commitment that has not been opened, else 0.
    mapping(bytes32 commitment => uint256) public committedAt;
    /// @notice How many models of an owner are PENDING and not activated.
    mapping(address owner => uint256) public pendingOf;
    /// @notice Wei of deposits given back that an account may withdraw.
    mapping(address owner => uint256) public refunds;

    /// @inheritdoc IModelRegistry
    function commit(bytes32 commitment) external {
        uint256 height = committedAt[commitment];
        if (height != 0) revert AlreadyCommitted(commitment, height);
        committedAt[commitment] = block.number;
        emit Committed(commitment, msg.sender);
    }

    /// @inheritdoc IModelRegistry
    function register(
        bytes32 modelId,
        uint64 size,
        uint64 royaltyGas,
        string calldata uri,
        bytes32 salt
    ) external payable {
        if (size == 0 || size > MAX_MODEL_BYTES) revert BadSize(size, MAX_MODEL_BYTES);
        if (bytes(uri).length > MAX_URI_BYTES) revert UriTooLong(bytes(uri).length, MAX_URI_BYTES);
        uint256 deposit = size * depositPerByte;
        uint256 fee = size * feePerByte;
        if (msg.value != deposit + fee) revert WrongPayment(msg.value, deposit + fee);
        _openCommitment(keccak256(abi.encode(modelId, msg.sender, salt)));

        uint32 nonce = _makePending(modelId, size, deposit);
        Entry storage entry = _entries[modelId];
        entry.royaltyGas = royaltyGas;
        entry.nextRoyaltyGas = royaltyGas;
        entry.uri = uri;
        _mint(msg.sender, uint256(modelId));
        emit Registered(modelId, msg.sender, size, royaltyGas, uri, nonce, deposit, fee);
        _pay(address(0), fee);
    }

    /// @inheritdoc IModelRegistry
    function activate(bytes32 modelId, bytes calldata record, bytes[] calldata signatures) external {
        Entry storage entry = _pendingEntry(modelId);
        uint256 lastHeight = entry.registeredAt + deadline;
        if (block.number > lastHeight) revert DeadlinePassed(modelId, lastHeight);
        if (record.length > MAX_RECORD_BYTES) revert RecordTooLong(record.length, MAX_RECORD_BYTES);
        bytes32 recordHash = keccak256(record);
        _checkSignatures(attestationDigest(modelId, entry.nonce, recordHash), signatures);

        uint256 total = activeBytes + entry.size;
        if (total > MAX_ACTIVE_BYTES) revert TooManyActiveBytes(total, MAX_ACTIVE_BYTES);
        activeBytes = total;
        _uncountPending(_ownerOf(uint256(modelId)), entry.size);
        uint64 height = uint64(block.number + activationDelay);
        entry.activationHeight = height;
        entry.recordHash = recordHash;
        entry.record = record;
        emit Activated(modelId, recordHash, height, record);
    }

    /// @inheritdoc IModelRegistry
    function expire(bytes32 modelId) external {
        Entry storage entry = _pendingEntry(modelId);
        uint256 lastHeight = entry.registeredAt + deadline;
        if (block.number <= lastHeight) revert DeadlineNotPassed(modelId, lastHeight);
        _expire(modelId, entry);
    }

    /// @inheritdoc IModelRegistry
    /// @dev No validator signs such a registration: without this, the price of a byte would keep a
    /// model of any size out until the deadline.
    function refute(bytes32 modelId, uint64 size, bytes32 root) external {
        Entry storage entry = _pendingEntry(modelId);
        if (size == entry.size || sha256(abi.encodePacked(MODEL_PREFIX, size, root)) != modelId) {
            revert SizeNotRefuted(modelId, entry.size);
        }
        _expire(modelId, entry);
    }

    /// @inheritdoc IModelRegistry
    function retire(bytes32 modelId) external {
        address owner = _requireOwned(uint256(modelId));
        _checkAuthorized(owner, msg.sender, uint256(modelId));
        Entry storage entry = _activeEntry(modelId);
        if (entry.retirementHeight != 0) revert AlreadyRetiring(modelId, entry.retirementHeight);
        uint64 height = uint64(block.number + retirementDelay);
        entry.retirementHeight = height;
        activeBytes -= entry.size;
        uint256 deposit = _refund(entry, owner);
        emit Retired(modelId, owner, height, deposit);
    }

    /// @inheritdoc IModelRegistry
    function setRoyalty(bytes32 modelId, uint64 royaltyGas) external {
        _checkOwner(modelId);
        Entry storage entry = _activeEntry(modelId);
        uint256 max = _computeGas(modelId) / COMPUTE_PER_ROYALTY;
        if (royaltyGas > max) revert RoyaltyTooHigh(royaltyGas, max);
        uint64 height = uint64(block.number + royaltyDelay);
        entry.royaltyGas = _royaltyOf(entry);
        entry.nextRoyaltyGas = royaltyGas;
        entry.royaltyHeight = height;
        emit RoyaltySet(modelId, royaltyGas, height);
    }

    /// @inheritdoc IModelRegistry
    function setResaleRoyalty(bytes32 modelId, address receiver, uint96 basisPoints) external {
        _checkOwner(modelId);
        if (basisPoints > MAX_RESALE_BASIS_POINTS) {
            revert ResaleRoyaltyTooHigh(basisPoints, MAX_RESALE_BASIS_POINTS);
        }
        if (basisPoints == 0) {
            receiver = address(0);
            _resetTokenRoyalty(uint256(modelId));
        } else {
            _setTokenRoyalty(uint256(modelId), receiver, basisPoints);
        }
        emit ResaleRoyaltySet(modelId, receiver, basisPoints);
    }

    /// @inheritdoc IModelRegistry
    function withdraw(address payable to) external nonReentrant {
        uint256 amount = refunds[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        refunds[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        _pay(to, amount);
    }

    /// @inheritdoc IModelRegistry
    function getModel(bytes32 modelId) external view returns (Model memory model) {
        Entry storage entry = _entries[modelId];
        model.modelId = modelId;
        model.owner = _ownerOf(uint256(modelId));
        model.size = entry.size;
        model.royaltyGas = _royaltyOf(entry);
        model.uri = entry.uri;
        model.nonce = entry.nonce;
        model.status = _statusOf(entry);
        model.registeredAt = entry.registeredAt;
        model.activationHeight = entry.activationHeight;
        model.retirementHeight = entry.retirementHeight;
        model.nextRoyaltyGas = entry.nextRoyaltyGas;
        model.royaltyHeight = entry.royaltyHeight;
        model.deposit = entry.deposit;
        model.recordHash = entry.recordHash;
        model.record = entry.record;
    }

    /// @inheritdoc IModelRegistry
    function status(bytes32 modelId) external view returns (Status) {
        return _statusOf(_entries[modelId]);
    }

    /// @inheritdoc IModelRegistry
    function modelCount() external view returns (uint256) {
        return _modelIds.length;
    }

    /// @inheritdoc IModelRegistry
    function modelAt(uint256 index) external view returns (bytes32) {
        uint256 count = _modelIds.length;
        if (index >= count) revert NoModelAt(index, count);
        return _modelIds[index];
    }

    /// @notice The collection's name (ERC-721).
    function name() public pure override returns (string memory) {
        return "CVM Models";
    }

    /// @notice The collection's symbol (ERC-721).
    function symbol() public pure override returns (string memory) {
        return "MODEL";
    }

    /// @notice The uri that the model was registered with (ERC-721).
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        return _entries[bytes32(tokenId)].uri;
    }

    /// @notice ERC-165: ERC-721 with its metadata, and ERC-2981.
    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(ERC721, ERC2981)
        returns (bool)
    {
        return super.supportsInterface(interfaceId);
    }

    /// @dev A PENDING token stays with who registered it: `pendingOf` counts by owner. The registry can
    /// do nothing with a token or with wei, so it is given none.
    function _update(address to, uint256 tokenId, address auth)
        internal
        override
        returns (address from)
    {
        from = super._update(to, tokenId, auth);
        if (from == address(0) || to == address(0)) return from;
        bytes32 modelId = bytes32(tokenId);
        Status current = _statusOf(_entries[modelId]);
        if (current == Status.PENDING) revert NotTransferable(modelId, current);
        if (to == address(this)) revert ERC721InvalidReceiver(to);
    }

    function _openCommitment(bytes32 commitment) private {
        uint256 height = committedAt[commitment];
        if (height == 0) revert NoCommitment(commitment);
        uint256 earliest = height + COMMIT_BLOCKS;
        if (block.number < earliest) revert CommitmentTooFresh(commitment, height, earliest);
        delete committedAt[commitment];
    }

    /// @dev Begin a model's next registration, whatever is left of an earlier one.
    function _makePending(bytes32 modelId, uint64 size, uint256 deposit) private returns (uint32) {
        Entry storage entry = _entries[modelId];
        Status before = _statusOf(entry);
        if (before == Status.PENDING || before == Status.ACTIVE) {
            revert AlreadyRegistered(modelId, before);
        }
        _countPending(msg.sender, size);
        if (before == Status.NONE) _modelIds.push(modelId);
        if (before == Status.RETIRED) _burnToken(modelId);
        uint32 nonce = entry.nonce + 1;
        delete _entries[modelId];
        entry.size = size;
        entry.status = Status.PENDING;
        entry.registeredAt = uint64(block.number);
        entry.nonce = nonce;
        entry.deposit = deposit;
        return nonce;
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

    function _expire(bytes32 modelId, Entry storage entry) private {
        address owner = _ownerOf(uint256(modelId));
        entry.status = Status.EXPIRED;
        _uncountPending(owner, entry.size);
        uint256 deposit = _refund(entry, owner);
        _burnToken(modelId);
        emit Expired(modelId, owner, deposit);
    }

    function _uncountPending(address owner, uint64 size) private {
        pendingBytes -= size;
        pendingOf[owner] -= 1;
    }

    /// @dev Credit rather than pay: a contract that refuses the wei could stop `expire` otherwise.
    function _refund(Entry storage entry, address owner) private returns (uint256 deposit) {
        deposit = entry.deposit;
        entry.deposit = 0;
        refunds[owner] += deposit;
    }

    function _burnToken(bytes32 modelId) private {
        _resetTokenRoyalty(uint256(modelId));
        _burn(uint256(modelId));
    }

    function _pay(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert PaymentFailed(to, amount);
    }

    function _checkOwner(bytes32 modelId) private view {
        address owner = _requireOwned(uint256(modelId));
        if (msg.sender != owner) revert NotOwner(modelId, owner, msg.sender);
    }

    function _pendingEntry(bytes32 modelId) private view returns (Entry storage entry) {
        entry = _entries[modelId];
        if (entry.status != Status.PENDING) revert NotPending(modelId, entry.status);
        if (entry.activationHeight != 0) revert AlreadyActivated(modelId, entry.activationHeight);
    }

    function _activeEntry(bytes32 modelId) private view returns (Entry storage entry) {
        entry = _entries[modelId];
        Status current = _statusOf(entry);
        if (current != Status.ACTIVE) revert NotActive(modelId, current);
    }

    function _statusOf(Entry storage entry) private view returns (Status) {
        uint256 height = entry.retirementHeight;
        if (height != 0 && block.number >= height) return Status.RETIRED;
        height = entry.activationHeight;
        if (height != 0 && block.number >= height) return Status.ACTIVE;
        return entry.status;
    }

    function _royaltyOf(Entry storage entry) private view returns (uint64) {
        return block.number < entry.royaltyHeight ? entry.royaltyGas : entry.nextRoyaltyGas;
    }

    function _computeGas(bytes32 modelId) private view returns (uint256) {
        (bool ok, bytes memory answer) =
            MODEL_INFO.staticcall(abi.encode(modelId, COMPUTE_GAS_FIELD));
        if (!ok || answer.length != 32) revert NoModelInfo(modelId);
        return abi.decode(answer, (uint256));
    }
}
