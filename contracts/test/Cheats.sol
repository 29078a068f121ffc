// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

/// @title What these tests use of the test runner's cheatcodes
interface ICheats {
    function prank(address sender) external;
    function chainId(uint256 newChainId) external;
    function warp(uint256 newTimestamp) external;
    function assume(bool condition) external pure;
    function expectRevert(bytes calldata revertData) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter, uint64 count) external;
}

/// @title A test contract with the cheatcodes at hand, and with equality
abstract contract Cheats {
    ICheats internal constant VM = ICheats(address(uint160(uint256(keccak256("hevm cheat code")))));

    error NotEqual(bytes32 actual, bytes32 expected);

    function assertEqual(bytes32 actual, bytes32 expected) internal pure {
        if (actual != expected) revert NotEqual(actual, expected);
    }

    function assertEqual(uint256 actual, uint256 expected) internal pure {
        assertEqual(bytes32(actual), bytes32(expected));
    }

    function assertEqual(address actual, address expected) internal pure {
        assertEqual(uint256(uint160(actual)), uint256(uint160(expected)));
    }
}
