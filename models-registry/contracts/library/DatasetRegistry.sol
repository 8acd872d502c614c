// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Which rows a model is measured on
/// @notice A dataset is the Merkle root of labelled rows (`RowTree`) with their number, size and kind of
/// label. Whoever registers it is its publisher; nothing about it ever changes, and it has no owner.
contract DatasetRegistry {
    /// @notice What an int64 label stands for: the index of a class, a whole number, or the IEEE-754
    /// bits of a float32 in the lower half.
    enum LabelType {
        CLASS,
        INTEGER,
        FLOAT32
    }

    /// @notice A dataset; `registeredAt` is a height, 0 where there is none.
    struct Dataset {
        bytes32 root;
        address publisher;
        uint64 rows;
        uint32 rowBytes;
        LabelType labelType;
        uint64 registeredAt;
        string uri;
    }

    /// @notice Most rows of a dataset.
    uint256 public constant MAX_ROWS = 1 << 32;
    /// @notice Most bytes of a row.
    uint256 public constant MAX_ROW_BYTES = 1 << 20;
    /// @notice Longest uri, in bytes.
    uint256 public constant MAX_URI_BYTES = 256;

    mapping(bytes32 datasetId => Dataset) private _datasets;
    bytes32[] private _datasetIds;

    /// @notice A dataset was registered.
    event DatasetRegistered(
        bytes32 indexed datasetId,
        address indexed publisher,
        bytes32 indexed root,
        uint64 rows,
        uint32 rowBytes,
        LabelType labelType,
        string uri
    );

    error NoRoot();
    error BadRowCount(uint256 given, uint256 max);
    error BadRowBytes(uint256 given, uint256 max);
    error UriTooLong(uint256 given, uint256 max);
    error AlreadyRegistered(bytes32 datasetId, uint256 height);
    error NoDataset(bytes32 datasetId);
    error NoDatasetAt(uint256 index, uint256 count);

    /// @notice Register a dataset for good; the sender is its publisher.
    /// @param root The root of its `RowTree`.
    /// @param rows How many rows it has.
    /// @param rowBytes Bytes of one row: one item of a model's input.
    /// @param labelType What the labels stand for.
    /// @param uri Where it is described; not used by any contract.
    function register(
        bytes32 root,
        uint64 rows,
        uint32 rowBytes,
        LabelType labelType,
        string calldata uri
    ) external returns (bytes32 id) {
        if (root == 0) revert NoRoot();
        if (rows == 0 || rows > MAX_ROWS) revert BadRowCount(rows, MAX_ROWS);
        if (rowBytes == 0 || rowBytes > MAX_ROW_BYTES) revert BadRowBytes(rowBytes, MAX_ROW_BYTES);
        if (bytes(uri).length > MAX_URI_BYTES) revert UriTooLong(bytes(uri).length, MAX_URI_BYTES);
        id = datasetId(msg.sender, root, rows, rowBytes, labelType, uri);
        uint256 height = _datasets[id].registeredAt;
        if (height != 0) revert AlreadyRegistered(id, height);
        _datasets[id] =
            Dataset(root, msg.sender, rows, rowBytes, labelType, uint64(block.number), uri);
        _datasetIds.push(id);
        emit DatasetRegistered(id, msg.sender, root, rows, rowBytes, labelType, uri);
    }

    /// @notice A dataset; reverts where there is none.
    function dataset(bytes32 id) external view returns (Dataset memory) {
        return _existing(id);
    }

    /// @notice What a proof of rows needs: root, rows, bytes of a row, kind of label.
    function shape(bytes32 id)
        external
        view
        returns (bytes32 root, uint256 rows, uint256 rowBytes, LabelType labelType)
    {
        Dataset storage found = _existing(id);
        return (found.root, found.rows, found.rowBytes, found.labelType);
    }

    /// @notice Who registered a dataset.
    function publisherOf(bytes32 id) external view returns (address) {
        return _existing(id).publisher;
    }

    /// @notice How many datasets there are.
    function datasetCount() external view returns (uint256) {
        return _datasetIds.length;
    }

    /// @notice A dataset's id by its place in the order of registration.
    function datasetAt(uint256 index) external view returns (bytes32) {
        uint256 count = _datasetIds.length;
        if (index >= count) revert NoDatasetAt(index, count);
        return _datasetIds[index];
    }

    /// @notice The id of a dataset: the hash of all that is said of it, so that nobody can take it with
    /// another meaning.
    function datasetId(
        address publisher,
        bytes32 root,
        uint64 rows,
        uint32 rowBytes,
        LabelType labelType,
        string calldata uri
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(publisher, root, rows, rowBytes, labelType, uri));
    }

    function _existing(bytes32 id) private view returns (Dataset storage found) {
        found = _datasets[id];
        if (found.registeredAt == 0) revert NoDataset(id);
    }
}
