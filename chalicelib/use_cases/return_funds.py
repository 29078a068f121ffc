"""What a signer has left, when nothing is left for it to do, goes back to whoever paid it."""

from dataclasses import dataclass
from functools import partial

from chalicelib.domain.chain_call import Transfer
from chalicelib.domain.chain_transaction import FINAL_DEPTH, Attempt, ChainTransaction, SignerLease
from chalicelib.domain.confirmation import Survey
from chalicelib.domain.errors import ConfirmationRejected, Refused
from chalicelib.domain.fees import Fees, offered
from chalicelib.domain.transaction_id import TransactionId
from chalicelib.ports import Chain, ChainTransactions, RegistryAdmin, Signers

# What is less than a hundred times the price of sending it stays where it is.
WORTHWHILE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFunds:
    """Sends them as everything is sent: stored first, and followed to its end by the sender."""

    signers: Signers
    chain: Chain
    transactions: ChainTransactions
    appointments: RegistryAdmin

    def __call__(self, lease: SignerLease) -> list[ChainTransaction]:
        """The transaction that is now open; none if it is not worthwhile, or its receiver takes nothing.

        `Refused` while no block can be paid for below the ceiling.
        """
        signer, admin = lease.account.signer, self.appointments.address()
        survey = self.chain.survey(signer, final_depth=FINAL_DEPTH)
        fees = _fees(survey, signer)
        try:
            # The receiver may be a contract, and then takes more than a transfer's 21,000.
            gas = self.chain.estimate_gas(Transfer(to=admin, wei=1), signer=signer)
        except ConfirmationRejected:
            return []
        rest_wei = survey.balance_wei - gas * fees.max_fee_wei
        if rest_wei < WORTHWHILE * gas * fees.max_fee_wei:
            return []
        transaction_id = TransactionId(lease.account, max(lease.next_nonce, survey.final_nonce))
        signed = self.chain.sign(
            Transfer(to=admin, wei=rest_wei),
            signer=signer,
            nonce=transaction_id.nonce,
            gas=gas,
            fees=fees,
            sign=partial(self.signers.sign, signer),
        )
        row = ChainTransaction(
            id=transaction_id,
            path=None,
            jobs=(),
            gas=gas,
            attempts=(Attempt(raw=signed.raw, hash=signed.hash, fees=fees),),
            sent_at_block=survey.head,
        )
        self.transactions.record(lease, row, [])
        self.chain.broadcast(signed.raw)
        return [row]


def _fees(survey: Survey, signer: str) -> Fees:
    fees = offered(base_fee_wei=survey.base_fee_wei, tip_wei=survey.tip_wei)
    if fees is None:
        raise Refused(
            f"The next block costs more than we may offer, and what {signer} has would be lost with its key. "
            "Run the command again when blocks cost less; it goes on from here."
        )
    return fees
