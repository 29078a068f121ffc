"""How the chain in memory writes a call into the bytes of a transaction."""

from chalicelib.domain.chain_call import Call, ConfirmBatch, ConfirmCompact, Fill, Transfer
from chalicelib.domain.confirmation import Entry


def written(call: Call) -> object:
    """The call as JSON takes it."""
    match call:
        case ConfirmBatch(entries):
            return [[entry.job_key, entry.result_hash] for entry in entries]
        case ConfirmCompact(number=number, mask=mask, root=root):
            return {"number": number, "mask": mask, "root": root}
        case Transfer(to=to, wei=wei):
            return {"to": to, "wei": wei}
        case Fill():
            return None


def read(document: list[list[str]] | dict[str, object] | None) -> Call:
    """The call that was written so."""
    match document:
        case list():
            return ConfirmBatch(tuple(Entry(key, result_hash) for key, result_hash in document))
        case {"number": int(number), "mask": int(mask), "root": str(root)}:
            return ConfirmCompact(number=number, mask=mask, root=root)
        case {"to": str(to), "wei": int(wei)}:
            return Transfer(to=to, wei=wei)
    return Fill()
