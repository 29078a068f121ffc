// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {JobRegistry} from "../src/JobRegistry.sol";
import {Cheats} from "../test/Cheats.sol";

/// @title What these proofs use of halmos's own cheatcodes: values that stand for every value
interface ISymbols {
    function createCalldata(string memory contractName) external pure returns (bytes memory data);
    function enableSymbolicStorage(address account) external;
}

/// @title What holds whatever the registry's state is, whoever calls it and with whatever calldata
/// @dev The state is not the empty one but arbitrary, so that what one call keeps, any number of calls keeps.
contract JobRegistrySymbolic is Cheats {
    ISymbols private constant SYMBOLS = ISymbols(address(uint160(uint256(keccak256("svm cheat code")))));

    JobRegistry private _registry;

    function setUp() public {
        _registry = new JobRegistry(address(1), address(2), address(3), 1 days);
        SYMBOLS.enableSymbolicStorage(address(_registry));
    }

    function check_recorded_hash_stays(bytes32 jobKey, address caller) public {
        bytes32 recordedHash = _registry.resultHashOf(jobKey);
        VM.assume(recordedHash != 0);
        _call(caller);
        assert(_registry.resultHashOf(jobKey) == recordedHash);
    }

    function check_compact_hash_stays(uint256 word, address caller) public {
        bytes32 recordedHash = _registry.compactHashOf(word);
        VM.assume(recordedHash != 0);
        _call(caller);
        assert(_registry.compactHashOf(word) == recordedHash);
    }

    /// @custom:halmos --array-lengths inclusion.proof=1 --default-array-lengths 0,1
    function check_included_job_stays_included(
        bytes32 jobKey,
        bytes32 resultHash,
        IJobRegistry.Inclusion calldata inclusion,
        address caller
    ) public {
        VM.assume(_registry.isIncluded(jobKey, resultHash, inclusion));
        _call(caller);
        assert(_registry.isIncluded(jobKey, resultHash, inclusion));
    }

    function check_word_is_written_by_its_confirmer_alone(uint256 word, address caller) public {
        bytes32 before = _registry.compactHashOf(word);
        bool isConfirmer = _registry.hasRole(_registry.CONFIRMER_ROLE(), caller);
        _call(caller);
        if (_registry.compactHashOf(word) != before) {
            assert(isConfirmer);
            assert(word >> 64 == uint160(caller));
        }
    }

    function check_stranger_records_no_job_except_by_proof(bytes32 jobKey, address caller) public {
        VM.assume(!_registry.hasRole(_registry.CONFIRMER_ROLE(), caller));
        bytes32 before = _registry.resultHashOf(jobKey);
        bytes4 selector = _call(caller);
        if (selector != JobRegistry.materialize.selector) assert(_registry.resultHashOf(jobKey) == before);
    }

    function check_nothing_is_recorded_when_paused(bytes32 jobKey, uint256 word, address caller) public {
        VM.assume(_registry.paused());
        (bytes32 before, bytes32 compactBefore) = (_registry.resultHashOf(jobKey), _registry.compactHashOf(word));
        _call(caller);
        assert(_registry.resultHashOf(jobKey) == before);
        assert(_registry.compactHashOf(word) == compactBefore);
    }

    function check_proof_records_only_what_is_included(
        bytes32 jobKey,
        bytes32 resultHash,
        IJobRegistry.Inclusion calldata inclusion,
        bytes32 otherKey,
        address caller
    ) public {
        bytes32 before = _registry.resultHashOf(jobKey);
        bytes32 otherBefore = _registry.resultHashOf(otherKey);
        bool isIncluded = _registry.isIncluded(jobKey, resultHash, inclusion);
        VM.prank(caller);
        try _registry.materialize(jobKey, resultHash, inclusion) {
            assert(isIncluded && before == 0 && _registry.resultHashOf(jobKey) == resultHash);
        } catch {
            assert(_registry.resultHashOf(jobKey) == before);
        }
        if (otherKey != jobKey) assert(_registry.resultHashOf(otherKey) == otherBefore);
    }

    /// @dev Any function with any arguments; a revert is an outcome like any other.
    function _call(address caller) private returns (bytes4 selector) {
        bytes memory data = SYMBOLS.createCalldata("JobRegistry");
        VM.prank(caller);
        // solhint-disable-next-line avoid-low-level-calls
        (bool accepted, ) = address(_registry).call(data);
        accepted;
        return bytes4(data);
    }
}
