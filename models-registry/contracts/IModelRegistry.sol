// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title The registry of models as other contracts and indexers see it
/// @notice Beside it the registry is an ERC-721 with metadata and ERC-2981: the id of a token is the
/// model's id as a number.
interface IModelRegistry {
    /// @notice Where a model stands.
    enum Status {
        NONE,
        PENDING,
        ACTIVE,
        EXPIRED,
        RETIRED
    }

    /// @notice A model as of this block. `royaltyGas` is what an inference pays now, `nextRoyaltyGas`
    /// what it pays from `royaltyHeight` on; `deposit` is what the registry still holds for it.
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
        uint64 retirementHeight;
        uint64 nextRoyaltyGas;
        uint64 royaltyHeight;
        uint256 deposit;
        bytes32 recordHash;
        bytes record;
    }

    /// @notice Somebody will register a model, and does not say which yet.
    event Committed(bytes32 indexed commitment, address indexed sender);
    /// @notice A model is PENDING: validators fetch its chunks, check them and sign its record.
    event Registered(
        bytes32 indexed modelId,
        address indexed owner,
        uint64 size,
        uint64 royaltyGas,
        string uri,
        uint64 nonce,
        uint256 deposit,
        uint256 fee
    );
    /// @notice A record was accepted; contracts may call the model from `activationHeight` on.
    event Activated(
        bytes32 indexed modelId, bytes32 recordHash, uint64 activationHeight, bytes record
    );
    /// @notice A model was not activated in time, or registered with a size that is not its own; its
    /// owner may withdraw the deposit.
    event Expired(bytes32 indexed modelId, address indexed owner, uint256 deposit);
    /// @notice Nobody can call the model from `retirementHeight` on; its owner may withdraw the deposit.
    event Retired(
        bytes32 indexed modelId, address indexed owner, uint64 retirementHeight, uint256 deposit
    );
    /// @notice An item pays another royalty from `royaltyHeight` on.
    event RoyaltySet(bytes32 indexed modelId, uint64 royaltyGas, uint64 royaltyHeight);
    /// @notice The token's resale royalty (ERC-2981) is another.
    event ResaleRoyaltySet(bytes32 indexed modelId, address indexed receiver, uint96 basisPoints);
    /// @notice An account was paid its refunds.
    event Withdrawn(address indexed owner, address indexed to, uint256 amount);

    error AlreadyCommitted(bytes32 commitment, uint256 height);
    error NoCommitment(bytes32 commitment);
    error CommitmentTooFresh(bytes32 commitment, uint256 committedHeight, uint256 earliestHeight);
    error BadSize(uint256 given, uint256 max);
    error UriTooLong(uint256 given, uint256 max);
    error RecordTooLong(uint256 given, uint256 max);
    error WrongPayment(uint256 given, uint256 due);
    error AlreadyRegistered(bytes32 modelId, Status status);
    error TooManyPendingBytes(uint256 total, uint256 max);
    error TooManyPendingModels(address owner, uint256 max);
    error TooManyActiveBytes(uint256 total, uint256 max);
    error NotPending(bytes32 modelId, Status status);
    error NotActive(bytes32 modelId, Status status);
    error AlreadyActivated(bytes32 modelId, uint256 activationHeight);
    error AlreadyRetiring(bytes32 modelId, uint256 retirementHeight);
    error DeadlinePassed(bytes32 modelId, uint256 lastHeight);
    error DeadlineNotPassed(bytes32 modelId, uint256 lastHeight);
    error SizeNotRefuted(bytes32 modelId, uint256 registeredSize);
    error NotOwner(bytes32 modelId, address owner, address sender);
    error NotTransferable(bytes32 modelId, Status status);
    error RoyaltyTooHigh(uint256 given, uint256 max);
    error ResaleRoyaltyTooHigh(uint256 given, uint256 max);
    error NoModelInfo(bytes32 modelId);
    error NothingToWithdraw(address owner);
    error PaymentFailed(address to, uint256 amount);
    error NoModelAt(uint256 index, uint256 count);

    /// @notice Reserve a model without naming it, so that nobody can register it ahead of its author.
    /// @param commitment keccak256(abi.encode(modelId, owner, salt)), `owner` being who will register.
    function commit(bytes32 commitment) external;

    /// @notice Open a commitment at least `COMMIT_BLOCKS` later; the sender gets the token. Pays
    /// exactly size * (`depositPerByte` + `feePerByte`): the fee is burned, the deposit kept.
    /// @param modelId SHA-256(0x02 || uint64be(size) || root of the Merkle tree over 256 KiB chunks).
    /// @param size Bytes of the file.
    /// @param royaltyGas Gas per item that goes to the owner; validators sign no record of a model
    /// that asks for more than a quarter of its compute gas.
    /// @param uri Where the file or its description can be read; not used by the chain.
    /// @param salt The secret of the commitment.
    function register(
        bytes32 modelId,
        uint64 size,
        uint64 royaltyGas,
        string calldata uri,
        bytes32 salt
    ) external payable;

    /// @notice Accept a record that more than two thirds of the validators of this block signed.
    /// @param modelId A PENDING model whose deadline has not passed.
    /// @param record The RLP that was signed; its keccak256 is the record hash.
    /// @param signatures 65 bytes each (r, s, v), the signers' addresses strictly ascending.
    function activate(bytes32 modelId, bytes calldata record, bytes[] calldata signatures) external;

    /// @notice Give up a model that was not activated in time; anyone may, and it may register again.
    function expire(bytes32 modelId) external;

    /// @notice End a PENDING registration whose size is not the model's, at once; anyone may.
    /// @param modelId SHA-256(0x02 || size || root).
    /// @param size The bytes that the model has.
    /// @param root The Merkle root of its chunks.
    function refute(bytes32 modelId, uint64 size, bytes32 root) external;

    /// @notice End a model's life `retirementDelay` blocks later; for its owner, or who is approved for
    /// the token. The token stays until the model is registered again.
    function retire(bytes32 modelId) external;

    /// @notice Let an item pay another royalty from `royaltyDelay` blocks later on; for the owner of an
    /// ACTIVE model. A change that has not taken effect yet is replaced.
    /// @param royaltyGas At most a quarter of the compute gas of an item.
    function setRoyalty(bytes32 modelId, uint64 royaltyGas) external;

    /// @notice Name who should get a share of the price when the token is sold (ERC-2981); for the
    /// owner. 0 basis points remove it; so does the end of the token.
    function setResaleRoyalty(bytes32 modelId, address receiver, uint96 basisPoints) external;

    /// @notice Pay the sender's refunds to an account.
    function withdraw(address payable to) external;

    /// @notice A model as of this block; all zero where nothing was registered.
    function getModel(bytes32 modelId) external view returns (Model memory model);

    /// @notice Where a model stands as of this block.
    function status(bytes32 modelId) external view returns (Status);

    /// @notice How many models were ever registered.
    function modelCount() external view returns (uint256);

    /// @notice A model's id by its place in the order of first registration.
    function modelAt(uint256 index) external view returns (bytes32);
}
