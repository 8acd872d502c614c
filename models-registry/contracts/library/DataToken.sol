// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

import {CVM} from "../CVM.sol";
import {AccessToken} from "./AccessToken.sol";
import {AnswerRule} from "./AnswerRule.sol";
import {Evaluator} from "./Evaluator.sol";
import {Purse} from "./Purse.sol";

/// @title Datasets that models come to, and are paid for
/// @notice A dataset's publisher mints its data NFT; the NFT's owner earns. An access token, prepaid at a
/// fixed price, buys one job: to have one model measured on the dataset by one rule. The owner sends the
/// rows to the Evaluator; the complete certificate pays him. Data NFT, access token and compute-to-data
/// are Ocean's.
contract DataToken is ERC721, Purse {
    /// @notice What a dataset's owner sells; the price is in wei and never changes, so that the ether
    /// behind every unit is known. A job may take `jobBlocks`.
    struct Offer {
        AccessToken token;
        uint64 jobBlocks;
        uint256 price;
    }

    /// @notice Where a job stands.
    enum Status {
        NONE,
        OPEN,
        DONE,
        CANCELLED
    }

    /// @notice A job: one unit waits here for one certificate, up to block `deadline`.
    struct Job {
        address consumer;
        uint64 deadline;
        Status status;
        bytes32 datasetId;
        bytes32 certificateId;
    }

    /// @notice Whose certificates count.
    Evaluator public immutable evaluator;

    mapping(bytes32 datasetId => Offer) private _offers;
    Job[] private _jobs;

    event Published(
        bytes32 indexed datasetId, address indexed owner, AccessToken token, uint256 price, uint64 jobBlocks
    );
    event Bought(bytes32 indexed datasetId, address indexed buyer, uint256 units);
    event Redeemed(bytes32 indexed datasetId, address indexed holder, uint256 units);
    event Ordered(
        uint256 indexed jobId,
        bytes32 indexed datasetId,
        address indexed consumer,
        bytes32 modelId,
        bytes32 certificateId,
        uint64 deadline
    );
    event Finished(uint256 indexed jobId, address indexed owner, uint256 price);
    event Cancelled(uint256 indexed jobId);

    error NotThePublisher(address sender, address publisher);
    error AlreadyPublished(bytes32 datasetId);
    error NotPublished(bytes32 datasetId);
    error NoJobBlocks();
    error NoUnits();
    error WrongPayment(uint256 given, uint256 due);
    error AlreadyCertified(bytes32 certificateId);
    error NotCertified(bytes32 certificateId, uint256 counted, uint256 rows);
    error NoJob(uint256 jobId);
    error NotOpen(uint256 jobId, Status status);
    error DeadlineNotPassed(uint256 jobId, uint256 deadline);

    constructor(Evaluator evaluator_) ERC721("CVM datasets", "CVMDATA") {
        evaluator = evaluator_;
    }

    /// @notice Mint the NFT of a dataset and make its access token; only its publisher may, once.
    function publish(
        bytes32 datasetId,
        string calldata name,
        string calldata symbol,
        uint256 price,
        uint64 jobBlocks
    ) external returns (AccessToken token) {
        address publisher = evaluator.datasets().publisherOf(datasetId);
        if (msg.sender != publisher) revert NotThePublisher(msg.sender, publisher);
        if (address(_offers[datasetId].token) != address(0)) revert AlreadyPublished(datasetId);
        if (jobBlocks == 0) revert NoJobBlocks();
        token = new AccessToken(name, symbol);
        _offers[datasetId] = Offer(token, jobBlocks, price);
        _mint(msg.sender, uint256(datasetId));
        emit Published(datasetId, msg.sender, token, price, jobBlocks);
    }

    /// @notice Buy units at the fixed price; the ether stays here until they are used or given back.
    function buy(bytes32 datasetId, uint256 units) external payable {
        Offer storage offer = _offer(datasetId);
        if (units == 0) revert NoUnits();
        uint256 due = offer.price * units;
        if (msg.value != due) revert WrongPayment(msg.value, due);
        emit Bought(datasetId, msg.sender, units);
        offer.token.mint(msg.sender, units);
    }

    /// @notice Give unused units back for what they cost.
    function redeem(bytes32 datasetId, uint256 units) external {
        Offer storage offer = _offer(datasetId);
        if (units == 0) revert NoUnits();
        offer.token.burn(msg.sender, units);
        _credit(msg.sender, offer.price * units);
        emit Redeemed(datasetId, msg.sender, units);
    }

    /// @notice Order that a model be measured; takes one unit of the sender.
    function order(bytes32 datasetId, bytes32 modelId, AnswerRule.Rule calldata rule)
        external
        returns (uint256 jobId)
    {
        Offer storage offer = _offer(datasetId);
        if (!CVM.isActive(modelId)) revert CVM.ModelNotActive();
        bytes32 id = evaluator.certificateId(modelId, datasetId, rule);
        (bool isComplete,,) = _certificate(id);
        if (isComplete) revert AlreadyCertified(id);
        jobId = _jobs.length;
        uint64 deadline = uint64(block.number) + offer.jobBlocks;
        _jobs.push(Job(msg.sender, deadline, Status.OPEN, datasetId, id));
        emit Ordered(jobId, datasetId, msg.sender, modelId, id, deadline);
        offer.token.move(msg.sender, address(this), 1);
    }

    /// @notice End a job whose certificate is complete: its unit is used, the NFT's owner is paid; anyone may.
    function finish(uint256 jobId) external {
        Job storage job = _openJob(jobId);
        (bool isComplete, uint256 counted, uint256 rows) = _certificate(job.certificateId);
        if (!isComplete) revert NotCertified(job.certificateId, counted, rows);
        job.status = Status.DONE;
        Offer storage offer = _offers[job.datasetId];
        address owner = ownerOf(uint256(job.datasetId));
        emit Finished(jobId, owner, offer.price);
        offer.token.burn(address(this), 1);
        _credit(owner, offer.price);
    }

    /// @notice End a job that was not done in time: its unit goes back to the consumer; anyone may.
    function cancel(uint256 jobId) external {
        Job storage job = _openJob(jobId);
        if (block.number <= job.deadline) revert DeadlineNotPassed(jobId, job.deadline);
        (bool isComplete,,) = _certificate(job.certificateId);
        if (isComplete) revert AlreadyCertified(job.certificateId);
        job.status = Status.CANCELLED;
        emit Cancelled(jobId);
        _offers[job.datasetId].token.move(address(this), job.consumer, 1);
    }

    /// @notice What is sold of a dataset.
    function offerOf(bytes32 datasetId) external view returns (Offer memory) {
        return _offer(datasetId);
    }

    /// @notice A job.
    function jobAt(uint256 jobId) external view returns (Job memory) {
        if (jobId >= _jobs.length) revert NoJob(jobId);
        return _jobs[jobId];
    }

    /// @notice How many jobs there are.
    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function _certificate(bytes32 id)
        private
        view
        returns (bool isComplete, uint256 counted, uint256 rows)
    {
        (counted,, rows) = evaluator.score(id);
        isComplete = rows != 0 && counted == rows;
    }

    function _offer(bytes32 datasetId) private view returns (Offer storage offer) {
        offer = _offers[datasetId];
        if (address(offer.token) == address(0)) revert NotPublished(datasetId);
    }

    function _openJob(uint256 jobId) private view returns (Job storage job) {
        if (jobId >= _jobs.length) revert NoJob(jobId);
        job = _jobs[jobId];
        if (job.status != Status.OPEN) revert NotOpen(jobId, job.status);
    }
}
