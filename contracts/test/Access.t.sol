// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {
    IAccessControlDefaultAdminRules as IAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {JobRegistry} from "../src/JobRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @title Who may do what, and how that changes
contract AccessTest is RegistryTest {
    // constructor
    // ├── when there is no admin: reverts
    // └── otherwise: the admin, the confirmer and the pauser have their roles, and no role of another's

    function test_deploying_reverts_when_there_is_no_admin() public {
        VM.expectRevert(abi.encodeWithSelector(IAdminRules.AccessControlInvalidDefaultAdmin.selector, address(0)));
        new JobRegistry(address(0), CONFIRMER, PAUSER, DELAY);
    }

    function test_each_has_its_role_alone_when_deployed() public view {
        address[3] memory people = [ADMIN, CONFIRMER, PAUSER];
        bytes32[3] memory roles = [bytes32(0), keccak256("CONFIRMER_ROLE"), keccak256("PAUSER_ROLE")];
        for (uint256 i = 0; i < 9; ++i) assert(_registry.hasRole(roles[i / 3], people[i % 3]) == (i / 3 == i % 3));
        assertEqual(_registry.defaultAdmin(), ADMIN);
        assertEqual(uint256(_registry.defaultAdminDelay()), uint256(DELAY));
        assert(!_registry.paused());
    }

    // pause, unpause
    // ├── when the caller is no pauser: reverts
    // ├── when it is so already: reverts
    // └── otherwise: all confirming stops, or goes on

    function test_confirming_goes_on_when_unpaused() public {
        _confirm(KEY, HASH);
        _pause();
        assert(_registry.paused());
        assertEqual(_registry.resultHashOf(KEY), HASH);
        _expectPaused();
        _confirm(_key(1), HASH);
        _unpause();
        _confirm(_key(1), HASH);
        assertEqual(_registry.resultHashOf(_key(1)), HASH);
    }

    function test_pausing_reverts_when_it_is_so_already() public {
        VM.expectRevert(abi.encodeWithSelector(Pausable.ExpectedPause.selector));
        _unpause();
        _pause();
        _expectPaused();
        _pause();
    }

    function testFuzz_pausing_reverts_when_caller_is_no_pauser(address caller) public {
        VM.assume(caller != PAUSER);
        bytes32 role = _registry.PAUSER_ROLE();
        _expectMissingRole(caller, role);
        VM.prank(caller);
        _registry.pause();
        _expectMissingRole(caller, role);
        VM.prank(caller);
        _registry.unpause();
    }

    // grantRole, revokeRole
    // ├── when the caller is not the admin: reverts
    // ├── when the role is the admin's own: reverts, for only the two steps hand it over
    // └── otherwise: at once, without the delay; and what is recorded stays

    function testFuzz_granting_reverts_when_caller_is_not_admin(address caller) public {
        VM.assume(caller != ADMIN);
        bytes32 role = _registry.CONFIRMER_ROLE();
        bytes32 adminRole = _registry.DEFAULT_ADMIN_ROLE();
        _expectMissingRole(caller, adminRole);
        VM.prank(caller);
        _registry.grantRole(role, STRANGER);
        _expectMissingRole(caller, adminRole);
        VM.prank(caller);
        _registry.revokeRole(role, CONFIRMER);
    }

    function test_granting_reverts_when_the_role_is_the_admins() public {
        VM.expectRevert(abi.encodeWithSelector(IAdminRules.AccessControlEnforcedDefaultAdminRules.selector));
        VM.prank(ADMIN);
        _registry.grantRole(0, STRANGER);
    }

    function test_a_confirmer_records_at_once_when_appointed() public {
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.grantRole(role, STRANGER);
        VM.prank(STRANGER);
        _registry.confirm(KEY, HASH);
        assertEqual(_registry.resultHashOf(KEY), HASH);
    }

    function test_confirming_reverts_when_the_confirmer_is_dismissed() public {
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.revokeRole(role, CONFIRMER);
        _expectMissingRole(CONFIRMER, role);
        _confirm(KEY, HASH);
        _expectMissingRole(CONFIRMER, role);
        _confirmBatch(_words(KEY, _key(1)), _words(HASH, HASH));
    }

    function test_recorded_hash_stays_when_the_admin_makes_itself_confirmer() public {
        _confirm(KEY, HASH);
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.grantRole(role, ADMIN);
        _expectAlreadyConfirmed(KEY, HASH, OTHER);
        VM.prank(ADMIN);
        _registry.confirm(KEY, OTHER);
    }

    // the admin
    // ├── when another begins the change: reverts
    // ├── when it is accepted before the delay has passed, or by another: reverts
    // ├── when it was cancelled: reverts
    // └── otherwise: changes

    function test_admin_changes_only_when_accepted_after_the_delay() public {
        uint48 acceptable = _beginTransfer();
        VM.warp(acceptable);
        VM.expectRevert(
            abi.encodeWithSelector(IAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, acceptable)
        );
        VM.prank(STRANGER);
        _registry.acceptDefaultAdminTransfer();
        assertEqual(_registry.defaultAdmin(), ADMIN);
        VM.warp(acceptable + 1);
        VM.prank(STRANGER);
        _registry.acceptDefaultAdminTransfer();
        assertEqual(_registry.defaultAdmin(), STRANGER);
    }

    function test_admin_stays_when_the_change_is_cancelled() public {
        uint48 acceptable = _beginTransfer();
        VM.prank(ADMIN);
        _registry.cancelDefaultAdminTransfer();
        VM.warp(acceptable + 1);
        _expectInvalidAdmin(STRANGER);
        VM.prank(STRANGER);
        _registry.acceptDefaultAdminTransfer();
        assertEqual(_registry.defaultAdmin(), ADMIN);
    }

    function testFuzz_admin_stays_when_another_accepts(address caller) public {
        VM.assume(caller != STRANGER);
        VM.warp(_beginTransfer() + 1);
        _expectInvalidAdmin(caller);
        VM.prank(caller);
        _registry.acceptDefaultAdminTransfer();
        assertEqual(_registry.defaultAdmin(), ADMIN);
    }

    function testFuzz_admin_stays_when_another_begins_the_change(address caller) public {
        VM.assume(caller != ADMIN);
        _expectMissingRole(caller, 0);
        VM.prank(caller);
        _registry.beginDefaultAdminTransfer(caller);
    }

    function _beginTransfer() private returns (uint48 acceptable) {
        VM.prank(ADMIN);
        _registry.beginDefaultAdminTransfer(STRANGER);
        return uint48(block.timestamp) + DELAY;
    }

    function _expectInvalidAdmin(address caller) private {
        VM.expectRevert(abi.encodeWithSelector(IAdminRules.AccessControlInvalidDefaultAdmin.selector, caller));
    }
}
